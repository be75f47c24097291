"""Trees of scikit-learn's forests as plain arrays: predicted by its own code, kept without pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.data import Floats
from training_assets.core.families.forest_rows import Rows

MANY = 5_000  # rows to predict, beside which making scikit-learn's tree again takes no time
LEAF = 0  # as a right child: no node has the root below it


@dataclass(frozen=True)
class TreeArrays:
    """Trees laid end to end, each parent before its children, the left one right after it."""

    counts: npt.NDArray[np.int64]  # nodes of each tree
    right: npt.NDArray[np.int32]  # (n_nodes,): right child, counted from the first node of the tree; 0 in a leaf
    feature: npt.NDArray[np.int32]  # (n_nodes,): column that a split reads
    threshold: npt.NDArray[np.float32]  # (n_nodes,): at most this goes left
    missing_left: npt.NDArray[np.uint8]  # (n_nodes,): whether a missing value goes left
    values: npt.NDArray[np.float32]  # (n_leaves, n_outputs), in the order of the leaves
    n_features: int

    @classmethod
    def of(cls, tree: Any, values: Floats) -> TreeArrays:
        """Take a fitted tree's arrays; `values` are those of its nodes, `n_nodes x n_outputs`."""
        nodes = tree.__getstate__()["nodes"]
        leaf = nodes["left_child"] < 0
        if not (nodes["left_child"][~leaf] == np.flatnonzero(~leaf) + 1).all():
            message = "this tree was not grown depth first"
            raise ValueError(message)
        return cls(
            counts=np.array([len(nodes)], dtype=np.int64),
            right=np.where(leaf, LEAF, nodes["right_child"]).astype(np.int32),
            feature=np.where(leaf, 0, nodes["feature"]).astype(np.int32),
            threshold=_rounded_down(np.where(leaf, 0, nodes["threshold"])),
            missing_left=np.where(leaf, 0, nodes["missing_go_to_left"]).astype(np.uint8),
            values=values[leaf].astype(np.float32),
            n_features=int(tree.n_features),
        )

    @classmethod
    def joined(cls, parts: Sequence[TreeArrays]) -> TreeArrays:
        """All their trees, in order."""
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].arrays()}
        return cls(**arrays, n_features=parts[0].n_features)

    def total(self, rows: Rows) -> Floats:
        """Sum of the trees' predictions, `n_rows x n_outputs`, added up tree by tree.

        For few rows the trees are kept as scikit-learn reads them, in four times the memory of the arrays.
        """
        total = np.zeros((len(rows), self.values.shape[1]))
        for tree in self._kept if len(rows) < MANY else self._trees():
            total += tree.predict(rows)
        return total

    def digest(self) -> str:
        """Sha256 over the arrays."""
        sha = hashlib.sha256(str(self.n_features).encode())
        for name, array in self.arrays().items():
            sha.update(f"{name}:{array.dtype.str}{array.shape}".encode())
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()

    def save(self, path: Path) -> None:
        """Write an `.npz` of the arrays."""
        np.savez_compressed(path, allow_pickle=False, **self.arrays())

    @classmethod
    def load(cls, path: Path, n_features: int) -> TreeArrays:
        """Read what `save` wrote; raises `ValueError` for arrays that are no trees, which would crash the process."""
        with np.load(path, allow_pickle=False) as arrays:
            read = cls(**{name: arrays[name] for name in cls._names()}, n_features=n_features)
        read._refuse_what_are_no_trees()
        return read

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything but the number of features, by name."""
        return {name: getattr(self, name) for name in self._names()}

    @classmethod
    def _names(cls) -> list[str]:
        return [entry.name for entry in fields(cls) if entry.name != "n_features"]

    @cached_property
    def _kept(self) -> list[Any]:
        return list(self._trees())

    def _trees(self) -> Iterator[Any]:
        ends = np.cumsum(self.counts)
        leaves = np.cumsum(np.concatenate([[0], self.right == LEAF]))  # before each node
        for end, count in zip(ends.tolist(), self.counts.tolist(), strict=True):
            yield self._tree(slice(end - count, end), self.values[leaves[end - count] : leaves[end]])

    def _tree(self, part: slice, values: npt.NDArray[np.float32]) -> Any:
        from sklearn.tree._tree import NODE_DTYPE, Tree

        right = self.right[part]
        leaf = right == LEAF
        nodes = np.zeros(len(right), dtype=NODE_DTYPE)
        nodes["left_child"] = np.where(leaf, -1, np.arange(len(right)) + 1)
        nodes["right_child"] = np.where(leaf, -1, right)
        nodes["feature"] = np.where(leaf, -2, self.feature[part])
        nodes["threshold"] = np.where(leaf, -2, self.threshold[part])
        nodes["missing_go_to_left"] = self.missing_left[part]
        of_nodes = np.zeros((len(right), 1, values.shape[1]))
        of_nodes[leaf, 0] = values
        tree = Tree(self.n_features, np.array([values.shape[1]], dtype=np.intp), 1)
        tree.__setstate__({"max_depth": 0, "node_count": len(nodes), "nodes": nodes, "values": of_nodes})
        return tree

    def _refuse_what_are_no_trees(self) -> None:
        """The compiled code trusts every index, so each must be within its tree, and children after their parent."""
        right, counts = self.right, self.counts
        expected = {"counts": "i8", "right": "i4", "feature": "i4", "threshold": "f4", "missing_left": "u1"}
        sound = (
            all(getattr(self, name).dtype == np.dtype(kind) for name, kind in expected.items())
            and all(getattr(self, name).ndim == 1 for name in expected)
            and self.values.dtype == np.float32
            and self.values.ndim == 2
            and self.values.shape[1] > 0
            and len(counts) > 0
            and counts.min() > 0
            and len({counts.sum(), *(len(getattr(self, name)) for name in expected if name != "counts")}) == 1
            and len(self.values) == np.count_nonzero(right == LEAF)
        )
        if sound:
            inner = right != LEAF
            place = np.arange(len(right)) - np.repeat(np.cumsum(counts) - counts, counts)
            sound = bool(
                ((right > place + 1) & (right < np.repeat(counts, counts)))[inner].all()
                and ((self.feature >= 0) & (self.feature < self.n_features))[inner].all()
            )
        if not sound:
            message = "the arrays of this file are not the trees of a model; fetch the artifact again"
            raise ValueError(message)


def _rounded_down(thresholds: Floats) -> npt.NDArray[np.float32]:
    """The largest float32 up to each: a float32 is at most the one exactly where it is at most the other."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
