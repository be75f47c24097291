"""The feature table: one row a validated row, with its label and everything that a model may read of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.declared import (
    check_expressions,
    compile_derived,
    feature_names,
    is_step,
    needed_before,
    no_feature,
)
from training_assets.core.features.joins import joined
from training_assets.core.features.logical import Kind, as_feature
from training_assets.core.validation.label import class_text, ordered_classes, targets
from training_assets.spec import ModelSpec

FeatureKinds = dict[str, Kind]
POSITION = ("_batch", "_row", "_key")
DEALT_BY = ("time", "group", "split")


@dataclass(frozen=True)
class FeatureTable:
    """Rows with `_batch`, `_row`, `_key`, `_target`, the columns that splits go by, and the features in `kinds`.

    Where a column has `role: weight`, its numbers are in `_weight` (Float64, above 0).
    """

    rows: pl.DataFrame
    kinds: FeatureKinds
    classes: list[str]


def feature_table(validated: pl.DataFrame, spec: ModelSpec, root: Path) -> FeatureTable:
    """Validated rows (n_rows) with joined and derived features, in the same order.

    Features are columns in the order raw, joined, derived: quantities as Int64 or Float64, categories as String, dates
    as Date or Datetime, all nullable. Their kinds are sorted by name, as they are kept: a preprocessor reads them in
    that order, and reproduction must not find another. Joins and derived columns see raw columns and what was added
    before them. An added date that other columns are made from is that alone, and no feature. Raises InputError: those
    of joins and expressions; `E_FEATURE_TYPE` for a feature of a type that no model reads; `E_LABEL`, `E_LABEL_CONST`
    for labels that cannot be trained on.
    """
    labels = targets(validated, spec)
    if labels.null_count():
        message = f"{labels.null_count()} validated rows have no label; sort the batches anew with the present spec"
        raise InputError("E_LABEL", message)
    wide = widened(validated, spec, root)
    found = list(typed_features(wide, spec))
    features = [values for values, _ in found]
    kinds = {values.name: kind for values, kind in sorted(found, key=lambda each: each[0].name)}
    dealt_by = [name for role in DEALT_BY for name in spec.with_role(role)]
    weights = [validated[name].cast(pl.Float64).alias("_weight") for name in spec.with_role("weight")]
    rows = labelled(validated, spec).with_columns(*weights)
    rows = rows.with_columns(validated.select(dealt_by)).with_columns(features)
    return FeatureTable(rows, kinds, ordered_classes(labels, spec.target))


def labelled(validated: pl.DataFrame, spec: ModelSpec) -> pl.DataFrame:
    """Position and key of validated rows (n_rows), with their labels as `_target`: what rows are dealt by."""
    return validated.select(*POSITION).with_columns(targets(validated, spec))


def widened(validated: pl.DataFrame, spec: ModelSpec, root: Path) -> pl.DataFrame:
    """Validated rows with every joined and derived column in its own type."""
    rows = validated
    made: set[str] = set()
    for join in spec.features.joins:
        for name in needed_before(join, spec, rows.columns):
            rows = _derived(rows, name, spec)
            made.add(name)
        rows = joined(rows, join, root)
    for name in spec.features.derived:
        if name not in made:
            rows = _derived(rows, name, spec)
    return rows


def as_features(wide: pl.DataFrame, spec: ModelSpec) -> dict[str, pl.Series]:
    """The features of rows that `widened` gave, by name."""
    return {values.name: values for values, _ in typed_features(wide, spec)}


def typed_features(wide: pl.DataFrame, spec: ModelSpec) -> Iterator[tuple[pl.Series, Kind]]:
    """Each feature with its kind, in the spec's order."""
    for name in feature_names(spec):
        made = _feature(wide[name], spec)
        if made is not None:
            yield made


def _derived(rows: pl.DataFrame, name: str, spec: ModelSpec) -> pl.DataFrame:
    known = {column: dtype for column, dtype in rows.schema.items() if not column.startswith("_")}
    return rows.with_columns(compile_derived(name, spec, known).values(rows).alias(name))


def _feature(values: pl.Series, spec: ModelSpec) -> tuple[pl.Series, Kind] | None:
    """A column as a feature; None for an added date (or clock time) that other columns are made from."""
    column = spec.columns.get(values.name)
    if column is not None and column.is_categorical:
        return class_text(values), "categorical"
    if column is not None and column.type == "boolean":
        return values.cast(pl.Int64), "numeric"
    if column is None and is_step(values.name, values.dtype, spec):
        return None
    made = as_feature(values)
    if made is None:
        raise no_feature(values.name, str(values.dtype))
    return made


__all__ = ["FeatureKinds", "FeatureTable", "as_features", "check_expressions", "feature_table", "widened"]
