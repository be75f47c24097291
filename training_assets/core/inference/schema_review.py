"""The inferred schema of batches against the committed one, with roles for new columns as a draft would give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.sql_words import words
from training_assets.core.inference.column_types import types_of_text
from training_assets.core.inference.leaks import with_leaks
from training_assets.core.inference.notes import Notes, Question
from training_assets.core.inference.roles import ignored, with_roles
from training_assets.core.inference.times import with_time
from training_assets.core.ingestion.formats.parquet import logical_type
from training_assets.core.validation.casting import cast
from training_assets.core.validation.changes import Batches, Change
from training_assets.core.validation.label import TARGET, targets
from training_assets.core.validation.schema import typed
from training_assets.core.validation.schema_change import differences
from training_assets.spec import Column, Csv, ModelSpec


@dataclass(frozen=True)
class Review:
    """The differences, the schema as it was inferred, and what only a person can answer about new columns."""

    changes: list[Change]
    found: dict[str, Column]
    questions: list[Question]
    rows: int


def review(parts: Mapping[str, pl.DataFrame], spec: ModelSpec) -> Review:
    """Compare the raw rows of batches, by name, with the committed schema.

    Cells that the file gives as text are read by the spec's dialect; other columns have the file's own types.
    """
    batches = Batches.of(parts)
    notes = Notes()
    found = _inferred(batches, spec)
    found |= _new_columns({name: found[name] for name in found if name not in spec.columns}, batches, spec, notes)
    return Review(differences(batches, spec, found), found, notes.questions, batches.rows.height)


def _inferred(batches: Batches, spec: ModelSpec) -> dict[str, Column]:
    """Type and format of each column, over the rows of the batches that have it."""
    found: dict[str, Column] = {}
    for name in batches.columns:
        cells = batches.having(name)[name]
        if cells.dtype == pl.String:
            dialect = spec.source.dialect if spec.source.format == "csv" else Csv()
            found |= types_of_text(cells.to_frame(), dialect, Notes()).columns
        else:
            found[name] = Column(type=logical_type(cells.dtype) or "string")
    return found


def _new_columns(new: dict[str, Column], batches: Batches, spec: ModelSpec, notes: Notes) -> dict[str, Column]:
    """New columns with the roles that a first draft would give them; a key or a time there is already stays the one."""
    if not new:
        return {}
    values = {
        name: cast(batches.rows[name], column, spec.source.dialect.decimal).values for name, column in new.items()
    }
    rows = pl.DataFrame(list(values.values()))
    label = spec.target.column or TARGET
    drafted = with_roles(new, rows, label, notes)
    drafted, _ = with_time(drafted, rows, label, Notes())
    if spec.with_role("time"):
        drafted = {
            name: column.model_copy(update=ignored("a date; derive a part of it")) if column.role == "time" else column
            for name, column in drafted.items()
        }
    if spec.with_role("key"):
        drafted = {
            name: column.model_copy(update=ignored("identifier: every value is unique"))
            if column.role == "key"
            else column
            for name, column in drafted.items()
        }
    labels = _labels(batches, spec)
    if labels is not None:
        target = spec.target.model_copy(update={"column": TARGET, "expression": None})
        drafted = with_leaks(drafted, rows.with_columns(labels), target, notes)
    return drafted


def _labels(batches: Batches, spec: ModelSpec) -> pl.Series | None:
    """Labels of the rows, as far as the columns that make them are there and can be read."""
    sql = spec.target.expression or ""
    needed = [spec.target.column] if spec.target.column else [word.text for word in words(sql) if word.kind == "name"]
    if any(name not in batches.columns for name in needed):
        return None
    alone = spec.model_copy(update={"columns": {name: spec.columns[name] for name in needed}})
    try:
        return targets(typed(batches.rows.select(*alone.columns, "_batch", "_row"), alone).rows, alone)
    except InputError:
        return None  # a column's type is another one: that is a difference already
