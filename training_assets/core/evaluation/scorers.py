"""One scorer a task: what no weight changes is computed once, so that a bootstrap replicate costs a few sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.ranking import FloatArray, OneAgainstRest, Ranking
from training_assets.spec.decision import Cost
from training_assets.spec.target import Task

IntArray = NDArray[np.int64]
EPSILON = float(np.finfo(np.float64).eps)  # scikit-learn clips probabilities here, so a log loss stays finite


class Scorer(Protocol):
    """Measures fixed rows and predictions under changing weights."""

    def measure(self, weights: FloatArray) -> dict[str, float]:
        """Every metric of the task; NaN where the weights leave it undefined."""
        ...


def scorer(task: Task, y: NDArray[Any], predictions: FloatArray, threshold: float, aims: Aims = NONE) -> Scorer:
    """Prepare the scorer of a task for sound rows (see `metrics.why_undefined`)."""
    if task == "binary":
        return _Binary(y.astype(np.int64), predictions, threshold, aims.cost)
    if task == "multiclass":
        return _Multiclass(y.astype(np.int64), predictions)
    return _Regression(y.astype(np.float64), predictions, aims.quantile)


class Nothing:
    """The scorer of rows or predictions that cannot be measured."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the task's metrics."""
        self._measured = dict.fromkeys(names, math.nan)

    def measure(self, weights: FloatArray) -> dict[str, float]:  # noqa: ARG002 - no weight changes that
        """Every metric, undefined."""
        return self._measured


class ByTwo:
    """Two scorers of the same rows: of one the metrics that are named, all others of the other."""

    def __init__(self, other: Scorer, one: Scorer, named: Sequence[str]) -> None:
        """Take both, and the names of the metrics that are of `one`."""
        self._other, self._one, self._named = other, one, named

    def measure(self, weights: FloatArray) -> dict[str, float]:
        """Every metric, each of its own scorer."""
        found = self._one.measure(weights)
        return {**self._other.measure(weights), **{name: found[name] for name in self._named}}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _correlation(tp: float, fp: float, fn: float, tn: float) -> float:
    """Matthews'; like scikit-learn's 0 where all rows are called the same, but undefined where they are the same."""
    positives, negatives, called, others = tp + fn, tn + fp, tp + fp, tn + fn
    if positives <= 0 or negatives <= 0:
        return math.nan
    if called <= 0 or others <= 0:
        return 0.0
    return (tp * tn - fp * fn) / (math.sqrt(positives * called) * math.sqrt(negatives * others))


class _Binary:
    def __init__(self, y: IntArray, probability: FloatArray, threshold: float, cost: Cost | None) -> None:
        positive = y == 1
        predicted = probability >= threshold
        likelihood = np.where(positive, probability, 1 - probability)
        self._cost = cost
        self._ranking = Ranking(probability, positive)
        self._columns = np.stack(
            [
                positive & predicted,
                ~positive & predicted,
                positive & ~predicted,
                ~positive & ~predicted,
                -np.log(np.clip(likelihood, EPSILON, 1 - EPSILON)),
                (probability - positive) ** 2,
            ]
        ).astype(np.float64)

    def measure(self, weights: FloatArray) -> dict[str, float]:
        area, average_precision = self._ranking.measure(weights)
        # not `@`: BLAS sums in an order that depends on its threads, and a report's digest should not
        tp, fp, fn, tn, loss, square = (self._columns * weights).sum(axis=1).tolist()
        total = tp + fp + fn + tn
        recall = _ratio(tp, tp + fn)
        measured = {
            "roc_auc": area,
            "average_precision": average_precision,
            "f1": _ratio(2 * tp, 2 * tp + fp + fn),
            "accuracy": _ratio(tp + tn, total),
            "balanced_accuracy": (recall + _ratio(tn, tn + fp)) / 2,
            "precision": _ratio(tp, tp + fp),
            "recall": recall,
            "mcc": _correlation(tp, fp, fn, tn),
            "log_loss": _ratio(loss, total),
            "brier_score": _ratio(square, total),
        }
        if self._cost is not None:
            measured["cost"] = _ratio(fp * self._cost.false_positive + fn * self._cost.false_negative, total)
        return measured


