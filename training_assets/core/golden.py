"""Golden rows: what every place that serves a model must score as training did, awkward rows among them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

REAL = 64
"""Rows drawn from the split, before the awkward ones."""
UNSEEN = "a level that no row has: ⟨∅⟩"
FAR = 10
"""How many times as large as the largest value an extreme one is."""
EXACT = 2**53
"""Whole numbers up to here are the same as doubles, which is what whoever asks a served model sends."""
EARLIEST, LATEST = datetime(1700, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - dates of rows have no zone


def golden_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """At most 64 of the rows, drawn by a fixed seed, then one with nothing in it, two of extremes, one of zeros.

    The rows of extremes have levels that no row has, and values ten times as large as any that was seen.
    """
    drawn = rows.sample(fraction=1, shuffle=True, seed=0).head(REAL)
    awkward = [
        dict.fromkeys(rows.columns),
        {name: _extreme(rows[name], 1) for name in rows.columns},
        {name: _extreme(rows[name], -1) for name in rows.columns},
        {name: _nothing(rows[name]) for name in rows.columns},
    ]
    return pl.concat([drawn, pl.DataFrame(awkward, schema=rows.schema)])


def _extreme(values: pl.Series, sign: int) -> Any:
    if values.dtype == pl.String:
        return UNSEEN
    if values.dtype.is_temporal():
        moment = LATEST if sign > 0 else EARLIEST
        return moment.date() if values.dtype == pl.Date else moment
    if values.dtype == pl.Boolean:
        return sign > 0
    finite = values.cast(pl.Float64).drop_nulls().drop_nans().abs()
    largest = float(finite.max() or 0.0)  # type: ignore[arg-type]  # a number: the column is of numbers
    far = sign * FAR * (1 + largest)
    return far if values.dtype.is_float() else int(max(min(far, EXACT), -EXACT))


def _nothing(values: pl.Series) -> Any:
    if values.dtype == pl.String:
        return ""
    if values.dtype.is_temporal():
        return None
    return False if values.dtype == pl.Boolean else 0
