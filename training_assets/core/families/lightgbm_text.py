"""LightGBM's text format, read with suspicion: its own reader trusts every index, and would crash the process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HEADER = (
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "monotone_constraints",
    "feature_names",
    "feature_infos",
)
OF_NODES = ("split_feature", "left_child", "right_child", "decision_type", "threshold", "split_gain")
OF_NODES_TOO = ("internal_value", "internal_weight", "internal_count")
OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
OF_TREE = ("num_leaves", "num_cat", "cat_boundaries", "cat_threshold", "is_linear", "shrinkage")
FIELDS = {*OF_NODES, *OF_NODES_TOO, *OF_LEAVES, *OF_TREE}
NUMBERS = re.compile(r"[-+0-9.einfa ]*")  # inf and nan are numbers, too
TREE = re.compile(r"^Tree=\d+\n", re.MULTILINE)
NOWHERE = "trees that lead nowhere"
CATEGORICAL = 1  # bit of a node's decision type; the next is the side of missing values, then two of their kind


def sound(text: str, n_features: int, per_iteration: int) -> str:
    """The model alone, as LightGBM reads it back: the same text for the same model, however it was trained.

    Without the parameters of the training, which name the threads, and without offsets, which a reader would have to
    trust. Raises `ValueError` for a text that is not such a model of `n_features`, or not of `per_iteration` trees an
    iteration.
    """
    try:
        return _put_together(text, n_features, per_iteration)
    except (ValueError, OverflowError) as error:
        message = f"the text of this file is not the trees of a model ({error}); fetch the artifact again"
        raise ValueError(message) from error


def _put_together(text: str, n_features: int, per_iteration: int) -> str:
    """One tree after the other: of 26 classes there are tens of thousands, and all of them taken apart are large."""
    whole = text.find("\nend of trees")
    end = len(text) if whole < 0 else whole
    begun = [(match.start(), match.end()) for match in TREE.finditer(text, 0, end)]
    head = text[: begun[0][0] if begun else end]
    header = {key: value for key, value in _fields(head.partition("\n")[2]).items() if key != "tree_sizes"}
    promised = (header.get("num_class"), header.get("num_tree_per_iteration"), header.get("max_feature_idx"))
    if (
        not text.startswith("tree\n")
        or not set(header) <= set(HEADER)
        or promised != (str(per_iteration), str(per_iteration), str(n_features - 1))
    ):
        message = "another model's header"
        raise ValueError(message)
    parts = ["\n".join(["tree", *_lines(header), ""])]
    for number, (_, start) in enumerate(begun):
        fields = _fields(text[start : begun[number + 1][0] if number + 1 < len(begun) else end])
        if not _Tree(fields).is_sound(n_features):
            raise ValueError(NOWHERE)
        parts.append("\n".join([f"Tree={number}", *_lines(fields), "", ""]))
    if not begun or len(begun) % per_iteration:
        raise ValueError(NOWHERE)
    return "\n".join([*parts, "end of trees", ""])


def _fields(block: str) -> dict[str, str]:
    """`key=value` lines by key; of the same key twice, a reader could take either."""
    lines = [line.split("=", 1) for line in block.split("\n") if line]
    fields = {line[0]: line[-1] for line in lines}
    if len(fields) != len(lines) or any(len(line) != 2 for line in lines):
        message = "keys that are missing or occur twice"
        raise ValueError(message)
    return fields


def _lines(fields: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in fields.items()]


@dataclass(frozen=True)
class _Tree:
    fields: Mapping[str, str]

    def is_sound(self, n_features: int) -> bool:
        """Whether every index is within its array, and every node after its parent."""
        if not set(self.fields) <= FIELDS or not all(NUMBERS.fullmatch(text) for text in self.fields.values()):
            return False
        leaves, categories = self._one("num_leaves"), self._one("num_cat")
        splits = leaves - 1
        if leaves < 1 or categories < 0 or self._one("is_linear") != 0:
            return False
        if not self._have(OF_LEAVES, leaves, missing=("leaf_weight", "leaf_count") if leaves == 1 else ()):
            return False
        if not splits:
            return not categories
        if not self._have((*OF_NODES, *OF_NODES_TOO), splits):
            return False
        feature, kind = self._integers("split_feature"), self._integers("decision_type")
        place = np.arange(splits)
        sides = [self._integers(side) for side in ("left_child", "right_child")]
        return bool(
            ((feature >= 0) & (feature < n_features)).all()
            and ((kind >= 0) & (kind < 12)).all()
            and all(np.where(side < 0, ~side < leaves, (side > place) & (side < splits)).all() for side in sides)
            and self._has_sound_categories(kind & CATEGORICAL == CATEGORICAL, categories)
        )

    def _has_sound_categories(self, native: npt.NDArray[np.bool_], categories: int) -> bool:
        if not categories:
            return not native.any()
        bounds, words = self._integers("cat_boundaries"), self._integers("cat_threshold")
        which = self._floats("threshold")[native]
        return bool(
            len(bounds) == categories + 1
            and bounds[0] == 0
            and (np.diff(bounds) >= 0).all()
            and bounds[-1] == len(words)
            and ((words >= 0) & (words < 2**32)).all()
            and ((which >= 0) & (which < categories) & (which == np.floor(which))).all()
        )

    def _have(self, names: tuple[str, ...], count: int, missing: tuple[str, ...] = ()) -> bool:
        return all(len(self._floats(name)) == count for name in names if name not in missing)

    def _one(self, name: str) -> int:
        return int(self.fields.get(name, "-1"))

    def _integers(self, name: str) -> npt.NDArray[np.int64]:
        return np.array(self.fields.get(name, "").split(), dtype=np.int64)

    def _floats(self, name: str) -> npt.NDArray[np.float64]:
        return np.array(self.fields.get(name, "").split(), dtype=np.float64)
