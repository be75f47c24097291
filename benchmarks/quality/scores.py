"""Errors of predictions, ranks of systems, and how sure a ratio of two errors is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Task = Literal["binary", "multiclass", "regression"]
Floats = npt.NDArray[np.float64]
ERRORS: dict[Task, str] = {"binary": "1 - AUC", "multiclass": "log loss", "regression": "RMSE"}
REPLICATES = 200
NO_ERROR = 1e-9
SMALLEST = 1e-15  # a probability of nothing at all would make a log loss infinite


@dataclass(frozen=True)
class Ratio:
    """A ratio of errors, and the middle 95 % of its bootstrap replicates."""

    point: float
    low: float
    high: float


@dataclass(frozen=True)
class Drawn:
    """An error on the test rows, and on `REPLICATES` drawings of them."""

    error: float
    replicates: Sequence[float]


def error(task: Task, labels: npt.NDArray[Any], predictions: Floats, weights: Floats | None = None) -> float:
    """1 - AUC, log loss or RMSE over the rows, each counted as often as `weights` says.

    Labels (n,) are 0 or 1, codes of the classes, or values; predictions are probabilities of class 1 (n,), of each
    class (n, k), or values (n,). ValueError where a prediction is missing or not finite.
    """
    from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

    if len(labels) != len(predictions) or not np.isfinite(predictions).all():
        message = f"{len(labels)} rows need as many finite predictions"
        raise ValueError(message)
    if task == "binary":
        return 1 - float(roc_auc_score(labels, predictions, sample_weight=weights))
    if task == "multiclass":
        shares = _shares(predictions)
        return float(log_loss(labels, shares, labels=np.arange(shares.shape[1]), sample_weight=weights))
    return float(root_mean_squared_error(labels, predictions, sample_weight=weights))


def ranks(errors: Mapping[str, float | None]) -> dict[str, float]:
    """Rank of each system, 1 for the smallest error; equal errors share the mean of their ranks, failures the last."""
    from scipy.stats import rankdata

    values = [np.inf if value is None else value for value in errors.values()]
    return dict(zip(errors, (float(rank) for rank in rankdata(values, method="average")), strict=True))


def replicates(
    task: Task, labels: npt.NDArray[Any], predictions: Floats, *, seed: int, count: int = REPLICATES
) -> Floats:
    """Errors (count,) on rows drawn anew; the same rows for the same labels and seed, whatever is predicted."""
    rng = np.random.default_rng(seed)
    rows = len(labels)
    losses = None if task == "binary" else _losses(task, labels, predictions)
    made = np.empty(count)
    for at in range(count):
        weights = rng.multinomial(rows, np.full(rows, 1 / rows)).astype(np.float64)
        if losses is None:
            made[at] = error(task, labels, predictions, weights)
        else:
            mean = float(weights @ losses) / rows
            made[at] = mean if task == "multiclass" else math.sqrt(mean)
    return made


def _losses(task: Task, labels: npt.NDArray[Any], predictions: Floats) -> Floats:
    """What each row adds: its log loss, or its squared error."""
    if task == "regression":
        squares: Floats = np.square(labels - predictions)
        return squares
    logs: Floats = -np.log(_shares(predictions)[np.arange(len(labels)), labels])
    return logs


def _shares(predictions: Floats) -> Floats:
    """Probabilities that are more than nothing, and together 1."""
    clipped = np.clip(predictions, SMALLEST, None)
    shares: Floats = clipped / clipped.sum(axis=1, keepdims=True)
    return shares


def ratio(deals: Iterable[tuple[Drawn, Drawn]]) -> Ratio:
    """Geometric mean over deals of our error through theirs, from what both had on each.

    The interval is that of the mean over the deals of replicate k of each, as if the deals had no test row in common;
    of a hundred rows they share two.
    """
    pairs = list(deals)
    point = np.mean([_logs(ours.error) - _logs(theirs.error) for ours, theirs in pairs])
    drawn = np.mean([_logs(ours.replicates) - _logs(theirs.replicates) for ours, theirs in pairs], axis=0)
    low, high = np.exp(np.quantile(drawn, [0.025, 0.975]))
    return Ratio(float(np.exp(point)), float(low), float(high))


def _logs(errors: float | Sequence[float]) -> Floats:
    """An error of nothing at all counts as very little, so that two such errors are equal."""
    return np.log(np.maximum(np.asarray(errors, dtype=np.float64), NO_ERROR))
