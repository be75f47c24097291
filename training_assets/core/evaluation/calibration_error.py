"""Whether probabilities are frequencies: the expected calibration error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.ranking import BoolArray, FloatArray
from training_assets.spec.target import Task

MOST_BINS = 15
ROWS_A_BIN = 100
"""Rows that a bin needs at least: a frequency of fewer is off by more than 0.04 on average, through chance alone."""


def calibration_error(task: Task, y: NDArray[Any], predictions: NDArray[Any]) -> dict[str, Any] | None:
    """Mean distance between probability and frequency over bins of equally many rows, as JSON; None for a regression.

    Of the positive class (binary), or of the class that is named (many classes): rows of equal probability share a
    bin, so the order of rows does not matter. `by_chance` is about what perfect probabilities would show on as many
    rows and bins. After Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", 2015, with bins of equally many rows (Nguyen and O'Connor, 2015). ValueError where shapes do not fit.
    """
    if task == "regression":
        return None
    rows = len(y)
    bins = min(MOST_BINS, rows // ROWS_A_BIN)
    described: dict[str, Any] = {"value": None, "by_chance": None, "bins": bins, "rows": rows}
    cause = metrics.why_undefined(task, y, predictions)
    if cause is not None or not bins:
        return {**described, "reason": cause or f"{rows:,} rows are too few, {ROWS_A_BIN:,} are needed"}
    scores = predictions.astype(np.float64)
    if scores.ndim == 1:
        sure, hit = scores, y == 1
    else:
        sure, hit = scores.max(axis=1), scores.argmax(axis=1) == y
    value, by_chance = _distances(sure, hit, _bins(sure, bins))
    return {**described, "value": value, "by_chance": by_chance}


def _bins(sure: FloatArray, bins: int) -> NDArray[np.int64]:
    """The bin of each row by the middle rank of all rows that are as sure as it is."""
    _, codes, sizes = np.unique(sure, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2
    return np.minimum(middle * bins // sure.size, bins - 1).astype(np.int64)[codes]


def _distances(sure: FloatArray, hit: BoolArray, bins: NDArray[np.int64]) -> tuple[float, float]:
    """Mean distance over the rows' bins, and the mean that binomial noise around true probabilities has."""
    off = np.bincount(bins, weights=sure - hit)
    variance = np.bincount(bins, weights=sure * (1 - sure))
    # a normal deviation is sqrt(2 / pi) standard deviations on average
    noise = math.sqrt(2 / math.pi) * np.sqrt(np.maximum(variance, 0))
    return float(np.abs(off).sum()) / sure.size, float(noise.sum()) / sure.size
