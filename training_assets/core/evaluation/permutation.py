"""Permutation importance: how much worse the leading metric is where one feature's values are shuffled among test rows.

Unlike the shares that families give, which are of training rows and mean another thing in each, it is the same question
to every model, asked of rows that the model never saw (Breiman, 2001). Features that say the same stand in for one
another, so that each of them alone may look as if it did not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.spec.target import Task

ROWS = 1_000
"""Test rows that are asked, at most."""
REPEATS = 3
MOST = 20
"""Features that are asked: those on which the model says that it leans most."""

Predict = Callable[[pl.DataFrame], NDArray[Any]]


def permutation_importance(
    task: Task,
    rows: pl.DataFrame,
    y: NDArray[Any],
    predict: Predict,
    leans_on: Mapping[str, float],
    *,
    classes: list[str],
    threshold: float | None,
    seed: int,
    aims: Aims = NONE,
) -> dict[str, Any] | None:
    """What each of 20 features is worth, the dearest first, as JSON; None where the metric has no value.

    `leans_on` is the model's own word for each feature, by which they are chosen. `rows` are raw test rows and `y` (n,)
    their labels. `loss` is the mean over 3 shuffles of how much worse the metric gets, in its own unit, and `spread`
    their standard deviation.
    """
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(rows.height)[:ROWS])
    sample, labels = rows[kept], y[kept]
    metric = next(iter(metrics.names(task, aims)))

    def value(predictions: NDArray[Any]) -> float | None:
        measure, _ = metrics.prepared(task, labels, predictions, classes=classes, threshold=threshold, aims=aims)
        found = None if measure is None else float(measure.measure(np.ones(len(labels)))[metric])
        return found if found is not None and np.isfinite(found) else None

    whole = value(predict(sample))
    if whole is None:
        return None
    sign = 1 if metrics.DIRECTION[metric] == "higher" else -1
    found = []
    for feature in sorted(leans_on, key=lambda name: -leans_on[name])[:MOST]:
        orders = np.concatenate([rng.permutation(len(labels)) for _ in range(REPEATS)])
        shuffled = pl.concat([sample] * REPEATS).with_columns(sample[feature][orders])
        values = [value(each) for each in np.split(predict(shuffled), REPEATS)]
        losses = [sign * (whole - each) for each in values if each is not None]
        if losses:
            found.append({"feature": feature, "loss": float(np.mean(losses)), "spread": float(np.std(losses))})
    found.sort(key=lambda each: (-float(str(each["loss"])), str(each["feature"])))
    return {
        "metric": metric,
        "rows": len(labels),
        "repeats": REPEATS,
        "features": found,
        "left_out": len(leans_on) - len(found),
    }
