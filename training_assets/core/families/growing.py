"""How a forest grows: tree by tree, until more trees change little or somebody says stop."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from training_assets.core.families.base import Stop
from training_assets.core.families.data import Data, Floats
from training_assets.core.families.forest_rows import Rows, matrix
from training_assets.core.families.tree_arrays import TreeArrays

BATCH = 8  # trees between two looks: enough that threads have work
WINDOW = 30  # trees over which the loss must have fallen
NOTABLE = 2e-3  # by this share


@dataclass(frozen=True)
class Grown:
    """The trees, and how well they did as they became more."""

    trees: TreeArrays
    losses: list[float]  # on validation rows, after each tree
    gains: Floats  # (n_columns,): impurity that the splits on each column took away


class Watch:
    """Validation rows, and what the trees so far say of them together."""

    def __init__(self, validation: Data, seen: tuple[int, ...], scale: tuple[float, float]) -> None:
        """Rows of a class that training rows did not have are left out: no tree could learn them."""
        self._seen, self._scale = seen, scale
        rows, labels, weights = matrix(validation), validation.y, validation.weights
        if seen and not (known := np.isin(labels, seen)).all():
            rows, labels, weights = rows[known], labels[known], None if weights is None else weights[known]
        self._rows, self._labels, self._weights = rows, labels, weights
        self._total: Any = 0.0
        self._trees = 0

    def loss_with(self, tree: TreeArrays) -> float:
        """Log loss, or root mean squared error, with this tree, too."""
        self._total = self._total + tree.total(self._rows)
        self._trees += 1
        mean = self._total / self._trees
        if not self._seen:
            misses = mean[:, 0] * self._scale[1] + self._scale[0] - self._labels
            return math.sqrt(np.average(np.square(misses), weights=self._weights))
        if mean.shape[1] == 1:
            mean = np.column_stack([1 - mean, mean])
        of_label = mean[np.arange(len(mean)), np.searchsorted(self._seen, self._labels)]
        return float(np.average(-np.log(np.clip(of_label, 1e-15, None)), weights=self._weights))


def grown(
    estimator: Any,
    training: tuple[Rows, Floats, Floats | None],
    read: Callable[[Any], TreeArrays],
    watch: Watch | None,
    *,
    most: int,
    patience: int,
    stop: Stop,
) -> Grown:
    """Grow up to `most` trees of scikit-learn's (unfitted, `warm_start`) estimator; `read` takes a tree's arrays.

    With validation rows, growing ends once the loss has hardly fallen over the last trees. What is grown depends on
    neither batches nor threads: each tree has a seed of its own.
    """
    trees: list[TreeArrays] = []
    losses: list[float] = []
    gains = np.zeros(training[0].shape[1])
    while len(trees) < most:
        estimator.n_estimators = min(len(trees) + BATCH, most)
        estimator.fit(*training)
        for fitted in estimator.estimators_[len(trees) :]:
            tree = read(fitted.tree_)
            trees.append(tree)
            gains += fitted.tree_.compute_feature_importances(normalize=False)
            del fitted.tree_  # a few times larger than what was read
            loss = math.nan
            if watch is not None:
                loss = watch.loss_with(tree)
                losses.append(loss)
            if stop(len(trees), loss) or _settled(losses, min(patience, WINDOW)):
                return Grown(TreeArrays.joined(trees), losses, gains)
    return Grown(TreeArrays.joined(trees), losses, gains)


def _settled(losses: list[float], window: int) -> bool:
    return len(losses) > window and losses[-1] > (1 - NOTABLE) * losses[-1 - window]
