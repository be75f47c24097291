"""Splits by time, or by the user's word in a time order, whose rows are not in that order."""

from __future__ import annotations

import polars as pl

from training_assets.core.leakage.evidence import Leak, shown
from training_assets.spec import ModelSpec

# Chance that a row of a later split is later than a row of an earlier one: near one half where time played no part.
MEANT = 0.75
ORDER = (("train", "validation"), ("train", "test"), ("validation", "test"))


def promised(spec: ModelSpec) -> str | None:
    """The time column whose order the splits are to keep, if any."""
    return spec.one_with_role("time") if spec.split.method in {"time", "time+group", "column"} else None


def disorder(rows: pl.DataFrame, spec: ModelSpec) -> list[Leak]:
    """A leak where rows of an earlier split are later than the first row of a later one; `rows` has `_split`.

    A split by the user's column that mixes times evenly was not meant to be one by time: that is not strong.
    """
    time = promised(spec)
    if time is None:
        return []
    worst: Leak | None = None
    for one, other in ORDER:
        pair = (
            rows.select(time=pl.col(time), which=pl.col("_split"))
            .drop_nulls()
            .filter(pl.col("which").is_in([one, other]))
        )
        earlier, later = (pair.filter(pl.col("which") == name)["time"] for name in (one, other))
        if not earlier.len() or not later.len():
            continue
        after = int((earlier > later.min()).sum())
        if not after:
            continue
        order = _share_in_order(pair, other)
        strong = spec.split.method != "column" or order >= MEANT or order <= 1 - MEANT
        text = (
            f"{after:,} of {earlier.len():,} {one} rows are later than the first {other} row by '{shown(time)}': the "
            f"model is {'tested on its past' if other == 'test' else 'tuned on its past'}"
        )
        remedy = "mend the column that names the splits, or set `split.method: time` with its cuts"
        leak = Leak("time disorder", (time,), text, after / earlier.len(), strong=strong, remedy=remedy)
        if worst is None or (leak.strong, leak.strength) > (worst.strong, worst.strength):
            worst = leak
    return [] if worst is None else [worst]


def _share_in_order(pair: pl.DataFrame, later: str) -> float:
    """Probability that a row of the later split is the later one (Mann-Whitney)."""
    ranked = pair.with_columns(pl.col("time").rank().alias("rank"))
    ranks = ranked.filter(pl.col("which") == later)["rank"].to_numpy()
    n, m = len(ranks), pair.height - len(ranks)
    return (float(ranks.sum()) - n * (n + 1) / 2) / (n * m)
