"""How sure a metric is: a percentile bootstrap, stratified by class, clustered by group, and seeded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.ranking import FloatArray
from training_assets.core.evaluation.scorers import IntArray, Scorer
from training_assets.spec.target import Task

# A class with fewer units keeps no fixed size in the replicates: with one positive row, a stratified bootstrap would
# draw it every time and call the metric certain.
MIN_STRATUM = 10
MIN_UNITS = 10
"""Rows, or groups where whole groups are drawn, that bounds need.

One unit is drawn the same each time, so that every metric looks certain. Of two equal models, one was called better
in 33 % of simulated tests on 2 groups and in 18 % on 3, where 5 % were promised.
"""
TOO_FEW_OF_A_CLASS = "too few rows of a class, or too few groups of it, for an interval"
"""Why a metric with a value has no bounds although there are units enough."""


@dataclass(frozen=True)
class Interval:
    """A metric on all rows, its two one-sided bounds, and its standard error; NaN where undefined."""

    point: float
    low: float
    high: float
    standard_error: float


def intervals(
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    *,
    classes: list[str],
    threshold: float | None,
    replicates: int,
    confidence: float,
    seed: int,
    groups: NDArray[Any] | None = None,
    aims: Aims = NONE,
) -> dict[str, Interval]:
    """Measure every metric of the task with an interval; arguments as in `metrics.compute`.

    `low` and `high` each hold with `confidence` on their own side (Efron's percentile method, rounded outwards to a
    replicate, and expanded for few units). With `groups` (`n_rows` of any type), whole groups are drawn instead of
    rows. A replicate that leaves a metric undefined counts as the worst on both sides; where that reaches a bound, the
    bound is NaN, and so are all where there are `too_few` rows or groups. The same arguments and row order always give
    the same numbers. ValueError if shapes do not fit.
    """
    measure, _ = metrics.prepared(task, y, predictions, classes=classes, threshold=threshold, aims=aims)
    if measure is None:
        return dict.fromkeys(metrics.names(task, aims), Interval(math.nan, math.nan, math.nan, math.nan))
    seen = resampled(task, y, [measure], replicates=replicates, seed=seed, groups=groups)
    return {name: seen.interval(0, name, confidence) for name in metrics.names(task, aims)}


@dataclass(frozen=True)
class Resampled:
    """What scorers measure on all rows, and on the replicates of these, the same for each scorer."""

    points: list[dict[str, float]]
    drawn: list[dict[str, FloatArray]] | None  # each metric of each scorer by replicate
    few: str | None  # why nothing could be drawn
    units: int

    def interval(self, place: int, name: str, confidence: float) -> Interval:
        """A metric of the scorer at that place."""
        return self._interval(self.points[place][name], lambda drawn: drawn[place][name], confidence)

    def gain(self, name: str, before: int, after: int, confidence: float) -> Interval:
        """How much better one scorer's metric is than another's: above 0, `after` is the better one; never -0."""
        sign = 1.0 if metrics.DIRECTION[name] == "higher" else -1.0
        point = sign * (self.points[after][name] - self.points[before][name]) + 0.0
        return self._interval(point, lambda drawn: sign * (drawn[after][name] - drawn[before][name]) + 0.0, confidence)

    def _interval(
        self, point: float, values: Callable[[list[dict[str, FloatArray]]], FloatArray], confidence: float
    ) -> Interval:
        if self.drawn is None:
            return Interval(point, math.nan, math.nan, math.nan)
        return interval_of(point, values(self.drawn), expanded(confidence, self.units))


def resampled(
    task: Task,
    y: NDArray[Any],
    measures: Sequence[Scorer],
    *,
    replicates: int,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> Resampled:
    """Measure all rows and their replicates by scorers that were prepared for these rows; see `intervals`."""
    points = [measure.measure(np.ones(len(y))) for measure in measures]
    few, units = too_few(len(y), groups), units_of(len(y), groups)
    if few is not None:
        return Resampled(points, None, few, units)
    weights = draws(strata_of(task, y), replicates=replicates, seed=seed, groups=groups)
    return Resampled(points, samples(measures, weights), None, units)


def too_few(rows: int, groups: NDArray[Any] | None) -> str | None:
    """Why so many rows, or their groups (n_rows,), give no bounds; None if there are `MIN_UNITS` or more.

    ValueError if the groups are not those of the rows.
    """
    units = units_of(rows, groups)
    if units >= MIN_UNITS:
        return None
    named = "rows" if groups is None else "groups"
    return f"too few {named} for an interval: {units}, and {MIN_UNITS} are needed"


def units_of(rows: int, groups: NDArray[Any] | None) -> int:
    """How many units are drawn: rows, or groups. ValueError if the groups are not those of the rows."""
    codes = _codes(groups, rows)
    return rows if codes is None else int(codes.max(initial=-1)) + 1


def expanded(confidence: float, units: int) -> float:
    """The confidence to ask of replicates of so many units, at least 2, that bounds hold with `confidence`.

    Replicates of few units scatter too little, and their tails are too short: Hesterberg, "What Teachers Should Know
    About the Bootstrap", 2015, expands the percentiles by Student's t and n / (n - 1). Of two equal models, one is
    called better in 5.1 % of 1,000 simulated tests on 10 groups (7.5 % without it) and in 4.8 % on 12 (6.6 %), where
    5 % are meant.
    """
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(units / (units - 1)) * stdtrit(units - 1, confidence)))


def strata_of(task: Task, y: NDArray[Any]) -> IntArray:
    """The stratum of each row: its class, or one for all rows of a regression."""
    return np.zeros(len(y), dtype=np.int64) if task == "regression" else y.astype(np.int64)


def draws(strata: IntArray, *, replicates: int, seed: int, groups: NDArray[Any] | None = None) -> Iterator[FloatArray]:
    """How often each of `n_rows` rows is drawn, once per replicate: whole numbers, as floats.

    The weights depend on the strata, the groups and the seed alone, so that two models measured on the same rows see
    the same replicates. A group belongs to the stratum of most of its rows.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    codes = _codes(groups, strata.size)
    members = _members(strata if codes is None else _majority(strata, codes))
    n_units = sum(each.size for each in members)
    for _ in range(replicates):
        counts = np.zeros(n_units)
        for each in members:
            counts[each] = np.bincount(rng.integers(each.size, size=each.size), minlength=each.size)
        yield counts if codes is None else counts[codes]


