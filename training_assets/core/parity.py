"""Whether a served model scores as it did in training."""

from __future__ import annotations

import math

import polars as pl


def largest_difference(seen: pl.DataFrame, served: pl.DataFrame) -> float:
    """Largest absolute difference between two score tables; infinite where shape, names or classes differ, or NaN."""
    if seen.columns != served.columns or seen.height != served.height:
        return math.inf
    worst = 0.0
    for name in seen.columns:
        if seen[name].dtype.is_float() and served[name].dtype.is_float():
            difference = (seen[name] - served[name]).abs()
            if difference.null_count() or difference.is_nan().any():
                return math.inf
            worst = max(worst, *difference.to_list(), 0.0)
        elif not seen[name].equals(served[name]):
            return math.inf
    return worst
