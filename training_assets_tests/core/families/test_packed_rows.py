"""Packed rows: the products of the sparse matrix to the last bit, in a third of its memory."""

from __future__ import annotations

import numpy as np
import pytest

from training_assets.core.families import design_matrix, packed_rows
from training_assets.core.families.design_matrix import Scale
from training_assets.core.families.packed_rows import packed
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("block", [1, 7, 64, 4_096])
@pytest.mark.parametrize("outputs", [1, 3])
def test_products_are_those_of_the_sparse_matrix_bit_by_bit(
    task: Task, block: int, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_rows, "BLOCK", block)
    train, validation, _ = made(task).data()
    scale, rng = Scale.of(train), np.random.default_rng(0)
    for data in (train, validation):
        rows, sparse = packed(data, scale), design_matrix.matrix(data, scale)
        assert rows.shape == sparse.shape
        weights, slopes = (rng.normal(size=(length, outputs)) for length in (rows.shape[1], rows.shape[0]))
        np.testing.assert_array_equal(rows @ weights, sparse @ weights)
        np.testing.assert_array_equal(rows.T @ slopes, sparse.T @ slopes)
        np.testing.assert_array_equal(rows.T @ slopes[:, 0], sparse.T @ slopes[:, 0])


@pytest.mark.parametrize("task", TASKS)
def test_spreads_are_the_standard_deviations_of_the_columns(task: Task) -> None:
    train, _, _ = made(task).data()
    scale = Scale.of(train)
    dense = design_matrix.matrix(train, scale).toarray()
    np.testing.assert_allclose(packed_rows.spreads(packed(train, scale)), dense.std(axis=0), atol=1e-6)


def test_values_take_a_third_of_the_memory() -> None:
    train, _, _ = made("binary").data()
    rows, sparse = packed(train, Scale.of(train)), design_matrix.matrix(train, Scale.of(train))
    theirs = sparse.data.nbytes + sparse.indices.nbytes
    assert rows.values.nbytes + rows.columns.nbytes <= theirs / 3
