"""The blend: a weighted mean of a few models' predictions, chosen on rows that none of them learnt from.

It begins with the best model of each family, all alike, and changes only where the change is more than noise. A greedy
choice from nothing, as usual, fits the validation rows where they are few: on three deals of a set with 1,056 of them
it gave a mean ROC AUC of 0.849 on test rows, the best of each family 0.853.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.blend import weighted_mean
from training_assets.core.search.scores import Metric

ROUNDS = 40
"""Changes at most."""
LARGEST_SAMPLE = 50_000
"""Validation rows that blends are compared on; more of them cost time and change no choice."""
FINER = (1, 2, 4)
"""How many times as often all count before a member joins: what is far behind the others gains by a small share."""
FOLDS = 8
NOISE = 1.0
"""Standard errors, over folds of the rows, that a change must gain; two kept weak members where rows were many."""


def blend_weights(
    predictions: Mapping[int, Any],
    families: Mapping[int, str],
    labels: Any,
    metric: Metric,
    *,
    most: int,
    rows: int = LARGEST_SAMPLE,
) -> dict[int, float]:
    """Weights (together 1) of at most `most` members, by number.

    `predictions` (n,) or (n, k) are of rows with their `labels`, `families` names each model's family. One
    change a round: a member joins or counts more, by a whole, a half or a quarter of a share, or counts less; the one
    that gains most is taken, as long as it gains more than noise. Of equal ones the lower number is taken. After
    Caruana et al., "Ensemble selection from libraries of models", 2004, who begin with the best few.
    """
    for sample in (_sample(labels, rows), slice(None)):
        seen = {number: np.asarray(predictions[number], dtype=np.float64)[sample] for number in sorted(predictions)}
        scale = _Scale(labels[sample], metric)
        losses = {number: scale.loss(seen[number]) for number in seen}
        if np.isfinite(list(losses.values())).all():
            break  # else the metric needs rows that were not drawn
    ranked = sorted(seen, key=lambda number: (losses[number], number))
    best: dict[str, int] = {}
    for number in ranked:
        best.setdefault(families[number], number)
    counts = Counter(list(best.values())[:most])
    now = _mean(seen, counts)
    for _ in range(ROUNDS):
        loss, changed = min(
            ((scale.loss(_mean(seen, each)), each) for each in _changes(counts, list(seen), most)),
            key=lambda change: change[0],
            default=(np.inf, counts),
        )
        then = _mean(seen, changed)
        if not (loss < scale.loss(now) and scale.gains(now, then)):
            break
        counts, now = changed, then
    return {number: counts[number] / counts.total() for number in sorted(counts)}


def mean(predictions: Mapping[int, Any], weights: Mapping[int, float]) -> Any:
    """The weighted mean of predictions of equal shape, added up from the heaviest on, as that of a `Blend`."""
    heaviest_first = sorted(weights.items(), key=lambda each: -each[1])
    return weighted_mean((np.asarray(predictions[number], np.float64), weight) for number, weight in heaviest_first)


def folds_of(labels: npt.NDArray[Any], parts: int) -> npt.NDArray[np.int64]:
    """The fold of each row, (n,): as many of each class in all of them, as far as its rows go."""
    order = np.random.default_rng(0).permutation(len(labels))
    if _are_classes(labels):
        order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % parts
    return fold


def _are_classes(labels: npt.NDArray[Any]) -> bool:
    return labels.dtype.kind in "iu"


def _mean(seen: Mapping[int, Any], counts: Counter[int]) -> Any:
    return sum(count * seen[number] for number, count in counts.items()) / counts.total()


def _changes(counts: Counter[int], numbers: Sequence[int], most: int) -> Iterator[Counter[int]]:
    for number in numbers:
        if number in counts or len(counts) < most:
            for finer in FINER:
                yield Counter({each: finer * count for each, count in counts.items()}) + Counter([number])
        if number in counts and len(counts) > 1:
            yield counts - Counter([number])


@dataclass(frozen=True)
class _Scale:
    """How good predictions are: lower is better, whatever the metric's direction."""

    labels: npt.NDArray[Any]
    metric: Metric

    def loss(self, predictions: Any) -> float:
        return self._loss(self.labels, predictions)

    def gains(self, before: Any, after: Any) -> bool:
        """Whether the one is better than the other by more than the gain scatters over folds of the rows.

        Folds on which the metric is not defined say nothing; fewer than two that do show no gain.
        """
        gained = self._gained(FOLDS, before, after)
        if not np.isfinite(gained).all() and self._is_of_classes:  # a fold may lack a class that the metric needs
            rows = np.bincount(self.labels)
            gained = self._gained(min(FOLDS, int(rows[rows > 0].min())), before, after)
        gained = gained[np.isfinite(gained)]
        if len(gained) < 2:
            return False
        return float(np.mean(gained)) > NOISE * float(np.std(gained, ddof=1)) / math.sqrt(len(gained))

    def _gained(self, parts: int, before: Any, after: Any) -> npt.NDArray[np.float64]:
        """What the one gains on the other in each fold; not finite where the metric is not defined there."""
        fold = folds_of(self.labels, parts)
        gained = []
        for part in range(int(fold.max()) + 1):
            within = fold == part
            losses = [self._loss(self.labels[within], each[within]) for each in (before, after)]
            gained.append(losses[0] - losses[1])
        return np.array(gained)

    def _loss(self, labels: npt.NDArray[Any], predictions: Any) -> float:
        """Infinite where the metric is not defined."""
        try:
            score = self.metric.score(labels, predictions)
        except ValueError:
            return math.inf
        return -score if self.metric.direction == "higher" else score

    @property
    def _is_of_classes(self) -> bool:
        return _are_classes(self.labels)


def _sample(labels: npt.NDArray[Any], most: int) -> Any:
    """All rows, or so many drawn at random, and of each class at least one: without it a metric may be undefined."""
    if len(labels) <= most:
        return slice(None)
    drawn = np.random.default_rng(0).choice(len(labels), most, replace=False)
    return np.union1d(drawn, np.unique(labels, return_index=True)[1]) if _are_classes(labels) else np.sort(drawn)
