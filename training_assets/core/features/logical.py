"""Values of any type that a table or an expression may give, brought to the logical types of features."""

from __future__ import annotations

from typing import Literal

import polars as pl

from training_assets.spec.columns import Column

Kind = Literal["numeric", "categorical", "date"]


def kind_of(column: Column) -> Kind:
    """What a raw column is as a feature."""
    if column.type in {"date", "datetime"}:
        return "date"
    return "categorical" if column.is_categorical else "numeric"


def logical(values: pl.Series) -> pl.Series:
    """Values as Int64, Float64, String, Boolean, Date or naive UTC Datetime; other types stay as they are.

    Text is in NFC; a float that is NaN or infinite is null: a division by zero has no value.
    """
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return values.dt.cast_time_unit("us")
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.String):
        return values.cast(pl.String).str.normalize("NFC")
    if dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    if dtype.is_numeric():
        floats = values.cast(pl.Float64)
        return pl.select(pl.when(floats.is_finite()).then(floats)).to_series().alias(values.name)
    return values


def as_feature(values: pl.Series) -> tuple[pl.Series, Kind] | None:
    """Values as a feature with its kind, or None for types that no model reads (clock times, lists, nothing at all).

    Booleans are the categories "true" and "false"; a duration is its seconds; dates and times stay what they are.
    """
    if isinstance(values.dtype, pl.Duration):
        return (values.dt.total_microseconds() / 1e6).alias(values.name), "numeric"
    values = logical(values)
    if values.dtype.is_numeric():
        return values, "numeric"
    if values.dtype in (pl.String, pl.Boolean):
        return values.cast(pl.String), "categorical"
    if values.dtype in (pl.Date, pl.Datetime):
        return values, "date"
    return None
