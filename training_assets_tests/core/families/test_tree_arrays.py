from __future__ import annotations

import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.families import FAMILIES, forest_rows
from training_assets.core.families.averaged_trees import AveragedTreesModel
from training_assets.core.families.tree_arrays import TreeArrays, _rounded_down
from training_assets_tests.core.families.fits import fitted, splits

BIG = 2.0**100


@cache
def trees() -> TreeArrays:
    return cast("AveragedTreesModel", fitted("extra_trees", "multiclass", max_iterations=4)).trees


def with_split(field: str, value: float) -> TreeArrays:
    """The trees with one value of the first split (which is the first root) replaced."""
    array = getattr(trees(), field).copy()
    array[0] = value
    return replace(trees(), **{field: array})


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    trees().save(tmp_path / "trees.npz")
    read = TreeArrays.load(tmp_path / "trees.npz", trees().n_features)
    assert read.digest() == trees().digest()
    rows = forest_rows.matrix(splits("multiclass")[2])
    np.testing.assert_array_equal(read.total(rows), trees().total(rows))


def test_the_total_is_the_sum_of_the_trees() -> None:
    rows = forest_rows.matrix(splits("multiclass")[2])
    np.testing.assert_allclose(trees().total(rows).sum(axis=1), 4, rtol=1e-6)
    assert trees().values.shape[1] == 3


@pytest.mark.parametrize(
    ("field", "value"), [("right", 3), ("feature", 1), ("threshold", 0.123), ("missing_left", 7), ("values", 0.5)]
)
def test_the_digest_is_of_every_array(field: str, value: float) -> None:
    assert with_split(field, value).digest() != trees().digest()


@given(st.floats(-BIG, BIG), st.floats(-BIG, BIG, width=32))
def test_a_rounded_threshold_sends_every_row_the_same_way(threshold: float, row: float) -> None:
    rounded = _rounded_down(np.array([threshold]))[0]
    assert (np.float32(row) <= rounded) == (row <= threshold)


@given(st.floats(-BIG, BIG, width=32))
def test_a_row_on_the_threshold_stays_left(row: float) -> None:
    assert np.float32(row) <= _rounded_down(np.array([row]))[0]


@pytest.mark.parametrize(
    "broken",
    [
        lambda: with_split("feature", 10_000),
        lambda: with_split("feature", -1),
        lambda: with_split("right", 1),
        lambda: with_split("right", -5),  # a tree that never ends
        lambda: with_split("right", 2_000_000_000),
        lambda: with_split("right", 0),  # a leaf too many
        lambda: replace(trees(), right=trees().right[:-1]),
        lambda: replace(trees(), right=trees().right.astype(np.int64)),
        lambda: replace(trees(), threshold=trees().threshold.astype(np.float64)),
        lambda: replace(trees(), threshold=trees().threshold[:, None]),
        lambda: replace(trees(), counts=trees().counts[:-1]),
        lambda: replace(trees(), counts=trees().counts[:0]),
        lambda: replace(trees(), counts=np.zeros_like(trees().counts)),
        lambda: replace(trees(), values=trees().values[:-1]),
        lambda: replace(trees(), values=trees().values[:, :0]),
        lambda: replace(trees(), values=trees().values[:, 0]),
        lambda: replace(trees(), values=trees().values.astype(np.float64)),
        lambda: replace(trees(), feature=np.array({}, dtype=object)),
    ],
)
def test_arrays_that_would_crash_the_process_are_refused(broken: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "trees.npz", **broken().arrays())
    with pytest.raises(ValueError, match=r"not the trees of a model|allow_pickle=False"):
        TreeArrays.load(tmp_path / "trees.npz", trees().n_features)


def test_trees_of_other_rows_are_refused(tmp_path: Path) -> None:
    trees().save(tmp_path / "trees.npz")
    with pytest.raises(ValueError, match="not the trees of a model"):
        TreeArrays.load(tmp_path / "trees.npz", 2)


def test_a_file_that_lacks_an_array_is_refused(tmp_path: Path) -> None:
    trees().save(tmp_path / "trees.npz")
    with zipfile.ZipFile(tmp_path / "trees.npz") as whole, zipfile.ZipFile(tmp_path / "part.npz", "w") as part:
        for name in whole.namelist()[:-1]:
            part.writestr(name, whole.read(name))
    with pytest.raises(KeyError):
        TreeArrays.load(tmp_path / "part.npz", trees().n_features)


def test_the_trees_of_another_model_are_refused(tmp_path: Path) -> None:
    fitted("extra_trees", "multiclass", max_iterations=2).save(tmp_path)
    binary = tmp_path / "binary"
    fitted("extra_trees", "binary", max_iterations=2).save(binary)
    (binary / "trees.npz").replace(tmp_path / "trees.npz")
    with pytest.raises(ValueError, match=r"another model|not the trees of a model"):
        FAMILIES["extra_trees"].load(tmp_path)


def test_a_tree_that_was_not_grown_depth_first_is_refused() -> None:
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 3))
    tree = DecisionTreeRegressor(max_leaf_nodes=20).fit(rows, rows[:, 0] * rows[:, 1]).tree_
    with pytest.raises(ValueError, match="depth first"):
        TreeArrays.of(tree, tree.value[:, 0, :])
