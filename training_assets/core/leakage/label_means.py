"""Features made from the label: values that are the mean label of the very rows that carry them."""

from __future__ import annotations

import math

import polars as pl

from training_assets.core.leakage.evidence import Evidence, Leak, shown

# Half-way between the 0.3 of a leak in training rows and the 1 of the best honest estimate.
CLOSE = 0.65
# Standard deviations below what an honest value can reach: less than one column in a million by chance.
SIGMAS = 5
MOST_CLASSES = 5
UNKNOWN = (1.0, 0, 0.0)
REMEDY = (
    "make it from rows that are older than each row, or leave it out: target encoding of categories is done for you, "
    "from training rows alone"
)


def label_means(evidence: Evidence) -> list[Leak]:
    """A leak for each quantity that lies closer to the mean label of its rows than any honest estimate could.

    Rows with the same value v form a group of n rows whose labels have mean m and variance s². A value that was made
    without these labels misses their mean by at least its sampling error, so sum n (v - m)² over groups is at least
    sum s² on average. A mean of all rows' labels, looked at in the training rows alone, has 30 % of that; in all rows,
    nothing.
    """
    found = []
    for name in evidence.numeric:
        ratio, values, sigmas = min((_closeness(evidence.rows[name], y) for y in _numbers(evidence)), default=UNKNOWN)
        if ratio < CLOSE and sigmas > SIGMAS:
            text = (
                f"'{shown(name)}' is made from the label: its {values:,} repeated values miss the mean label of their "
                f"rows by {ratio:.2f} of what chance alone would have them miss it by"
            )
            found.append(Leak("made from the label", (name,), text, 1 - ratio, strong=True, remedy=REMEDY))
    return found


def _numbers(evidence: Evidence) -> list[pl.Series]:
    """The label as numbers: itself, or whether it is a class, for the commonest ones."""
    if evidence.task == "regression":
        return [evidence.y.cast(pl.Float64)]
    classes = evidence.y.value_counts(sort=True, name="_rows")[evidence.label].head(MOST_CLASSES)
    return [(evidence.y == each).cast(pl.Float64) for each in classes]


def _closeness(values: pl.Series, y: pl.Series) -> tuple[float, int, float]:
    """How far values are from the means of their rows, in what chance gives; how many repeat; how sure that is.

    The sum over groups is chi-square, with as many degrees as groups that count (their variances' participation
    ratio); Wilson and Hilferty (1931) turn it into standard deviations.
    """
    pair = pl.DataFrame({"x": values.cast(pl.Float64), "y": y}).drop_nulls()
    groups = pair.group_by("x").agg(pl.len().alias("n"), pl.col("y").mean().alias("m"), pl.col("y").var().alias("s2"))
    # Groups whose labels are all the same stay in: without them, those left would be near their mean by selection.
    groups = groups.filter(pl.col("n") > 1)
    missed, expected, squares = groups.select(
        missed=(pl.col("n") * (pl.col("x") - pl.col("m")) ** 2).sum(),
        expected=pl.col("s2").sum(),
        squares=(pl.col("s2") ** 2).sum(),
    ).row(0)
    if not expected or not squares or not math.isfinite(missed):
        return UNKNOWN
    ratio, counted = missed / expected, expected**2 / squares
    spread = 2 / (9 * counted)
    return ratio, groups.height, (1 - spread - ratio ** (1 / 3)) / math.sqrt(spread)
