"""Linear predictors under an L2 penalty, fitted by L-BFGS; scikit-learn's own solvers cannot be stopped by a clock.

The objective is that of scikit-learn's `LogisticRegression(C=1/l2)` and `Ridge(alpha=l2)`, divided by the number of
rows: mean loss + l2 / (2 n) · ‖weights‖², intercepts free; where rows have weights, a mean of weighted losses. Sparse
products run on one thread and in one order, so a fit repeats bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.base import Stop
from training_assets.core.families.data import Floats
from training_assets.spec.target import Task

CONVERGED = 1e-7  # of the loss, saved by an iteration: later ones change no prediction that anyone would notice


@dataclass(frozen=True)
class Rows:
    """Sparse rows `n_rows x n_columns`, their labels (n_rows,), and their weights, on average 1, if they differ."""

    matrix: Any
    labels: npt.NDArray[Any]
    weights: Floats | None = None

    def loss(self, at: Solution, task: Task) -> tuple[float, Floats]:
        """Mean loss of a solution, and its slope by raw prediction, `n_rows x n_outputs`."""
        weights = np.ones(len(self.labels)) if self.weights is None else self.weights
        return _LOSSES[task](at.raw(self.matrix), self.labels, weights / len(weights))


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
    train: Rows,
    validation: Rows | None,
    task: Task,
    n_classes: int,
    *,
    directions: Sequence[int],
    l2: float,
    max_iterations: int,
    stop: Stop,
) -> Solution:
    """Minimise the penalised mean loss; values of a regression should be standardised.

    Weights of a column with a direction of 1 stay at 0 or above, with one of -1 at 0 or below. Ends at a gradient of
    1e-5, or after an iteration that saves hardly anything, the last of `max_iterations`, or one at which `stop` says
    True.
    """
    from scipy.optimize import minimize

    n_rows, n_columns = train.matrix.shape
    n_outputs = n_classes if task == "multiclass" else 1
    curves: dict[str, list[float]] = {"train": [], "validation": []}

    def unpacked(packed: Floats) -> Solution:
        table = packed.reshape(n_columns + 1, n_outputs)
        return Solution(table[:-1], table[-1], curves)

    def penalty(weights: Floats) -> float:
        return float(l2 / (2 * n_rows) * np.square(weights).sum())

    def objective(packed: Floats) -> tuple[float, Floats]:
        at = unpacked(packed)
        value, slope = train.loss(at, task)
        gradient = np.empty((n_columns + 1, n_outputs))
        gradient[:-1] = train.matrix.T @ slope + l2 / n_rows * at.weights
        gradient[-1] = slope.sum(axis=0)
        return value + penalty(at.weights), gradient.ravel()

    def after_iteration(intermediate_result: Any) -> None:
        at = unpacked(intermediate_result.x)
        curves["train"].append(_shown(float(intermediate_result.fun) - penalty(at.weights), task))
        if validation is not None:
            curves["validation"].append(_shown(validation.loss(at, task)[0], task))
        if stop(len(curves["train"]), curves["validation"][-1] if validation is not None else nan):
            raise StopIteration

    start = np.zeros((n_columns + 1, n_outputs))
    found = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=_bounds(directions, n_outputs) if any(directions) else None,
        callback=after_iteration,
        options={"maxiter": max_iterations, "maxfun": 2 * max_iterations + 20, "gtol": 1e-5, "ftol": CONVERGED},
    )
    return unpacked(found.x)


def _bounds(directions: Sequence[int], n_outputs: int) -> list[tuple[float, float]]:
    of = {1: (0.0, inf), -1: (-inf, 0.0), 0: (-inf, inf)}
    return [of[direction] for direction in (*directions, 0) for _ in range(n_outputs)]  # the last is the intercept's


def _shown(loss: float, task: Task) -> float:
    """Log loss as it is; the root mean squared error from half the mean squared one."""
    return float(np.sqrt(2 * max(loss, 0.0))) if task == "regression" else loss


def _binary(raw: Floats, labels: npt.NDArray[Any], shares: Floats) -> tuple[float, Floats]:
    from scipy.special import expit

    odds = raw[:, 0]
    slope = (expit(odds) - labels) * shares
    return float(np.sum((np.logaddexp(0, odds) - labels * odds) * shares)), slope[:, None]


def _multiclass(raw: Floats, labels: npt.NDArray[Any], shares: Floats) -> tuple[float, Floats]:
    from scipy.special import log_softmax

    logs = log_softmax(raw, axis=1)
    places = np.arange(len(labels))
    slope = np.exp(logs)
    slope[places, labels] -= 1
    return float(-np.sum(logs[places, labels] * shares)), slope * shares[:, None]


def _regression(raw: Floats, labels: npt.NDArray[Any], shares: Floats) -> tuple[float, Floats]:
    misses = raw[:, 0] - labels
    return float(np.sum(np.square(misses) * shares) / 2), (misses * shares)[:, None]


_LOSSES: dict[Task, Callable[[Floats, npt.NDArray[Any], Floats], tuple[float, Floats]]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "regression": _regression,
}
