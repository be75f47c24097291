"""Linear predictors under an L2 penalty, fitted by L-BFGS; scikit-learn's own solvers cannot be stopped by a clock.

The objective is that of scikit-learn's `LogisticRegression(C=1/l2)` and `Ridge(alpha=l2)`, divided by the number of
rows: mean loss + l2 / (2 n) · ‖weights‖², intercepts free. Sparse products run on one thread and in one order, so a fit
repeats bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.base import Floats
from training_assets.spec.target import Task


@dataclass(frozen=True)
class Solution:
    """Weights `n_columns x n_outputs`, intercepts (n_outputs,), and the losses on the way."""

    weights: Floats
    intercepts: Floats
    curves: dict[str, list[float]] = field(default_factory=lambda: {"train": [], "validation": []})

    def raw(self, rows: Any) -> Floats:
        """Give log-odds, or values, `n_rows x n_outputs`."""
        return np.asarray(rows @ self.weights + self.intercepts, dtype=np.float64)


def fit(
    train: tuple[Any, npt.NDArray[Any]],
    validation: tuple[Any, npt.NDArray[Any]],
    task: Task,
    n_classes: int,
    *,
    l2: float,
    max_iterations: int,
    deadline: Callable[[], bool],
) -> Solution:
    """Minimise the penalised mean loss over (sparse rows, labels); values of a regression should be standardised.

    Stops at a gradient of 1e-5, after `max_iterations`, or after the iteration at which `deadline` says True.
    """
    from scipy.optimize import minimize

    rows, labels = train
    n_rows, n_columns = rows.shape
    n_outputs = n_classes if task == "multiclass" else 1
    loss = _LOSSES[task]
    curves: dict[str, list[float]] = {"train": [], "validation": []}

    def unpacked(packed: Floats) -> Solution:
        table = packed.reshape(n_columns + 1, n_outputs)
        return Solution(table[:-1], table[-1], curves)

    def penalty(weights: Floats) -> float:
        return float(l2 / (2 * n_rows) * np.square(weights).sum())

    def objective(packed: Floats) -> tuple[float, Floats]:
        at = unpacked(packed)
        value, slope = loss(at.raw(rows), labels)
        gradient = np.empty((n_columns + 1, n_outputs))
        gradient[:-1] = rows.T @ slope + l2 / n_rows * at.weights
        gradient[-1] = slope.sum(axis=0)
        return value + penalty(at.weights), gradient.ravel()

    def after_iteration(intermediate_result: Any) -> None:
        at = unpacked(intermediate_result.x)
        curves["train"].append(_shown(float(intermediate_result.fun) - penalty(at.weights), task))
        curves["validation"].append(_shown(loss(at.raw(validation[0]), validation[1])[0], task))
        if deadline():
            raise StopIteration

    start = np.zeros((n_columns + 1, n_outputs))
    found = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=after_iteration,
        options={"maxiter": max_iterations, "maxfun": 2 * max_iterations + 20, "gtol": 1e-5, "ftol": 1e-12},
    )
    return unpacked(found.x)


def _shown(loss: float, task: Task) -> float:
    """Log loss as it is; the root mean squared error from half the mean squared one."""
    return float(np.sqrt(2 * max(loss, 0.0))) if task == "regression" else loss


def _binary(raw: Floats, labels: npt.NDArray[Any]) -> tuple[float, Floats]:
    from scipy.special import expit

    odds = raw[:, 0]
    slope = (expit(odds) - labels) / len(labels)
    return float(np.mean(np.logaddexp(0, odds) - labels * odds)), slope[:, None]


def _multiclass(raw: Floats, labels: npt.NDArray[Any]) -> tuple[float, Floats]:
    from scipy.special import log_softmax

    logs = log_softmax(raw, axis=1)
    places = np.arange(len(labels))
    slope = np.exp(logs)
    slope[places, labels] -= 1
    return float(-np.mean(logs[places, labels])), slope / len(labels)


def _regression(raw: Floats, labels: npt.NDArray[Any]) -> tuple[float, Floats]:
    misses = raw[:, 0] - labels
    return float(np.mean(np.square(misses)) / 2), misses[:, None] / len(labels)


_LOSSES: dict[Task, Callable[[Floats, npt.NDArray[Any]], tuple[float, Floats]]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "regression": _regression,
}
