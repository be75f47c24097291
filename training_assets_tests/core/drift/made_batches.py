"""Statistics of rows that were drawn for a test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from training_assets.core import statistics
from training_assets.core.statistics import BatchStatistics, StatisticsKind

KINDS: Mapping[str, StatisticsKind] = {"x": "numeric", "n": "numeric", "s": "categorical"}


def drawn(n: int, seed: int, shift: float = 0.0, favour: float = 0.5, nulls: float = 0.0) -> BatchStatistics:
    """A quantity that may shift, a count that never does, and a category; the quantity may lack values."""
    draw = np.random.default_rng(seed)
    x = pl.Series(draw.normal(shift, size=n)).set(pl.Series(draw.random(n) < nulls), None)
    rows = {"x": x, "n": draw.poisson(2, n), "s": np.where(draw.random(n) < favour, "a", "b")}
    return statistics.of(pl.DataFrame(rows), KINDS)


def of_values(values: list[float | None] | list[str | None], kind: StatisticsKind = "numeric") -> BatchStatistics:
    """One column, `x`."""
    return statistics.of(pl.DataFrame({"x": values}, strict=False), {"x": kind})
