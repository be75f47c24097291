"""Champion and challenger, scored now by one evaluator on the same test rows, which the champion never saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.bootstrap import TOO_FEW_OF_A_CLASS, Resampled, expanded, resampled
from training_assets.core.evaluation.scorers import IntArray, Scorer
from training_assets.spec.target import Task

POWER = 0.8
"""The usual chance that a test of this size should have of showing a real change."""
MOST_NAMED = 5
"""Classes that a reason names."""


@dataclass(frozen=True)
class Scored:
    """One model's predictions of the test rows, as in `metrics.compute`, and its operating point."""

    predictions: NDArray[Any]
    threshold: float | None


@dataclass(frozen=True)
class Setting:
    """How differences are measured: as in `bootstrap.intervals`, both models by what the challenger's spec asks."""

    replicates: int
    confidence: float
    seed: int
    min_unseen: int
    aims: Aims = NONE


def unseen(test: pl.DataFrame, seen: pl.DataFrame) -> NDArray[np.bool_]:
    """Which test rows, (n,), the champion never trained or was tuned on: neither key nor place is in `seen`.

    Both hold `_batch`, `_row` and `_key`. Where the spec declares no key, a row's key is made of its features, so that
    another list of features gives it another key; where it lies is the same whatever the spec says.
    """
    place = pl.struct("_batch", "_row")
    known = pl.col("_key").is_in(seen["_key"].implode()) | place.is_in(seen.select(place).to_series().implode())
    return test.select(~known).to_series().to_numpy()


def why_apart(champion: Sequence[str], challenger: Sequence[str]) -> str | None:
    """Why two models with these classes, in the order of their codes, cannot be compared; None if they can."""
    if list(champion) == list(challenger):
        return None
    said = [
        f"only the {who} knows {', '.join(repr(name) for name in own[:MOST_NAMED])}"
        + (f" and {len(own) - MOST_NAMED} more" if len(own) > MOST_NAMED else "")
        for who, own in (
            ("champion", [name for name in champion if name not in set(challenger)]),
            ("challenger", [name for name in challenger if name not in set(champion)]),
        )
        if own
    ]
    return f"champion and challenger tell other classes apart: {'; '.join(said) or 'their order differs'}"


def not_compared(reason: str) -> dict[str, Any]:
    """What `compare` gives where nothing can be compared."""
    return {"rows": 0, "pruned": 0, "reason": reason, "metrics": {}}


def compare(
    task: Task,
    y: NDArray[Any],
    champion: Scored,
    challenger: Scored,
    is_unseen: NDArray[np.bool_],
    *,
    classes: list[str],
    setting: Setting,
    groups: NDArray[Any] | None = None,
) -> dict[str, Any]:
    """Differences of every metric on the unseen rows, as JSON: above 0, the challenger is the better one.

    `y` (n,), `is_unseen` (n,) and `groups` (n,) are of all test rows. Both models see the same replicates, stratified
    by class and clustered by group; `low` and `high` each hold with `confidence` on their own side. `rows` were
    compared, `pruned` were not; with fewer than `min_unseen` there is a `reason` and no metric. `smallest_change` is
    the true difference that a test of this size shows with a chance of 0.8.
    """
    rows = int(is_unseen.sum())
    compared: dict[str, Any] = {"rows": rows, "pruned": len(y) - rows, "reason": None, "metrics": {}}
    if rows < setting.min_unseen:
        few = f"only {rows:,} of {len(y):,} test rows are new to the champion, and {setting.min_unseen:,} are needed"
        return {**compared, "reason": few}
    kept = np.flatnonzero(is_unseen)
    found = differences(task, y, champion, challenger, kept, classes=classes, setting=setting, groups=groups)
    return {**compared, "metrics": found}


def differences(
    task: Task,
    y: NDArray[Any],
    champion: Scored,
    challenger: Scored,
    kept: IntArray,
    *,
    classes: list[str],
    setting: Setting,
    groups: NDArray[Any] | None,
) -> dict[str, dict[str, Any]]:
    """The difference of each metric on the rows at the positions `kept`; `y`, `groups` and predictions are of all.

    On too few rows or groups the differences have no bounds, and say why.
    """
    labels = y[kept]
    measures: list[Scorer] = []
    for who, each in (("champion", champion), ("challenger", challenger)):
        measure, cause = metrics.prepared(
            task, labels, each.predictions[kept], classes=classes, threshold=each.threshold, aims=setting.aims
        )
        if measure is None:
            return {name: _entry(math.nan, math.nan, f"{who}: {cause}") for name in metrics.names(task, setting.aims)}
        measures.append(measure)
    own_groups = None if groups is None else groups[kept]
    seen = resampled(task, labels, measures, replicates=setting.replicates, seed=setting.seed, groups=own_groups)
    return {name: _difference(name, seen, setting.confidence) for name in metrics.names(task, setting.aims)}


def _difference(name: str, seen: Resampled, confidence: float) -> dict[str, Any]:
    """A difference, without bounds where they cannot be given; none at all where the metric is undefined."""
    before, after = (points[name] for points in seen.points)
    gain = seen.gain(name, 0, 1, confidence)
    if not math.isfinite(gain.point):
        return _entry(before, after, metrics.reason(name))
    if not math.isfinite(gain.low):
        return {**_entry(before, after, seen.few or TOO_FEW_OF_A_CLASS), "difference": gain.point}
    z = NormalDist().inv_cdf
    return {
        **_entry(before, after, None),
        "difference": gain.point,
        "low": gain.low,
        "high": gain.high,
        "standard_error": gain.standard_error,
        "smallest_change": (z(expanded(confidence, seen.units)) + z(expanded(POWER, seen.units))) * gain.standard_error,
    }


def _entry(before: float, after: float, reason: str | None) -> dict[str, Any]:
    """Both values without their difference, and why there is none."""
    values = {"champion": _number(before), "challenger": _number(after)}
    nothing = dict.fromkeys(("difference", "low", "high", "standard_error", "smallest_change"))
    return {**values, **nothing, **({} if reason is None else {"reason": reason})}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
