"""Which trials are not worth their end: those that are worse than half of the earlier ones were by then."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from training_assets.core.search.study import Trial

# A rung is reached once the sum of learning rates is: curves of different learning rates are alike in that unit, while
# after equal iterations a slow one that ends better looks worse.
RUNGS = tuple(2.0 * 2**step for step in range(7))
FAMILIAR = 4
"""Trials of a family before one is judged by them."""


def learning_rate(params: Mapping[str, Any]) -> float | None:
    """The learning rate among a trial's parameters; None where there is none, or (own estimators) a word for one."""
    rate = params.get("learning_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate) or rate <= 0:
        return None
    return float(rate)


def progress(params: Mapping[str, Any], iterations: int) -> float:
    """How far a fit is: iterations times learning rate, or as many where there is none."""
    return iterations * (learning_rate(params) or 1.0)


def limits(family: str, earlier: Sequence[Trial]) -> list[float]:
    """Largest loss that a trial of the family may have had, at best, by each rung; infinite where too few got there.

    The rule is that of the median pruner (Golovin et al., Google Vizier, 2017) on the best loss so far.
    """
    own = [trial for trial in earlier if trial.family == family and trial.curve]
    found = []
    for rung in RUNGS:
        by_then = [loss for trial in own if (loss := best_by(trial, rung)) is not None]
        found.append(median(by_then) if len(by_then) >= FAMILIAR else math.inf)
    return found


def best_by(trial: Trial, rung: float) -> float | None:
    """Lowest loss of the trial up to the rung; None where it ended before: what it would have had is not known."""
    at = [progress(trial.params, iteration) for iteration, _ in trial.curve]
    if at[-1] < rung:
        # One that stopped by itself has had its best; a pruned one might have become better.
        return min(loss for _, loss in trial.curve) if trial.state == "complete" else None
    return min(loss for _, loss in trial.curve[: bisect_left(at, rung) + 1])
