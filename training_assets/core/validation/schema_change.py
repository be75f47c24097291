"""How rows differ from the committed schema: column, what was, what is, and the first row that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from training_assets.core.validation.changes import Batches, Change, described
from training_assets.core.validation.column_changes import Look, foreign_classes, shown_by
from training_assets.core.validation.cross_rules import cross_breaks
from training_assets.core.validation.label import TARGET, targets
from training_assets.core.validation.schema import Broken
from training_assets.spec import Column, ModelSpec

__all__ = ["Batches", "Change", "differences"]


def differences(batches: Batches, spec: ModelSpec, found: Mapping[str, Column]) -> list[Change]:
    """What the rows show against the committed schema, in the order of the spec, then new columns in theirs.

    `found` is the inferred schema of the rows: a type, or a whole column for a new one. Rows that sorting would send to
    quarantine, and only they, are differences of known columns. Empty where the rows are as the schema says.
    """
    changes: list[Change] = []
    typed: list[pl.Series] = []
    broken: list[Broken] = []
    for name, column in spec.columns.items():
        changes += _missing(name, column, batches)
        if name not in batches.columns:
            continue
        look = Look(name, column, batches.having(name), found[name], spec)
        changes += look.changes()
        if look.values is not None and name not in batches.absent:
            typed.append(look.values)
            broken += look.broken
    if len(typed) == len(spec.columns) and batches.rows.height:
        changes += _of_whole_rows(pl.DataFrame(typed), batches.rows, spec, broken)
    changes += [_new(name, found[name], batches) for name in batches.columns if name not in spec.columns]
    return changes


def _missing(name: str, column: Column, batches: Batches) -> list[Change]:
    rows = batches.rows
    if name in batches.columns and name not in batches.absent:
        return []
    everywhere = name not in batches.columns
    lacking = rows if everywhere else rows.filter(pl.col("_batch").is_in(list(batches.absent[name])))
    if not lacking.height:
        return []
    update: Mapping[str, Any] | None = {} if everywhere else None
    return [
        Change(
            name, "missing", described(column), "missing", str(lacking["_batch"][0]), None, lacking.height, 1.0, update
        )
    ]


def _new(name: str, column: Column, batches: Batches) -> Change:
    rows = batches.having(name)
    now = f"{described(column)}, role {column.role}" if column.role != "feature" else described(column)
    update = column.model_dump(mode="json", exclude_defaults=True)
    return Change(name, "new", "not there", now, str(rows["_batch"][0]), 1, rows.height, 1.0, update)


def _of_whole_rows(
    typed: pl.DataFrame, rows: pl.DataFrame, spec: ModelSpec, broken: Sequence[Broken]
) -> Iterator[Change]:
    """Differences that only whole rows show: a label by expression, and declared rules."""
    if spec.target.expression is not None:
        yield from foreign_classes(TARGET, targets(typed, spec), rows, spec)
    for item in cross_breaks(typed, spec, broken):
        was = f"{item.rule}: {spec.validation.rules[item.rule][:200]}"
        yield shown_by(item.column, "rule", was, "false", rows, item.rows)
