"""The operating point: from which probability on a row counts as positive."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.errors import InputError
from training_assets.spec.decision import Cost, Decision

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BY_F1 = Decision()
CLOSE = 1e-12  # share of a number of float64's rounding by which equal ones may differ, many times over


def best_threshold(y: npt.NDArray[Any], probability: Floats, decision: Decision = BY_F1) -> float:
    """Threshold in [0, 1] with the best objective on these rows, where `probability >= threshold` reads as positive.

    `y` (n,) holds 0 and 1, `probability` (n,) that of 1. All thresholds between two neighbouring probabilities decide
    alike; of the widest stretch of best ones the middle is given, so that it is as far as can be from any row. Of
    equal precisions with recall enough, the one with the highest recall is the best. Raises `InputError` E_LABEL_CONST
    for rows of one class, and `ValueError` for probabilities that are none.
    """
    truth, scores = np.asarray(y) == 1, np.asarray(probability, dtype=np.float64)
    if not (np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()):
        message = "probabilities must lie within 0 and 1"
        raise ValueError(message)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        message = f"the validation rows are {positives} positive, {negatives} negative; a threshold needs both"
        raise InputError(code="E_LABEL_CONST", message=message)
    # Cut i calls the rows with the i highest distinct probabilities positive; cut 0 none, the last one all.
    order = np.argsort(-scores)
    ordered = scores[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    values = ordered[ends]
    hits = np.concatenate([[0], np.cumsum(truth[order])[ends]]).astype(np.int64)
    calls = np.concatenate([[0], ends + 1]).astype(np.int64)
    # Thresholds of cut i: above the next lower probability, up to the lowest one called positive.
    upper, lower = np.concatenate([[1.0], values]), np.concatenate([values, [0.0]])
    first = 1 if values[0] == 1 else 0  # a probability of 1 is positive whatever the threshold
    best = _best(decision, hits[first:], calls[first:], positives, negatives)
    return _middle_of_widest(best, lower[first:], upper[first:])


def _best(decision: Decision, hits: Counts, calls: Counts, positives: int, negatives: int) -> Mask:
    """Which cuts are best: told apart by whole numbers and by quotients of them, and so exactly."""
    rejections = negatives - (calls - hits)
    if decision.cost is not None:
        return _cheapest(decision.cost, calls - hits, positives - hits)
    if decision.recall is not None:
        return _most_precise(math.ceil(_as_written(decision.recall) * positives), hits, calls)
    if decision.objective == "mcc":
        return _most_correlated(hits, calls, positives, negatives)
    if decision.objective == "f1":
        return _highest(2 * hits / (calls + positives))
    if decision.objective == "accuracy":
        return _highest(hits + rejections)
    return _highest(hits * negatives + rejections * positives)


def _highest(merit: npt.NDArray[Any]) -> Mask:
    best: Mask = merit == merit.max()
    return best


def _most_precise(least_hits: int, hits: Counts, calls: Counts) -> Mask:
    precision = np.where(hits >= least_hits, hits / np.maximum(calls, 1), -1.0)
    return _highest(np.where(_highest(precision), hits, -1))


def _most_correlated(hits: Counts, calls: Counts, positives: int, negatives: int) -> Mask:
    """By the square of Matthews' coefficient but for what all cuts share; 0 where none or all are called positive.

    As all rows can be called positive, the best is at least 0, and the sign of what is negative alone matters.
    """
    rows = positives + negatives
    agreement = hits * rows - calls * positives
    spread = np.maximum(calls * (rows - calls), 1)

    def squared(at: int) -> Fraction:
        over = int(agreement[at])
        return Fraction(over * abs(over), int(spread[at]))

    return _highest_exactly(agreement * np.abs(agreement.astype(np.float64)) / spread, squared)


def _cheapest(cost: Cost, false_positives: Counts, false_negatives: Counts) -> Mask:
    of_positive, of_negative = _as_written(cost.false_positive), _as_written(cost.false_negative)

    def saved(at: int) -> Fraction:
        return -(int(false_positives[at]) * of_positive + int(false_negatives[at]) * of_negative)

    return _highest_exactly(-(false_positives * cost.false_positive + false_negatives * cost.false_negative), saved)


def _highest_exactly(merit: Floats, exact: Callable[[int], Fraction]) -> Mask:
    """Where the exact merit is highest; `merit` is the same but for rounding."""
    best = np.zeros(merit.size, dtype=np.bool_)
    close = np.flatnonzero(merit >= merit.max() - CLOSE * abs(merit.max()))
    exactly = [exact(int(at)) for at in close]
    highest = max(exactly)
    best[close[[each == highest for each in exactly]]] = True
    return best


def _as_written(number: float) -> Fraction:
    """The decimal fraction that the spec says, of which the float is the nearest: 0.3 is three times 0.1."""
    return Fraction(repr(number))


def _middle_of_widest(best: Mask, lower: Floats, upper: Floats) -> float:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], best, [False]]).astype(np.int8)))
    first, last = edges[::2], edges[1::2] - 1
    widest = int(np.argmax(upper[first] - lower[last]))  # of equal ones the highest
    low, high = float(lower[last[widest]]), float(upper[first[widest]])
    middle = low + (high - low) / 2
    return middle if middle > low else high  # between neighbouring floats there is no middle
