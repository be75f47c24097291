from __future__ import annotations

import zipfile
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from training_assets.core.families import FAMILIES, Learning, binning
from training_assets.core.families.forest import Forest
from training_assets.core.families.hist_gradient_boosting import HistGradientBoostingModel
from training_assets_tests.core.encoding.made_rows import made


@cache
def forest() -> Forest:
    train, validation, _ = made("multiclass").data()
    family = FAMILIES["hist_gradient_boosting"]
    model = family.fit(
        {},
        train,
        validation,
        learning=Learning("log_loss"),
        threads=1,
        seed=0,
        max_iterations=10,
        patience=10,
        stop=lambda _made, _loss: False,
    )
    return cast("HistGradientBoostingModel", model).forest


def with_nodes(field: str, value: Any, *, where: str) -> Forest:
    nodes = forest().nodes.copy()
    chosen = {"leaf": nodes["is_leaf"] == 1, "split": nodes["is_leaf"] == 0, "native": nodes["is_categorical"] == 1}
    nodes[field][np.flatnonzero(chosen[where])[0]] = value
    return replace(forest(), nodes=nodes)


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    forest().save(tmp_path / "trees.npz")
    read = Forest.load(tmp_path / "trees.npz")
    for entry in fields(Forest):
        np.testing.assert_array_equal(getattr(read, entry.name), getattr(forest(), entry.name))
    assert read.digest() == forest().digest()


def test_it_holds_native_splits() -> None:
    assert (forest().nodes["is_categorical"] == 1).any()
    assert len(forest().bitsets) == forest().bitset_counts.sum() > 0


def test_raw_predictions_are_the_baseline_and_the_sum_of_the_trees() -> None:
    matrix = np.concatenate(list(binning.blocks(made("multiclass").data()[2])))
    stump = replace(forest(), nodes=forest().nodes.copy())
    stump.nodes["value"] = 0.0
    np.testing.assert_array_equal(stump.raw(matrix), np.tile(forest().baseline, (len(matrix), 1)))
    assert not np.allclose(forest().raw(matrix), stump.raw(matrix))


def test_gains_are_those_of_the_splits() -> None:
    gains = forest().gains()
    assert gains.shape == forest().native_index.shape
    splits = forest().nodes[forest().nodes["is_leaf"] == 0]
    assert gains.sum() == pytest.approx(splits["gain"].sum())


@pytest.mark.parametrize(
    ("field", "value", "where"), [("value", 1.5, "leaf"), ("num_threshold", 0.123, "split"), ("left", 2, "split")]
)
def test_the_digest_is_of_every_field(field: str, value: float, where: str) -> None:
    assert with_nodes(field, value, where=where).digest() != forest().digest()


@pytest.mark.parametrize(
    "broken",
    [
        lambda: with_nodes("feature_idx", 10_000, where="split"),
        lambda: with_nodes("feature_idx", -1, where="split"),
        lambda: with_nodes("left", 0, where="split"),  # a tree that never ends
        lambda: with_nodes("right", 4_000_000_000, where="split"),
        lambda: with_nodes("bitset_idx", 4_000_000, where="native"),
        lambda: replace(forest(), nodes=forest().nodes[:-1]),
        lambda: replace(forest(), nodes=forest().nodes["value"]),
        lambda: replace(forest(), node_counts=forest().node_counts[:-1]),
        lambda: replace(forest(), node_counts=np.zeros_like(forest().node_counts)),
        lambda: replace(forest(), bitsets=forest().bitsets[:-1]),
        lambda: replace(forest(), bitsets=forest().bitsets[:, :-1]),
        lambda: replace(forest(), bitsets=forest().bitsets.astype(np.int64)),
        lambda: replace(forest(), known_codes=forest().known_codes[:0]),
        lambda: replace(forest(), native_index=forest().native_index[:0]),
        lambda: replace(forest(), native_index=forest().native_index + np.uint32(100)),
        lambda: replace(forest(), baseline=np.zeros(4)),
        lambda: replace(forest(), baseline=np.zeros(0)),
        lambda: replace(forest(), node_counts=forest().node_counts[:0], bitset_counts=forest().bitset_counts[:0]),
    ],
)
def test_arrays_that_would_crash_the_process_are_refused(broken: Any, tmp_path: Path) -> None:
    broken().save(tmp_path / "trees.npz")
    with pytest.raises(ValueError, match="not the trees of a model"):
        Forest.load(tmp_path / "trees.npz")


def test_a_file_that_would_unpickle_is_refused(tmp_path: Path) -> None:
    objects = {entry.name: np.array([{}], dtype=object) for entry in fields(Forest)}
    np.savez(tmp_path / "trees.npz", **objects)  # type: ignore[arg-type]  # the names are those of arrays
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Forest.load(tmp_path / "trees.npz")


def test_a_file_that_lacks_an_array_is_refused(tmp_path: Path) -> None:
    forest().save(tmp_path / "trees.npz")
    with zipfile.ZipFile(tmp_path / "trees.npz") as whole, zipfile.ZipFile(tmp_path / "part.npz", "w") as part:
        for name in whole.namelist()[:-1]:
            part.writestr(name, whole.read(name))
    with pytest.raises(KeyError):
        Forest.load(tmp_path / "part.npz")
