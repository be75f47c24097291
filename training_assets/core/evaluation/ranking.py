"""How well scores rank positives above negatives, under any weights: sorted once, weighted often."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Ranking:
    """Rows in descending order of score, with rows of equal score taken as one step."""

    def __init__(self, scores: FloatArray, positive: BoolArray) -> None:
        """Sort `n_rows` finite scores once; `positive` says which rows should be on top."""
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self._positive = positive[self._order].astype(np.float64)
        self._negative = 1.0 - self._positive

    def steps(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weight of the positives and of the negatives at or above each distinct score, best score first."""
        ordered = weights[self._order]
        positives: FloatArray = np.cumsum(ordered * self._positive)[self._ends]
        negatives: FloatArray = np.cumsum(ordered * self._negative)[self._ends]
        return positives, negatives

    def measure(self, weights: FloatArray) -> tuple[float, float]:
        """Area under the ROC curve (trapezoids, so ties count half) and average precision.

        Average precision is the step-wise sum of scikit-learn's `average_precision_score`. Both are NaN where one class
        has no weight.
        """
        positives, negatives = self.steps(weights)
        n_positive, n_negative = float(positives[-1]), float(negatives[-1])
        if n_positive <= 0 or n_negative <= 0:
            return math.nan, math.nan
        before = np.concatenate(([0.0], positives[:-1]))
        gained = positives - before
        lost = np.diff(negatives, prepend=0.0)
        area = float(np.sum(lost * (before + positives))) / (2 * n_positive * n_negative)
        above = positives + negatives
        precision = np.divide(positives, above, out=np.zeros_like(above), where=above > 0)
        return area, float(np.sum(gained * precision)) / n_positive


class OneAgainstRest:
    """One class against all others: each of its few rows knows how many of the others stand above it."""

    def __init__(self, scores: FloatArray, positive: BoolArray) -> None:
        """Sort the other rows once; `positive` says which rows are of the class."""
        self._positive = np.flatnonzero(positive)
        others = np.flatnonzero(~positive)
        self._others = others[np.argsort(scores[others], kind="stable")]
        ordered, own = scores[self._others], scores[self._positive]
        self._under = np.searchsorted(ordered, own, side="left")
        self._not_over = np.searchsorted(ordered, own, side="right")

    def roc_auc(self, weights: FloatArray) -> float:
        """Share of pairs that are in the right order, ties counting half (Mann-Whitney); NaN without pairs."""
        own = weights[self._positive]
        beaten = np.concatenate(([0.0], np.cumsum(weights[self._others])))
        pairs = float(own.sum()) * float(beaten[-1])
        if pairs <= 0:
            return math.nan
        return float(np.sum(own * (beaten[self._under] + beaten[self._not_over]))) / (2 * pairs)
