from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from training_assets.core.families import dense_rows, design_matrix
from training_assets.core.families.data import Floats
from training_assets.core.families.design_matrix import Scale
from training_assets.core.families.shuffling import SAMPLE, Rows, shuffled_shares
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made
from training_assets_tests.core.families.fits import splits


def columns_of(task: Task, feature: str) -> list[int]:
    layout = splits(task)[0].layout
    return [place for place, name in enumerate(design_matrix.owners(layout)) if layout.owner(name) == feature]


def rows_of(task: Task) -> Rows:
    train = splits(task)[0]
    return dense_rows.matrix(train, Scale.of(train))


@pytest.mark.parametrize("task", TASKS)
def test_what_predictions_do_not_read_has_no_share(task: Task) -> None:
    place = columns_of(task, "amount")[0]
    found = shuffled_shares(lambda rows: rows[:, place].astype(float), rows_of(task), splits(task)[0].layout, 0)
    assert set(found) == set(made(task).kinds)
    assert found["amount"] == pytest.approx(1)
    assert sum(found.values()) == pytest.approx(1)


def test_columns_of_one_feature_are_shuffled_together() -> None:
    """A row stays one-hot, so a prediction that only asks whether it is does not change."""
    places = columns_of("binary", "colour")
    assert len(places) > 1
    layout = splits("binary")[0].layout
    found = shuffled_shares(lambda rows: rows[:, places].sum(axis=1).astype(float), rows_of("binary"), layout, 0)
    assert set(found.values()) == {1 / len(found)}  # nothing has any weight


def test_the_larger_effect_has_the_larger_share_in_proportion() -> None:
    amount, noise = (columns_of("regression", name)[0] for name in ("amount", "noise"))
    layout = splits("regression")[0].layout
    found = shuffled_shares(
        lambda rows: rows[:, [amount, noise]] @ np.array([9.0, 1.0]), rows_of("regression"), layout, 0
    )
    assert found["amount"] + found["noise"] == pytest.approx(1)
    assert 0.8 < found["amount"] < 0.97


def test_a_seed_repeats_and_no_more_rows_are_predicted_than_the_sample() -> None:
    seen: set[int] = set()

    def predict(rows: Rows) -> Floats:
        seen.add(len(rows))
        return rows.astype(np.float64) @ np.ones(rows.shape[1])

    rows, layout = np.tile(rows_of("binary"), (3, 1)), splits("binary")[0].layout
    before = rows.copy()
    first, again, other = (shuffled_shares(predict, rows, layout, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert seen == {SAMPLE}
    np.testing.assert_array_equal(rows, before)


def test_sparse_rows_are_as_good_as_dense_ones() -> None:
    rows, layout = rows_of("binary"), splits("binary")[0].layout
    weights = np.random.default_rng(0).normal(size=rows.shape[1])
    dense, sparse = (
        shuffled_shares(lambda some: np.asarray(some @ weights, np.float64), form, layout, 0)
        for form in (rows, csr_array(rows))
    )
    assert dense == sparse


def test_where_nothing_changes_predictions_all_have_equal_shares() -> None:
    found = shuffled_shares(lambda rows: np.zeros(len(rows)), rows_of("binary"), splits("binary")[0].layout, 0)
    assert set(found.values()) == {1 / len(found)}
