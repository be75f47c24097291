"""A fitted forest: the mean of its trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.families import forest_rows
from training_assets.core.families.base import Fit
from training_assets.core.families.data import Data, Floats
from training_assets.core.families.tree_arrays import TreeArrays
from training_assets.core.fingerprint import digest

FILE = "trees.npz"
BLOCK = 65_536  # rows at a time


@dataclass(frozen=True)
class AveragedTreesModel:
    """The trees of a fit, and the classes that they tell apart."""

    trees: TreeArrays
    fit: Fit
    task: str
    n_classes: int
    seen: tuple[int, ...]  # codes of the classes that training rows had; empty for a regression
    scale: tuple[float, float]  # centre and spread of a regression's values; 0 and 1 for classes
    share_of: Mapping[str, float]  # feature -> share in the impurity that splits took away
    family: str

    @property
    def best_iteration(self) -> int | None:
        """Trees: all that were grown, as more are never worse."""
        return self.fit.best_iteration

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.fit.curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """Loss on validation rows with each tree; none on training rows, which the trees know by heart."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes."""
        rows = forest_rows.matrix(data)
        parts = [self.trees.total(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]
        total = np.concatenate(parts) if parts else np.zeros((0, self.trees.values.shape[1]))
        mean = total / len(self.trees.counts)
        if self.task == "regression":
            return mean[:, 0] * self.scale[1] + self.scale[0]
        if len(self.seen) == 2:
            mean = np.column_stack([1 - mean, mean])
        probabilities = np.zeros((len(mean), self.n_classes))
        probabilities[:, list(self.seen)] = mean / mean.sum(axis=1, keepdims=True)
        return probabilities[:, 1] if self.task == "binary" else probabilities

    def save(self, folder: Path) -> None:
        """Write `trees.npz` and `fit.json`."""
        self.fit.save(folder, self._header())
        self.trees.save(folder / FILE)

    def canonical(self) -> str:
        """Digest trees, task and classes."""
        return digest({"family": self.family, "trees": self.trees.digest(), **self._header()})

    def importances(self) -> dict[str, float]:
        """Share of each feature in the impurity that all splits took away."""
        return dict(self.share_of)

    def _header(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "n_classes": self.n_classes,
            "n_columns": self.trees.n_features,
            "seen": list(self.seen),
            "scale": list(self.scale),
            "share_of": dict(self.share_of),
        }


def load(family: str, folder: Path) -> AveragedTreesModel:
    """Read `trees.npz` and `fit.json`; raises `ValueError` for arrays that are not the trees of the header."""
    fit, header = Fit.load(folder)
    trees = TreeArrays.load(folder / FILE, header["n_columns"])
    seen = tuple(header["seen"])
    if trees.values.shape[1] != (1 if len(seen) in (0, 2) else len(seen)):
        message = "the trees of this file are those of another model; fetch the artifact again"
        raise ValueError(message)
    center, spread = header["scale"]
    return AveragedTreesModel(
        trees=trees,
        fit=fit,
        task=header["task"],
        n_classes=header["n_classes"],
        seen=seen,
        scale=(float(center), float(spread)),
        share_of=header["share_of"],
        family=family,
    )
