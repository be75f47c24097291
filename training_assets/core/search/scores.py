"""What a search optimises: one number from validation labels and predictions."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.families.base import Learning
from training_assets.core.operating_point import best_threshold
from training_assets.core.search import measures
from training_assets.core.search.measures import Decided, Floats, Labels
from training_assets.core.search.own_metric import own_metric
from training_assets.spec.decision import Decision, Objective
from training_assets.spec.search import OwnMetric
from training_assets.spec.target import Task

Direction = Literal["higher", "lower"]
Compute = Callable[[Labels, Floats], float]

DEFAULT = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
DEFAULT_OF_LOSS = {"absolute_error": "mae", "quantile": "pinball_loss"}


@dataclass(frozen=True)
class Metric:
    """A metric's name, direction, and how it is computed from labels and predictions of the contract's shapes."""

    name: str
    direction: Direction
    compute: Compute

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


def metric(
    wanted: str | OwnMetric | None, task: Task, learning: Learning | None = None, root: Path | None = None
) -> Metric:
    """Give the metric of that name for the task, or the default of the loss and the task.

    Metrics that need a decision are taken at their best threshold, since the operating point is set on the same rows.
    A function of the user's own is imported from below `root`. Raises `InputError` E_METRIC for a name that the task
    lacks and for a function that there is not.
    """
    if isinstance(wanted, OwnMetric):
        return Metric(wanted.function, wanted.better, own_metric(wanted.function, root))
    known = _known(task, learning)
    name = wanted or (None if learning is None else DEFAULT_OF_LOSS.get(learning.loss)) or DEFAULT[task]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        if name == "pinball_loss" and task == "regression":
            hint = "it goes with `training.loss: quantile`; "
        message = f"search.metric '{name[:40]}' is none that a {task} search knows; {hint}known: {', '.join(known)}"
        raise InputError(code="E_METRIC", message=message)
    direction, compute = known[name]
    return Metric(name, direction, compute)


def _known(task: Task, learning: Learning | None) -> dict[str, tuple[Direction, Compute]]:
    if learning is None or learning.loss != "quantile":
        return _METRICS[task]
    return {"pinball_loss": ("lower", measures.pinball_loss(learning.quantile)), **_METRICS[task]}


def _at_best_threshold(objective: Objective, compute: Decided) -> Compute:
    decision = Decision(objective=objective)
    return lambda y, probability: compute(y, (probability >= best_threshold(y, probability, decision)).astype(np.int32))


def _at_most_likely(compute: Decided) -> Compute:
    return lambda y, probability: compute(y, probability.argmax(axis=1).astype(np.int32))


_METRICS: dict[Task, dict[str, tuple[Direction, Compute]]] = {
    "binary": {
        "roc_auc": ("higher", measures.roc_auc),
        "average_precision": ("higher", measures.average_precision),
        "log_loss": ("lower", measures.log_loss),
        "brier_score": ("lower", measures.brier_score),
        "f1": ("higher", _at_best_threshold("f1", measures.f1)),
        "accuracy": ("higher", _at_best_threshold("accuracy", measures.accuracy)),
        "balanced_accuracy": ("higher", _at_best_threshold("balanced_accuracy", measures.balanced_accuracy)),
        "mcc": ("higher", _at_best_threshold("mcc", measures.mcc)),
    },
    "multiclass": {
        "log_loss": ("lower", measures.log_loss),
        "roc_auc_ovr": ("higher", measures.roc_auc_ovr),
        "accuracy": ("higher", _at_most_likely(measures.accuracy)),
        "balanced_accuracy": ("higher", _at_most_likely(measures.balanced_accuracy)),
        "f1_macro": ("higher", _at_most_likely(measures.f1_macro)),
        "mcc": ("higher", _at_most_likely(measures.mcc)),
    },
    "regression": {
        "rmse": ("lower", measures.rmse),
        "mae": ("lower", measures.mae),
        "r2": ("higher", measures.r2),
        "median_absolute_error": ("lower", measures.median_absolute_error),
        "mape": ("lower", measures.mape),
        "rmsle": ("lower", measures.rmsle),
    },
}
