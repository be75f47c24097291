"""Dates and times of any type that rows come with, as naive times in UTC."""

from __future__ import annotations

from datetime import date

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.validation.casting import FIRST_YEAR, ISO_DATE, ISO_ZONE, LAST_YEAR, cast
from training_assets.spec.columns import Column, ColumnType

EPOCH = date(1970, 1, 1)
# Days since 1970; a time beyond the years that rows can have at all is a mistake, and has no value.
SPAN = ((date(FIRST_YEAR, 1, 1) - EPOCH).days, (date(LAST_YEAR, 12, 31) - EPOCH).days)
PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def moments(values: pl.Series) -> pl.Series:
    """Dates, times (with a zone or in UTC) or ISO texts as Datetime in microseconds, null where there is no sound one.

    Raises `InputError` E_TYPE for a text that is no ISO date or time.
    """
    if values.dtype not in (pl.Date, pl.Datetime):
        return _read(values.cast(pl.String))
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    unit = PER_DAY[values.dtype.time_unit] if isinstance(values.dtype, pl.Datetime) else 1
    low, high = (days * unit for days in SPAN)
    return values.set(~values.to_physical().is_between(low, high), None).cast(pl.Datetime("us"))


def _read(texts: pl.Series) -> pl.Series:
    """Each text by itself: where some name their offset, those that do not are in UTC."""
    days, zoned = texts.str.contains(ISO_DATE), texts.str.contains(ISO_ZONE)
    found = pl.Series(texts.name, [None] * len(texts), dtype=pl.Datetime("us"))
    wrong = pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    parts: tuple[tuple[pl.Series, ColumnType], ...] = (
        (days, "date"),
        (~days & zoned, "datetime"),
        (~days & ~zoned, "datetime"),
    )
    for part, kind in parts:
        read = cast(texts.set(~part, None), Column(type=kind))
        found = found.fill_null(read.values.cast(pl.Datetime("us")))
        for _, mask in read.failures:
            wrong |= mask
    years = texts.str.slice(0, 4).cast(pl.Int64, strict=False)
    wrong &= years.is_between(FIRST_YEAR, LAST_YEAR).fill_null(value=True)
    if wrong.any():
        message = (
            f"'{texts.name[:80]}' has {wrong.sum()} texts that are no date (first: {texts.filter(wrong)[0][:40]!r}); "
            "give dates, times, or ISO text such as 2026-01-31 or 2026-01-31T12:30:00Z"
        )
        raise InputError(code="E_TYPE", message=message)
    return found
