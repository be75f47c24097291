"""What a search optimises: one number from validation labels and predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from training_assets.core.errors import InputError
from training_assets.core.operating_point import Objective, best_threshold
from training_assets.spec.target import Task

Labels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

DEFAULT = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True)
class Metric:
    """A metric's name, direction, and how it is computed from labels and predictions of the contract's shapes."""

    name: str
    direction: Literal["higher", "lower"]
    compute: Callable[[Labels, Floats], float]

    def score(self, y: Labels, predictions: Floats) -> float:
        """Compute the metric; raises `ValueError` where it or a prediction is not a finite number."""
        if not np.isfinite(predictions).all():
            message = "predictions are not all finite"
            raise ValueError(message)
        value = float(self.compute(y, predictions))
        if not np.isfinite(value):
            message = f"{self.name} is {value}"
            raise ValueError(message)
        return value

    def better(self, score: float, than: float) -> bool:
        """Whether a score beats another one."""
        return score > than if self.direction == "higher" else score < than


def metric(name: str | None, task: Task) -> Metric:
    """Give the metric of that name for the task, or the task's default; `InputError` E_METRIC for one it lacks.

    Metrics that need a decision are taken at their best threshold, since the operating point is set on the same rows.
    """
    wanted = name or DEFAULT[task]
    known = _METRICS[task]
    if wanted not in known:
        message = f"search.metric '{wanted[:40]}' is none that a {task} search knows; choose one of {', '.join(known)}"
        raise InputError(code="E_METRIC", message=message)
    direction, compute = known[wanted]
    return Metric(wanted, direction, compute)


def _roc_auc(y: Labels, probability: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, probability))


def _roc_auc_ovr(y: Labels, probability: Floats) -> float:
    return float(np.mean([_roc_auc(y == code, probability[:, code]) for code in range(probability.shape[1])]))


def _average_precision(y: Labels, probability: Floats) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(y, probability))


def _columns(probability: Floats) -> Floats:
    return probability if probability.ndim == 2 else np.column_stack([1 - probability, probability])


def _log_loss(y: Labels, probability: Floats) -> float:
    columns = _columns(probability)
    smallest = np.finfo(np.float64).eps  # as scikit-learn clips
    return float(-np.mean(np.log(np.clip(columns[np.arange(len(y)), y], smallest, 1.0))))


def _brier_score(y: Labels, probability: Floats) -> float:
    return float(np.mean(np.square(probability - y)))


def _at_best_threshold(objective: Objective, compute: Callable[[Labels, Labels], float]) -> Callable[..., float]:
    return lambda y, probability: compute(
        y, (probability >= best_threshold(y, probability, objective)).astype(np.int32)
    )


def _at_most_likely(compute: Callable[[Labels, Labels], float]) -> Callable[[Labels, Floats], float]:
    return lambda y, probability: compute(y, probability.argmax(axis=1).astype(np.int32))


def _f1(y: Labels, decided: Labels) -> float:
    hits = np.sum((y == 1) & (decided == 1))
    return float(2 * hits / (np.sum(y == 1) + np.sum(decided == 1)))


def _f1_macro(y: Labels, decided: Labels) -> float:
    return float(np.mean([_f1(y == code, decided == code) for code in np.union1d(y, decided)]))


def _accuracy(y: Labels, decided: Labels) -> float:
    return float(np.mean(y == decided))


def _balanced_accuracy(y: Labels, decided: Labels) -> float:
    return float(np.mean([np.mean(decided[y == code] == code) for code in np.unique(y)]))


def _rmse(y: Labels, predicted: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(predicted - y))))


def _mae(y: Labels, predicted: Floats) -> float:
    return float(np.mean(np.abs(predicted - y)))


def _r2(y: Labels, predicted: Floats) -> float:
    return float(1 - np.sum(np.square(predicted - y)) / np.sum(np.square(y - y.mean())))


def _median_absolute_error(y: Labels, predicted: Floats) -> float:
    return float(np.median(np.abs(predicted - y)))


_METRICS: dict[Task, dict[str, tuple[Literal["higher", "lower"], Callable[[Labels, Floats], float]]]] = {
    "binary": {
        "roc_auc": ("higher", _roc_auc),
        "average_precision": ("higher", _average_precision),
        "log_loss": ("lower", _log_loss),
        "brier_score": ("lower", _brier_score),
        "f1": ("higher", _at_best_threshold("f1", _f1)),
        "accuracy": ("higher", _at_best_threshold("accuracy", _accuracy)),
        "balanced_accuracy": ("higher", _at_best_threshold("balanced_accuracy", _balanced_accuracy)),
    },
    "multiclass": {
        "log_loss": ("lower", _log_loss),
        "roc_auc_ovr": ("higher", _roc_auc_ovr),
        "accuracy": ("higher", _at_most_likely(_accuracy)),
        "balanced_accuracy": ("higher", _at_most_likely(_balanced_accuracy)),
        "f1_macro": ("higher", _at_most_likely(_f1_macro)),
    },
    "regression": {
        "rmse": ("lower", _rmse),
        "mae": ("lower", _mae),
        "r2": ("higher", _r2),
        "median_absolute_error": ("lower", _median_absolute_error),
    },
}
