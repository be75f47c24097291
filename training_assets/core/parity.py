"""Whether a served model scores as it did in training, however the rows come."""

from __future__ import annotations

import math

import polars as pl


def largest_difference(seen: pl.DataFrame, served: pl.DataFrame) -> float:
    """Largest difference between two score tables, as a share of the score where that is beyond 1.

    Infinite where shape, names or classes differ, or where a score is missing or NaN.
    """
    if seen.columns != served.columns or seen.height != served.height:
        return math.inf
    worst = 0.0
    for name in seen.columns:
        if seen[name].dtype.is_float() and served[name].dtype.is_float():
            size = pl.select(pl.max_horizontal(seen[name].abs(), pl.lit(1.0))).to_series()
            difference = ((seen[name] - served[name]).abs() / size).set(seen[name] == served[name], 0.0)
            if difference.null_count() or difference.is_nan().any():
                return math.inf
            worst = max(worst, *difference.to_list(), 0.0)
        elif not seen[name].equals(served[name]):
            return math.inf
    return worst
