"""A fitted multi-layer perceptron: weights and biases, and what its rows and values were scaled by."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.base import Fit
from training_assets.core.families.data import Data, Floats
from training_assets.core.families.design_matrix import Scale
from training_assets.core.families.packed_rows import PackedRows, build
from training_assets.core.fingerprint import digest

FILE = "layers.npz"
BLOCK = 8_192  # rows that are predicted at a time: what the units of a layer say of more would fill memory
CALM = 3.0
"""Scaled values far beyond this are squashed smoothly (as RealMLP does: Holzmüller et al., 2024)."""

Single = npt.NDArray[np.float32]
Layers = tuple[tuple[Single, Single], ...]


@dataclass(frozen=True)
class MlpModel:
    """The weights and biases of each layer, and the scales that they were fitted in."""

    layers: Layers
    scale: Scale
    label_center: float  # of a regression's values; 0 and 1 for classes
    label_spread: float
    share_of: Mapping[str, float]  # feature -> share in the change of predictions when its values are shuffled
    fit: Fit
    task: str
    n_classes: int
    family: str = "mlp"

    @property
    def best_iteration(self) -> int | None:
        """Iterations kept."""
        return self.fit.best_iteration

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.fit.curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """Loss on validation rows after each iteration; none on training rows."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes, in float64, so that one row alone gives what it gives among others."""
        return self.predict_squashed(squashed_rows(data, self.scale))

    def predict_squashed(self, rows: SquashedRows | Single) -> Floats:
        """Predict all of these squashed rows, block by block."""
        starts = range(0, max(rows.shape[0], 1), BLOCK)
        return np.concatenate([self.predict_rows(rows[start : start + BLOCK]) for start in starts])

    def predict_rows(self, rows: Single) -> Floats:
        """Predict rows of the squashed matrix."""
        from scipy.special import expit, softmax

        values = rows.astype(np.float64)
        for weights, biases in self.layers[:-1]:
            values = np.maximum(values @ weights.astype(np.float64) + biases, 0.0)
        weights, biases = self.layers[-1]
        values = values @ weights.astype(np.float64) + biases
        if self.task == "regression":
            return np.asarray(values[:, 0] * self.label_spread + self.label_center, dtype=np.float64)
        predicted = expit(values[:, 0]) if self.task == "binary" else softmax(values, axis=1)
        return np.asarray(predicted, dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write `layers.npz` and `fit.json`."""
        self.fit.save(folder, self._header())
        arrays = {f"{name}{place}": each for place, pair in enumerate(self.layers) for name, each in zip("wb", pair)}  # noqa: B905 - two of each
        np.savez_compressed(folder / FILE, allow_pickle=False, **arrays)

    def canonical(self) -> str:
        """Digest weights, biases and scales."""
        sha = hashlib.sha256()
        for pair in self.layers:
            for array in pair:
                sha.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest({"family": self.family, "layers": sha.hexdigest(), **self._header()})

    def importances(self) -> dict[str, float]:
        """Share of each feature in how much predictions change when its values are shuffled among training rows."""
        return dict(self.share_of)

    def _header(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "n_classes": self.n_classes,
            "scale": {"center": list(self.scale.center), "spread": list(self.scale.spread)},
            "label": [self.label_center, self.label_spread],
            "share_of": dict(self.share_of),
        }


def load(folder: Path) -> MlpModel:
    """Read `layers.npz` and `fit.json`; raises `ValueError` for arrays that do not follow on one another."""
    fit, header = Fit.load(folder)
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        layers = tuple((arrays[f"w{place}"], arrays[f"b{place}"]) for place in range(len(arrays.files) // 2))
    widths = [(weights.shape, biases.shape) for weights, biases in layers]
    follow = all(before[0][-1:] == after[0][:1] for before, after in itertools.pairwise(widths))
    if not layers or not follow or any(len(one) != 2 or one[1:] != other for one, other in widths):
        message = "the arrays of this file are not the layers of a network; fetch the artifact again"
        raise ValueError(message)
    center, spread = header["label"]
    scale = Scale(tuple(header["scale"]["center"]), tuple(header["scale"]["spread"]))
    return MlpModel(layers, scale, center, spread, header["share_of"], fit, header["task"], header["n_classes"])


@dataclass(frozen=True)
class SquashedRows:
    """Packed rows that are made dense where they are indexed: squashed, and a one of a category squashed alike."""

    packed: PackedRows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.packed.shape

    @property
    def n_quantities(self) -> int:
        """Columns before those of categories: quantities and target encodings."""
        return int(self.packed.values.shape[1])

    def __getitem__(self, chosen: Any) -> Single:
        """Some rows, by a slice or their places."""
        values, columns = self.packed.values[chosen], self.packed.columns[chosen]
        dense = np.zeros((len(values), self.packed.shape[1]), dtype=np.float32)
        dense[:, : values.shape[1]] = values
        np.put_along_axis(dense, columns, _squashed(np.ones(1, dtype=np.float32)), axis=1)
        return dense


def squashed_rows(data: Data, scale: Scale) -> SquashedRows:
    """Scaled rows in float32, squashed; shared by fits at a time."""

    def squashed() -> SquashedRows:
        rows = build(data, scale)
        for start in range(0, data.n_rows, BLOCK):
            block = rows.values[start : start + BLOCK]
            block[:] = _squashed(block)
        return SquashedRows(rows)

    return data.lent(("squashed", scale), squashed)


def _squashed(values: Single) -> Single:
    squeezed: Single = values / np.hypot(np.float32(1), values / np.float32(CALM))  # a square would overflow
    return squeezed
