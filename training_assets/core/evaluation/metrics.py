"""What is measured: each metric by scikit-learn's name, its direction, and NaN where it has no value.

Some metrics are of models alone whose spec asks for them (`aims.Aims`), as the pinball loss needs a quantile.
`cost` is what mistakes cost at the operating point, a mean over rows; the others are scikit-learn's.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.scorers import Scorer, scorer
from training_assets.spec.target import Task

Direction = Literal["higher", "lower"]
DIRECTION: Mapping[str, Direction] = {
    "roc_auc": "higher",
    "average_precision": "higher",
    "f1": "higher",
    "accuracy": "higher",
    "balanced_accuracy": "higher",
    "precision": "higher",
    "recall": "higher",
    "mcc": "higher",
    "log_loss": "lower",
    "brier_score": "lower",
    "cost": "lower",
    "f1_macro": "higher",
    "roc_auc_ovr": "higher",
    "pinball_loss": "lower",
    "rmse": "lower",
    "mae": "lower",
    "r2": "higher",
    "median_absolute_error": "lower",
}
_NAMES: Mapping[str, tuple[str, ...]] = {
    "binary": (
        "roc_auc",
        "average_precision",
        "f1",
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "mcc",
        "log_loss",
        "brier_score",
        "cost",
    ),
    "multiclass": ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr", "mcc", "log_loss"),
    "regression": ("pinball_loss", "rmse", "mae", "r2", "median_absolute_error"),
}
_ASKED_BY: Mapping[str, str] = {"pinball_loss": "training.loss: quantile", "cost": "decision.objective: cost"}
"""Metrics that are measured only where the spec says this."""
_REASONS: Mapping[str, str] = {
    "roc_auc": "the rows hold one class only",
    "average_precision": "the rows hold one class only",
    "f1": "no row is positive, and none is predicted to be",
    "balanced_accuracy": "the rows hold one class only",
    "precision": "no row is predicted to be positive",
    "recall": "no row is positive",
    "mcc": "the rows hold one class only",
    "f1_macro": "the rows hold one class only",
    "roc_auc_ovr": "a class has no rows",
    "r2": "the target does not vary",
}
DEFAULT_THRESHOLD = 0.5  # the more likely class, as scikit-learn's `predict`
PROBABILITY_SLACK = 1e-6  # float32 probabilities overshoot 1 by this much
SUM_SLACK = 1e-3  # and their sums by this much


def names(task: str, aims: Aims = NONE) -> tuple[str, ...]:
    """Metrics of a task, the leading one first; none for a task that is unknown."""
    return tuple(name for name in _NAMES.get(task, ()) if name not in _ASKED_BY or name in aims.metrics)


def may_have(task: object, metric: str) -> bool:
    """Whether there are models of the task that the metric is of, whatever else their specs must ask."""
    return isinstance(task, str) and metric in _NAMES.get(task, ())


def reported(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Metrics that a report has, the leading one first: an older one may lack what is measured now."""
    task, entries = report.get("task"), report.get("metrics")
    if not isinstance(task, str) or not isinstance(entries, Mapping):
        return ()
    return tuple(name for name in _NAMES.get(task, ()) if name in entries)


def near(task: str, metric: str, aims: Aims = NONE) -> str:
    """Say which metric may have been meant by one that the task does not have, and which are known."""
    known = names(task, aims)
    match = difflib.get_close_matches(metric, known, n=1)
    hint = f"did you mean '{match[0]}'? " if match else ""
    if may_have(task, metric) and metric in _ASKED_BY:
        hint = f"it goes with `{_ASKED_BY[metric]}`; "
    return f"'{metric[:80]}' is no metric of a {task} task; {hint}known: {', '.join(known)}"


def reason(metric: str) -> str:
    """Why a metric has no value on rows and predictions that are themselves sound."""
    return _REASONS.get(metric, "the values are too large to measure")