def samples(measures: Sequence[Scorer], weights: Iterable[FloatArray]) -> list[dict[str, FloatArray]]:
    """Each metric of each scorer over all replicates, in the order of the weights; all scorers see the same ones."""
    rows = [[measure.measure(each) for measure in measures] for each in weights]
    return [
        {name: np.array([row[place][name] for row in rows]) for name in rows[0][place]}
        for place in range(len(measures))
    ]


def interval_of(point: float, values: FloatArray, confidence: float) -> Interval:
    """One-sided bounds of a number by its `replicates` values; NaN among them count as the worst on both sides."""
    missing = np.isnan(values)
    last = values.size - 1
    low = float(np.sort(np.where(missing, -np.inf, values))[math.floor(last * (1 - confidence))])
    high = float(np.sort(np.where(missing, np.inf, values))[math.ceil(last * confidence)])
    if not (math.isfinite(point) and math.isfinite(low) and math.isfinite(high)):
        return Interval(point, math.nan, math.nan, math.nan)
    return Interval(point, low, high, float(np.std(values[~missing], ddof=1)))


def _members(strata: IntArray) -> list[IntArray]:
    """Positions of the units of each stratum; strata under `MIN_STRATUM` join the largest one."""
    _, codes, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    small = sizes < MIN_STRATUM
    pooled = np.where(small[codes], int(sizes.argmax()), codes)
    order = np.argsort(pooled, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(pooled[order])) + 1)


def _majority(strata: IntArray, groups: IntArray) -> IntArray:
    """Name the stratum of most rows of each group; the lower one in a tie."""
    width = int(strata.max()) + 1
    counts = np.bincount(groups * width + strata, minlength=(int(groups.max()) + 1) * width)
    largest: IntArray = counts.reshape(-1, width).argmax(axis=1).astype(np.int64)
    return largest


def _codes(groups: NDArray[Any] | None, rows: int) -> IntArray | None:
    """Code the groups from 0; rows without a group are one group: that widens intervals rather than narrows them."""
    if groups is None:
        return None
    if groups.shape != (rows,):
        message = f"groups must name one group for each of {rows} rows, not {groups.size}"
        raise ValueError(message)
    if groups.dtype == object:
        seen: dict[Any, int] = {}
        return np.array([seen.setdefault(each, len(seen)) for each in groups.tolist()], dtype=np.int64)
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)
