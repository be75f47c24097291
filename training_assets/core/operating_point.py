"""The operating point: from which probability on a row counts as positive."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from training_assets.core.errors import InputError

Objective = Literal["f1", "balanced_accuracy", "accuracy"]


def best_threshold(y: npt.NDArray[Any], probability: npt.NDArray[np.float64], objective: Objective = "f1") -> float:
    """Threshold in [0, 1] with the best objective on these rows, where `probability >= threshold` reads as positive.

    `y` (n,) holds 0 and 1, `probability` (n,) that of 1. All thresholds between two neighbouring probabilities decide
    alike; of the widest stretch of best ones the middle is given, so that it is as far as can be from any row. Raises
    `InputError` E_LABEL_CONST for rows of one class, and `ValueError` for probabilities that are none.
    """
    if objective not in get_args(Objective):
        message = f"unknown objective '{objective}'; known: {', '.join(get_args(Objective))}"
        raise ValueError(message)
    truth, scores = np.asarray(y) == 1, np.asarray(probability, dtype=np.float64)
    if not (np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()):
        message = "probabilities must lie within 0 and 1"
        raise ValueError(message)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        message = f"the validation rows are {positives} positive, {negatives} negative; a threshold needs both"
        raise InputError(code="E_LABEL_CONST", message=message)
    # Cut i calls the rows with the i highest distinct probabilities positive; cut 0 none, the last one all.
    values, group = np.unique(-scores, return_inverse=True)
    hits = np.concatenate([[0], np.cumsum(np.bincount(group, weights=truth))]).astype(np.int64)
    calls = np.concatenate([[0], np.cumsum(np.bincount(group))]).astype(np.int64)
    merit = _merit(objective, hits, calls, positives, negatives)
    # Thresholds of cut i: above the next lower probability, up to the lowest one called positive.
    upper = np.concatenate([[1.0], -values])
    lower = np.concatenate([-values, [0.0]])
    if upper[0] == lower[0]:
        merit[0] = -1  # a probability of 1 is positive whatever the threshold
    return _middle_of_widest(merit == merit.max(), lower, upper)


def _merit(
    objective: Objective, hits: npt.NDArray[np.int64], calls: npt.NDArray[np.int64], positives: int, negatives: int
) -> npt.NDArray[Any]:
    """Something that is largest where the objective is, and equal where it is equal: from whole numbers, not sums."""
    if objective == "f1":
        return 2 * hits / (calls + positives)
    rejections = negatives - (calls - hits)
    if objective == "accuracy":
        return hits + rejections
    return hits * negatives + rejections * positives


def _middle_of_widest(
    best: npt.NDArray[np.bool_], lower: npt.NDArray[np.float64], upper: npt.NDArray[np.float64]
) -> float:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], best, [False]]).astype(np.int8)))
    first, last = edges[::2], edges[1::2] - 1
    widest = int(np.argmax(upper[first] - lower[last]))  # of equal ones the highest
    low, high = float(lower[last[widest]]), float(upper[first[widest]])
    middle = low + (high - low) / 2
    return middle if middle > low else high  # between neighbouring floats there is no middle