class _Multiclass:
    def __init__(self, y: IntArray, probabilities: FloatArray) -> None:
        n_rows, self._k = probabilities.shape
        predicted = probabilities.argmax(axis=1)
        self._cells = y * self._k + predicted
        likelihood = probabilities[np.arange(n_rows), y]
        self._loss = -np.log(np.clip(likelihood, EPSILON, 1 - EPSILON))
        self._rankings = [OneAgainstRest(probabilities[:, code], y == code) for code in range(self._k)]

    def measure(self, weights: FloatArray) -> dict[str, float]:
        counts = np.bincount(self._cells, weights=weights, minlength=self._k**2).astype(np.float64)
        cells = counts.reshape(self._k, self._k)
        hits, support, predicted = np.diag(cells), cells.sum(axis=1), cells.sum(axis=0)
        total = float(support.sum())
        present, named = support > 0, (support + predicted) > 0
        several = int(present.sum()) > 1
        return {
            "accuracy": _ratio(float(hits.sum()), total),
            # like scikit-learn, means are over the classes that occur
            "balanced_accuracy": float(np.mean(hits[present] / support[present])) if several else math.nan,
            "f1_macro": float(np.mean(2 * hits[named] / (support + predicted)[named])) if several else math.nan,
            "roc_auc_ovr": self._roc_auc_ovr(weights) if bool(present.all()) else math.nan,
            "mcc": self._correlation(cells) if several else math.nan,
            "log_loss": _ratio(float((self._loss * weights).sum()), total),
        }

    def _correlation(self, cells: FloatArray) -> float:
        """Gorodkin's, of several classes; 0 where one class is named for all rows."""
        support, predicted, total = cells.sum(axis=1), cells.sum(axis=0), float(cells.sum())
        if int((predicted > 0).sum()) < 2:
            return 0.0
        together = float(np.diag(cells).sum()) * total - float((support * predicted).sum())
        apart = [total**2 - float((each**2).sum()) for each in (support, predicted)]
        return together / math.sqrt(apart[0] * apart[1]) if min(apart) > 0 else 0.0

    def _roc_auc_ovr(self, weights: FloatArray) -> float:
        return float(np.mean([ranking.roc_auc(weights) for ranking in self._rankings]))


class _Regression:
    def __init__(self, y: FloatArray, predictions: FloatArray, quantile: float | None) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            error = predictions - y
            self._squares = error**2
            self._pinball = None if quantile is None else np.maximum(-quantile * error, (1 - quantile) * error)
        self._absolute = np.abs(error)
        self._order = np.argsort(self._absolute, kind="stable")
        self._ordered = self._absolute[self._order]
        self._y = y

    def measure(self, weights: FloatArray) -> dict[str, float]:
        total = float(weights.sum())
        measured: dict[str, float] = {}
        with np.errstate(over="ignore", invalid="ignore"):
            if self._pinball is not None:
                measured["pinball_loss"] = _ratio(float((self._pinball * weights).sum()), total)
            squares = float((self._squares * weights).sum())
            measured["rmse"] = math.sqrt(_ratio(squares, total))
            measured["mae"] = _ratio(float((self._absolute * weights).sum()), total)
            measured["r2"] = self._r2(weights, squares, total)
            measured["median_absolute_error"] = self._median(weights) if total > 0 else math.nan
        return {name: value if math.isfinite(value) else math.nan for name, value in measured.items()}

    def _r2(self, weights: FloatArray, squares: float, total: float) -> float:
        drawn = self._y[weights > 0]
        # a constant has no variance to explain, whatever rounding makes of it
        if not drawn.size or drawn.min() == drawn.max():
            return math.nan
        mean = float((self._y * weights).sum()) / total
        return 1 - _ratio(squares, float((((self._y - mean) ** 2) * weights).sum()))

    def _median(self, weights: FloatArray) -> float:
        """Take the mean of the two middle values where the weights fall into equal halves (averaged inverted CDF)."""
        below = np.cumsum(weights[self._order])
        half = below[-1] / 2
        lower = min(int(np.searchsorted(below, half)), below.size - 1)
        if below[lower] - half > EPSILON:
            return float(self._ordered[lower])
        upper = min(int(np.searchsorted(below, below[lower], side="right")), below.size - 1)
        return float(self._ordered[lower] + self._ordered[upper]) / 2
