"""Trees of histogram gradient boosting as plain arrays: predicted by scikit-learn's own code, kept without pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.data import Floats

BITSET_WORDS = 8  # 256 bits: one for each code that a native category may have


@dataclass(frozen=True)
class Forest:
    """Trees laid end to end, iteration by iteration and in each class by class, and what they are added to."""

    nodes: npt.NDArray[Any]  # scikit-learn's node records; children are counted from the first node of their tree
    node_counts: npt.NDArray[np.int64]  # nodes of each tree
    bitsets: npt.NDArray[np.uint32]  # (n_categorical_splits, 8): raw codes that go left
    bitset_counts: npt.NDArray[np.int64]  # bitsets of each tree
    baseline: Floats  # (n_outputs,): raw prediction before the first tree
    known_codes: npt.NDArray[np.uint32]  # (n_native_categories, 8): codes that training rows had
    native_index: npt.NDArray[np.uint32]  # (n_features,): row of `known_codes` of each native category, else 0

    @classmethod
    def of(cls, predictors: Sequence[Sequence[Any]], baseline: Floats, mapper: Any) -> Forest:
        """Take the arrays out of an estimator's fitted trees and bin mapper."""
        trees = [tree for iteration in predictors for tree in iteration]
        known_codes, native_index = mapper.make_known_categories_bitsets()
        return cls(
            nodes=np.concatenate([tree.nodes for tree in trees]),
            node_counts=np.array([len(tree.nodes) for tree in trees], dtype=np.int64),
            bitsets=np.concatenate([tree.raw_left_cat_bitsets for tree in trees]).reshape(-1, BITSET_WORDS),
            bitset_counts=np.array([len(tree.raw_left_cat_bitsets) for tree in trees], dtype=np.int64),
            baseline=np.asarray(baseline, dtype=np.float64).ravel(),
            known_codes=known_codes.reshape(-1, BITSET_WORDS),
            native_index=native_index,
        )

    def raw(self, matrix: Floats) -> Floats:
        """Raw predictions `n_rows x n_outputs` (log-odds, or values) for rows of `n_rows x n_features` float64.

        On one thread: OpenMP's would meet after each tree, and wait there for whatever else the cores are doing.
        """
        outputs = len(self.baseline)
        raw = np.tile(self.baseline, (len(matrix), 1))
        for index, tree in enumerate(self._predictors):
            raw[:, index % outputs] += tree.predict(matrix, self.known_codes, self.native_index, 1)
        return raw

    def gains(self) -> Floats:
        """Loss saved by the splits on each feature, (n_features,)."""
        splits = self.nodes[self.nodes["is_leaf"] == 0]
        gains = np.bincount(splits["feature_idx"], weights=splits["gain"].clip(0), minlength=len(self.native_index))
        return np.asarray(gains, dtype=np.float64)

    def digest(self) -> str:
        """Sha256 over the arrays, field by field: bytes between the fields of a record mean nothing."""
        sha = hashlib.sha256()
        for name, array in self._arrays().items():
            for part in array.dtype.names or [None]:
                values = np.ascontiguousarray(array if part is None else array[part])
                sha.update(f"{name}.{part}:{values.dtype.str}{values.shape}".encode())
                sha.update(values.tobytes())
        return sha.hexdigest()

    def save(self, path: Path) -> None:
        """Write an `.npz` of the arrays."""
        np.savez_compressed(path, allow_pickle=False, **self._arrays())

    @classmethod
    def load(cls, path: Path) -> Forest:
        """Read what `save` wrote; raises `ValueError` for arrays that are no trees, which would crash the process."""
        with np.load(path, allow_pickle=False) as arrays:
            forest = cls(**{entry.name: arrays[entry.name] for entry in fields(cls)})
        forest._refuse_what_is_no_forest()
        return forest

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    @cached_property
    def _predictors(self) -> list[Any]:
        from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

        nodes = np.split(self.nodes, np.cumsum(self.node_counts)[:-1])
        bitsets = np.split(self.bitsets, np.cumsum(self.bitset_counts)[:-1])
        none = np.zeros((0, BITSET_WORDS), dtype=np.uint32)  # bitsets over bins serve the fit alone
        return [TreePredictor(tree, none, left) for tree, left in zip(nodes, bitsets, strict=True)]

    def _refuse_what_is_no_forest(self) -> None:
        """The compiled code trusts every index, so each must be within its array, and children after their parent."""
        from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

        nodes, counts = self.nodes, self.node_counts
        sound = (
            nodes.dtype == PREDICTOR_RECORD_DTYPE
            and len(counts) == len(self.bitset_counts)
            and len(counts) > 0
            and len(self.baseline) > 0
            and len(counts) % len(self.baseline) == 0
            and counts.min() > 0
            and self.bitset_counts.min() >= 0
            and counts.sum() == len(nodes)
            and self.bitset_counts.sum() == len(self.bitsets)
            and all(array.dtype == np.uint32 for array in (self.bitsets, self.known_codes, self.native_index))
            and self.bitsets.shape[1:] == self.known_codes.shape[1:] == (BITSET_WORDS,)
        )
        if sound:
            place = np.arange(len(nodes)) - np.repeat(np.cumsum(counts) - counts, counts)
            size, bitset_count = np.repeat(counts, counts), np.repeat(self.bitset_counts, counts)
            native = (nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0)
            inner = nodes["is_leaf"] == 0
            index = nodes["feature_idx"]
            sound = bool(
                ((index >= 0) & (index < len(self.native_index)))[inner].all()
                and all(((nodes[side] > place) & (nodes[side] < size))[inner].all() for side in ("left", "right"))
                and (nodes["bitset_idx"] < bitset_count)[native].all()
                and (self.native_index[index[native]] < len(self.known_codes)).all()
            )
        if not sound:
            message = "the arrays of this file are not the trees of a model; fetch the artifact again"
            raise ValueError(message)
