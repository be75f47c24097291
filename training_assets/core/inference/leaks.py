"""Columns that give the label away, marked before the first run: by the very tests that would stop it."""

from __future__ import annotations

import polars as pl

from training_assets.core.features.logical import Kind, kind_of
from training_assets.core.inference.notes import Notes
from training_assets.core.inference.roles import ignored, words_of
from training_assets.core.leakage.evidence import LEAST_ROWS, Evidence, Leak
from training_assets.core.leakage.label_leaks import label_leaks
from training_assets.spec import Column, Target

MODEL_WORDS = {"prediction", "predictions", "predicted", "pred", "preds", "yhat"}
AFTER = "Is it known only after the outcome?"


def with_leaks(columns: dict[str, Column], rows: pl.DataFrame, target: Target, notes: Notes) -> dict[str, Column]:
    """The columns, with those that give the label away as leaking, each with a question that asks to confirm it.

    What the checks for leakage would only warn about is asked and stays a feature.
    """
    label = str(target.column)
    kinds: dict[str, Kind] = {
        name: kind_of(column) for name, column in columns.items() if column.role == "feature" and name != label
    }
    changed = dict(columns)
    for name in list(kinds):
        if MODEL_WORDS & set(words_of(name)):
            del kinds[name]
            _mark(
                changed, name, "another model's prediction", f"'{name}' sounds like another model's prediction", notes
            )
    evidence = Evidence.of(rows, label, target.task, kinds)
    if evidence.rows.height < LEAST_ROWS:
        return changed
    for leak in label_leaks(evidence):
        for name in leak.columns:
            if leak.strong:
                _mark(changed, name, leak.text, leak.text, notes, identifier=leak.kind == "identifier")
            else:
                _ask(name, leak, notes)
    return changed


def _mark(
    columns: dict[str, Column], name: str, why: str, said: str, notes: Notes, *, identifier: bool = False
) -> None:
    if identifier:
        columns[name] = columns[name].model_copy(update=ignored(f"identifier: {why}"))
        notes.ask(f"columns.{name}.role", f"{said}: does it identify them?", "ignored; `role: key` where it does")
        return
    columns[name] = columns[name].model_copy(update={"role": "leaking", "because": why})
    proposal = (
        "leaking (no feature is made from it); where it is known in time, `role: feature` and the reason under "
        "validation.leakage.waive"
    )
    notes.ask(f"columns.{name}.role", f"{said}. {AFTER}", proposal)


def _ask(name: str, leak: Leak, notes: Notes) -> None:
    if leak.kind == "identifier":
        proposal = "feature (a category); `role: ignored` where its values say nothing about other rows"
        notes.ask(f"columns.{name}.role", f"{leak.text}: can a model learn from them?", proposal)
        return
    proposal = "feature; `role: leaking` where it is made from the outcome or measured with it"
    notes.ask(f"columns.{name}.role", f"{leak.text}. {AFTER}", proposal)
