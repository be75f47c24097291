"""The formulas of the search's metrics: scikit-learn's, and fast enough to be taken thousands of times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Decided = Callable[[Labels, Labels], float]

SMALLEST = float(np.finfo(np.float64).eps)  # scikit-learn clips probabilities here, so a log loss stays finite


def roc_auc(y: Labels, probability: Floats) -> float:
    """Share of pairs of a positive and a negative row in the right order, ties half; `ValueError` for none."""
    positive = y == 1
    above, others = np.sort(probability[positive]), np.sort(probability[~positive])
    _require("roc_auc", "positive", above.size)
    _require("roc_auc", "negative", others.size)
    beaten = np.searchsorted(others, above, "left").sum() + np.searchsorted(others, above, "right").sum()
    return float(beaten) / (2.0 * above.size * others.size)


def roc_auc_ovr(y: Labels, probability: Floats) -> float:
    """Mean over the classes of each one's area against all the others; `ValueError` where a class has no row."""
    absent = probability.shape[1] - len(np.unique(y))
    if absent:
        message = (
            f"roc_auc_ovr is not defined: {absent} of {probability.shape[1]} classes have no row among these {len(y)}; "
            "split so that each has some, or choose another metric, as log_loss"
        )
        raise ValueError(message)
    return float(np.mean([roc_auc(y == code, probability[:, code]) for code in range(probability.shape[1])]))


def average_precision(y: Labels, probability: Floats) -> float:
    """Mean of the precision at each positive row, equal probabilities being one step; `ValueError` for none."""
    _require("average_precision", "positive", int(np.sum(y == 1)))
    order = np.argsort(-probability)
    ordered = probability[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    hits = np.cumsum(y[order] == 1)[ends]
    return float(np.sum(np.diff(hits, prepend=0) * (hits / (ends + 1))) / hits[-1])


def log_loss(y: Labels, probability: Floats) -> float:
    """Mean of -log of what the row's own class was given."""
    given = (
        np.where(y == 1, probability, 1 - probability) if probability.ndim == 1 else probability[np.arange(len(y)), y]
    )
    return float(-np.mean(np.log(np.clip(given, SMALLEST, 1.0))))


def brier_score(y: Labels, probability: Floats) -> float:
    """Mean squared distance of the probability from 0 or 1."""
    return mean_square(probability - y)


def f1(y: Labels, decided: Labels) -> float:
    """Harmonic mean of precision and recall; 0 where no row is positive and none is called so."""
    whole = np.sum(y == 1) + np.sum(decided == 1)
    return float(2 * np.sum((y == 1) & (decided == 1)) / whole) if whole else 0.0


def f1_macro(y: Labels, decided: Labels) -> float:
    """Mean of F1 over the classes that occur."""
    return float(np.mean([f1(y == code, decided == code) for code in np.union1d(y, decided)]))


def accuracy(y: Labels, decided: Labels) -> float:
    """Share of rows that are called what they are."""
    return float(np.mean(y == decided))


def balanced_accuracy(y: Labels, decided: Labels) -> float:
    """Mean over the classes that occur of the share of their rows that are called so."""
    return float(np.mean([np.mean(decided[y == code] == code) for code in np.unique(y)]))


def mcc(y: Labels, decided: Labels) -> float:
    """Matthews' correlation of classes and decisions (Gorodkin's, for several); 0 where either does not vary."""
    k = int(max(y.max(), decided.max())) + 1
    table = np.bincount(y.astype(np.int64) * k + decided, minlength=k * k).reshape(k, k).astype(np.float64)
    rows, true, called = table.sum(), table.sum(axis=1), table.sum(axis=0)
    spread = (rows**2 - np.sum(called**2)) * (rows**2 - np.sum(true**2))
    return float((np.trace(table) * rows - np.sum(true * called)) / np.sqrt(spread)) if spread > 0 else 0.0


def rmse(y: Labels, predicted: Floats) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(mean_square(predicted - y)))


def mae(y: Labels, predicted: Floats) -> float:
    """Mean of the absolute error."""
    return float(np.mean(np.abs(predicted - y)))


def r2(y: Labels, predicted: Floats) -> float:
    """Share of the labels' variance that the predictions explain; `ValueError` where they have none."""
    if np.all(y == y[0]):
        message = f"r2 is not defined: all {len(y)} labels are {y[0]:g}; add rows of others, or choose rmse"
        raise ValueError(message)
    return float(1 - mean_square(predicted - y) / mean_square(y - y.mean()))


def median_absolute_error(y: Labels, predicted: Floats) -> float:
    """Median of the absolute error."""
    return float(np.median(np.abs(predicted - y)))


def mape(y: Labels, predicted: Floats) -> float:
    """Mean of the absolute error as a share of the label; `ValueError` where a label is 0."""
    if not np.all(y):
        message = f"mape is not defined: {int(np.sum(y == 0))} labels are 0; choose another metric"
        raise ValueError(message)
    return float(np.mean(np.abs((predicted - y) / y)))


def rmsle(y: Labels, predicted: Floats) -> float:
    """Root of the mean squared difference of log(1 + y); `ValueError` where a label or prediction is not above -1."""
    low = int(np.sum(y <= -1)), int(np.sum(predicted <= -1))
    if any(low):
        message = (
            f"rmsle is not defined: {low[0]} labels and {low[1]} predictions are not above -1; with "
            "`training.target_transform: log`, all predictions are"
        )
        raise ValueError(message)
    return rmse(np.log1p(y), np.log1p(predicted))


def pinball_loss(quantile: float) -> Callable[[Labels, Floats], float]:
    """Mean of the error, weighted by the quantile where predictions are too low, by 1 - quantile where too high."""

    def compute(y: Labels, predicted: Floats) -> float:
        error = y - predicted
        return float(np.mean(np.maximum(quantile * error, (quantile - 1) * error)))

    return compute


def mean_square(error: Floats) -> float:
    """Mean of the squares; not by `@`: BLAS sums in an order that depends on its threads, and a score should not."""
    return float(np.mean(error * error))


def _require(metric: str, kind: str, rows: int) -> None:
    if not rows:
        message = f"{metric} is not defined: no row is {kind}; add such rows, or choose another metric, as log_loss"
        raise ValueError(message)