def why_undefined(task: Task, y: NDArray[Any], predictions: NDArray[Any]) -> str | None:
    """Why no metric has a value: no rows, or predictions (or a target) that are no sound numbers; None if they are."""
    if len(y) == 0:
        return "there are no rows"
    if task == "regression" and not np.isfinite(y).all():
        return "the target has values that are not finite numbers"
    sound = np.isfinite(predictions)
    if not sound.all():
        bad = int((~sound.reshape(len(y), -1).all(axis=1)).sum())
        return f"{bad} of {len(y)} rows have a prediction that is not a finite number"
    return None if task == "regression" else _why_no_probabilities(predictions)


def _why_no_probabilities(predictions: NDArray[Any]) -> str | None:
    if predictions.min() < -PROBABILITY_SLACK or predictions.max() > 1 + PROBABILITY_SLACK:
        return "predictions lie outside 0 to 1, so they are no probabilities"
    if predictions.ndim > 1 and float(np.abs(predictions.sum(axis=1) - 1).max()) > SUM_SLACK:
        return "the probabilities of a row do not sum to 1"
    return None


def prepared(
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    *,
    classes: Sequence[str],
    threshold: float | None,
    aims: Aims = NONE,
) -> tuple[Scorer | None, str | None]:
    """Prepare a scorer, or say why there is nothing to score; ValueError where shapes or class codes do not fit."""
    _refuse_misfits(task, y, predictions, classes)
    cause = why_undefined(task, y, predictions)
    if cause is not None:
        return None, cause
    cut = DEFAULT_THRESHOLD if threshold is None else threshold
    if math.isnan(cut):
        message = "the threshold is not a number"
        raise ValueError(message)
    return scorer(task, y, predictions.astype(np.float64), cut, aims), None


def compute(
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    *,
    classes: list[str],
    threshold: float | None,
    weights: NDArray[Any] | None = None,
    aims: Aims = NONE,
) -> dict[str, float]:
    """Every metric of the task and its aims; NaN where one is undefined, never an exception for what the data hold.

    `y` has `n_rows` class codes (index into `classes`) or, in a regression, values. `predictions` are `n_rows`
    probabilities of `classes[1]` (binary), `n_rows x n_classes` probabilities (multiclass) or `n_rows` values. A row
    counts as positive from `threshold` on (inclusive; None: 0.5). `weights` are `n_rows` non-negative numbers.
    ValueError if shapes, class codes or weights do not fit: that is the caller's mistake, not the data's.
    Formulas: scikit-learn's functions of the same names.
    """
    measure, _ = prepared(task, y, predictions, classes=classes, threshold=threshold, aims=aims)
    if measure is None:
        return dict.fromkeys(names(task, aims), math.nan)
    each = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if each.shape != (len(y),) or not np.isfinite(each).all() or (each < 0).any():
        message = f"weights must be {len(y)} finite, non-negative numbers"
        raise ValueError(message)
    return measure.measure(each)


def _refuse_misfits(task: str, y: NDArray[Any], predictions: NDArray[Any], classes: Sequence[str]) -> None:
    if task not in _NAMES:
        message = f"unknown task {task!r}; known: {', '.join(_NAMES)}"
        raise ValueError(message)
    k = len(classes)
    if (task == "binary" and k != 2) or (task == "multiclass" and k < 2) or (task == "regression" and k):
        message = f"a {task} task cannot have {k} classes"
        raise ValueError(message)
    shape = (len(y), k) if task == "multiclass" else (len(y),)
    if y.ndim != 1 or predictions.shape != shape:
        message = (
            f"expected y of shape {shape[:1]} and predictions of shape {shape}, got {y.shape}, {predictions.shape}"
        )
        raise ValueError(message)
    if task != "regression" and len(y):
        with np.errstate(invalid="ignore"):
            codes = y.astype(np.int64)
        if (codes != y).any() or codes.min() < 0 or codes.max() >= k:
            message = f"y must hold class codes from 0 to {k - 1}"
            raise ValueError(message)
