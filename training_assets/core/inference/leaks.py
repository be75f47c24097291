"""Columns that give the label away, found by cheap tests: copies, parts of a sum, and values that decide it alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.roles import words_of
from training_assets.spec import Column, Target

COPY = 0.999
NEAR_COPY = 0.98
# Enough rows that chance does not order two columns alike, nor part two classes.
LEAST_ROWS = 100
LEAST_ROWS_A_VALUE = 10
LEAST_ROWS_A_CLASS = 10
SAMPLE = 50_000
PROBE = 64
MOST_SUMMANDS = 300
# Sums of decimal numbers miss each other in the last bits.
TOLERANCE = 1e-9
MODEL_WORDS = {"prediction", "predictions", "predicted", "pred", "preds", "yhat"}


@dataclass(frozen=True)
class _Evidence:
    """Rows that have a label, and what is known of their columns."""

    columns: dict[str, Column]
    rows: pl.DataFrame
    label: str
    notes: Notes

    def numeric(self, names: list[str]) -> list[str]:
        return [name for name in names if self.columns[name].type in {"integer", "number"}]


def with_leaks(columns: dict[str, Column], rows: pl.DataFrame, target: Target, notes: Notes) -> dict[str, Column]:
    """The columns, with those that give the label away as leaking, each with a question that asks to confirm it."""
    label = str(target.column)
    features = [name for name, column in columns.items() if column.role == "feature" and name != label]
    found = {name: "another model's prediction" for name in features if MODEL_WORDS & set(words_of(name))}
    evidence = _Evidence(columns, rows.filter(pl.col(label).is_not_null()), label, notes)
    if evidence.rows.height >= LEAST_ROWS:
        for test in (_summands, _copies) if target.task == "regression" else (_deciding, _parting):
            found |= test([name for name in features if name not in found], evidence)
    changed = dict(columns)
    for name, why in found.items():
        changed[name] = columns[name].model_copy(update={"role": "leaking", "because": why})
        notes.ask(
            f"columns.{name}.role",
            f"'{name}' gives the label away: {why}. Is it known only after the outcome?",
            "leaking (no feature is made from it); `role: feature` where it is known in time",
        )
    return changed


def _summands(features: list[str], evidence: _Evidence) -> dict[str, str]:
    """Two columns whose sum or difference is the label in every row."""
    rows = evidence.rows
    names = [name for name in evidence.numeric(features) if not rows[name].null_count()][:MOST_SUMMANDS]
    probe = rows.gather_every(max(1, rows.height // PROBE)).head(PROBE)
    values, y = probe.select(names).cast(pl.Float64).to_numpy(), probe[evidence.label].cast(pl.Float64).to_numpy()
    near = TOLERANCE * np.abs(y)[:, None]
    found: dict[str, str] = {}
    for at, one in enumerate(names):
        rest = (y - values[:, at])[:, None]
        for sign, word in ((1, "+"), (-1, "-")):
            # Probed on few rows first: of thousands of pairs hardly one goes on to all of them.
            for other in np.flatnonzero(np.all(np.abs(sign * values - rest) <= near, axis=0)):
                two = names[other]
                total = rows[one].cast(pl.Float64) + sign * rows[two].cast(pl.Float64)
                known = one in found and two in found
                if not known and rows[two].n_unique() > 1 and _equal(total, rows[evidence.label]):
                    found |= dict.fromkeys((one, two), f"{one} {word} {two} is the label in every row")
    return found


def _equal(one: pl.Series, other: pl.Series) -> bool:
    return bool(np.allclose(one.to_numpy(), other.cast(pl.Float64).to_numpy(), rtol=TOLERANCE, atol=0))


def _copies(features: list[str], evidence: _Evidence) -> dict[str, str]:
    """Numbers in the same order as the label, or nearly; categories whose means nearly are the label."""
    rows, numeric = evidence.rows, set(evidence.numeric(features))
    sample = rows if rows.height <= SAMPLE else rows.sample(SAMPLE, seed=0)
    found: dict[str, str] = {}
    for name in features:
        pair = sample.select(x=pl.col(name), y=pl.col(evidence.label).cast(pl.Float64)).drop_nulls()
        if pair.height < LEAST_ROWS or pair.height * 2 < sample.height:
            continue
        strength = _same_order(pair) if name in numeric else _explained(pair)
        if strength > COPY:
            found[name] = "copy of the label, in another form"
        elif strength > NEAR_COPY:
            evidence.notes.ask(
                f"columns.{name}.role",
                f"is '{name}' known before the outcome? It alone nearly gives the label (strength {strength:.3f} of 1)",
                "feature; `role: leaking` where it is made from the outcome or measured with it",
            )
    return found


def _same_order(pair: pl.DataFrame) -> float:
    """Spearman's rank correlation, without its sign."""
    value = pair.select(pl.corr("x", "y", method="spearman")).item()
    return 0.0 if value is None or np.isnan(value) else abs(float(value))


def _explained(pair: pl.DataFrame) -> float:
    """Share of the label's variance that the means of the categories explain (the correlation ratio, eta squared)."""
    if pair["x"].n_unique() * LEAST_ROWS_A_VALUE > pair.height:
        return 0.0
    shares = pair.select(within=(pl.col("y") - pl.col("y").mean().over("x")).var(), total=pl.col("y").var())
    within, total = shares.row(0)
    return 1 - within / total if total else 0.0


def _deciding(features: list[str], evidence: _Evidence) -> dict[str, str]:
    """Columns with few values, each of which occurs with one class alone."""
    rows, label = evidence.rows, evidence.label
    found: dict[str, str] = {}
    for name in features:
        if rows[name].n_unique() * LEAST_ROWS_A_VALUE > rows.height:
            continue
        classes = rows.group_by(name).agg(pl.col(label).n_unique())[label]
        if classes.max() == 1:
            found[name] = "each of its values occurs with one class alone"
    return found


def _parting(features: list[str], evidence: _Evidence) -> dict[str, str]:
    """Numbers whose ranges in two classes do not touch."""
    rows, names = evidence.rows, evidence.numeric(features)
    if rows[evidence.label].n_unique() != 2 or not names:
        return {}
    spans = rows.group_by(evidence.label).agg(
        pl.len().alias("_rows"),
        *(pl.col(name).min().alias(f"_min{at}") for at, name in enumerate(names)),
        *(pl.col(name).max().alias(f"_max{at}") for at, name in enumerate(names)),
    )
    one, two = spans.rows(named=True)
    if min(one["_rows"], two["_rows"]) < LEAST_ROWS_A_CLASS:
        return {}
    found: dict[str, str] = {}
    for at, name in enumerate(names):
        ends = [each[f"_{end}{at}"] for each in (one, two) for end in ("min", "max")]
        if None not in ends and (ends[1] < ends[2] or ends[3] < ends[0]):
            found[name] = "one threshold parts the classes without a mistake"
    return found
