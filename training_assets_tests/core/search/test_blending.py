from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.families.blend import blended
from training_assets.core.search.blending import blend_weights, mean
from training_assets.core.search.scores import Metric, metric

RMSE = metric(None, "regression")


def truth(rows: int = 400) -> Any:
    return np.random.default_rng(0).normal(size=rows)


def off(y: Any, seed: int, by: float) -> Any:
    return y + np.random.default_rng(seed).normal(scale=by, size=len(y))


def weights(
    predictions: dict[int, Any], y: Any, most: int = 8, families: dict[int, str] | None = None
) -> dict[int, float]:
    return blend_weights(predictions, families or {number: str(number) for number in predictions}, y, RMSE, most=most)


def test_the_best_of_each_family_share_alike_where_nothing_else_is_more_than_noise() -> None:
    y = truth()
    many = {number: off(y, number, 1.0) for number in range(6)}
    families = {number: "one" if number < 3 else "other" for number in many}
    best = {min(group, key=lambda number: RMSE.score(y, many[number])) for group in ([0, 1, 2], [3, 4, 5])}
    found = weights(many, y, most=2, families=families)
    assert set(found) == best
    assert set(found.values()) == {0.5}


def test_equally_good_models_that_err_apart_share_the_blend() -> None:
    y = truth()
    found = weights({number: off(y, number, 1.0) for number in range(1, 5)}, y)
    assert set(found) == {1, 2, 3, 4}
    assert max(found.values()) < 0.5


def test_a_model_that_is_far_better_is_left_alone() -> None:
    y = truth()
    found = weights({1: off(y, 1, 1.0), 2: off(y, 2, 0.01), 3: off(y, 3, 1.0)}, y)
    assert max(found, key=lambda number: found[number]) == 2
    assert found[2] > 0.9


def test_a_second_model_of_a_family_joins_where_it_gains_much() -> None:
    y = truth(4000)
    noise = off(np.zeros(4000), 9, 1.0)
    found = weights({0: y + noise, 1: y - noise}, y, families={0: "one", 1: "one"})
    assert found == {0: 0.5, 1: 0.5}


def test_what_is_far_behind_joins_with_the_small_share_that_gains() -> None:
    """Independent errors of 1 and 2 are worth 4 to 1; half and half would be worse than the better one alone."""
    y = truth(20_000)
    found = weights({0: off(y, 1, 1.0), 1: off(y, 2, 2.0)}, y)
    assert found[1] == pytest.approx(0.2, abs=0.06)


def test_of_equal_models_the_first_is_taken() -> None:
    y = truth()
    same = off(y, 1, 0.5)
    assert weights({3: same, 5: same, 4: same}, y, families=dict.fromkeys((3, 4, 5), "one")) == {3: 1.0}


def test_one_member_is_the_best_model() -> None:
    y = truth()
    assert weights({0: off(y, 0, 0.5), 1: off(y, 1, 0.4), 2: off(y, 2, 0.6)}, y, most=1) == {1: 1.0}


@given(st.lists(st.floats(0.05, 3), min_size=1, max_size=6), st.integers(1, 5))
def test_weights_are_shares_of_at_most_as_many_members_as_are_wanted(scales: list[float], most: int) -> None:
    y = truth(60)
    found = weights({number: off(y, number, scale) for number, scale in enumerate(scales)}, y, most=most)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) > 0
    assert 1 <= len(found) <= most


@given(st.lists(st.floats(0.05, 3), min_size=2, max_size=6))
def test_it_is_no_worse_than_the_blend_that_it_began_with(scales: list[float]) -> None:
    y = truth(60)
    predictions = {number: off(y, number, scale) for number, scale in enumerate(scales)}
    alike = dict.fromkeys(predictions, 1 / len(predictions))
    found = weights(predictions, y)
    assert RMSE.score(y, mean(predictions, found)) <= RMSE.score(y, mean(predictions, alike)) + 1e-12


@pytest.mark.parametrize(
    ("name", "rare", "rows"), [("log_loss", 1, 100), ("log_loss", 1, 5000), ("roc_auc_ovr", 3, 5000)]
)
def test_class_probabilities_are_blended_and_few_rows_of_a_class_keep_no_worthless_model(
    name: str, rare: int, rows: int
) -> None:
    rng = np.random.default_rng(1)
    y = np.where(np.arange(2000) < rare, 2, rng.integers(0, 2, 2000))
    good = {number: rng.dirichlet(np.ones(3), 2000) + np.eye(3)[y] for number in (0, 1)}
    predictions = {number: one / one.sum(axis=1, keepdims=True) for number, one in good.items()}
    predictions[2] = rng.dirichlet(np.ones(3) / 4, 2000)
    families = {0: "a", 1: "b", 2: "c"}
    found = blend_weights(predictions, families, y, metric(name, "multiclass"), most=5, rows=rows)
    assert set(found) == {0, 1}
    assert mean(predictions, found).sum(axis=1) == pytest.approx(1)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_what_all_members_are_sure_of_is_no_more_than_sure(counts: list[int]) -> None:
    y = np.arange(20, dtype=np.int32) % 2
    sure = dict.fromkeys(range(len(counts)), y.astype(np.float32))
    blend = mean(sure, {number: count / sum(counts) for number, count in enumerate(counts)})
    np.testing.assert_array_equal(blend, y)
    assert metric("f1", "binary").score(y, blend) == 1


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_the_mean_is_what_a_blend_predicts_to_the_last_bit(counts: list[int]) -> None:
    said = {number: off(truth(), number, 1.0) for number in range(len(counts))}
    shares = {number: count / sum(counts) for number, count in enumerate(counts)}
    members: list[tuple[Any, float]] = [(Mock(**{"predict.return_value": said[each]}), shares[each]) for each in said]
    np.testing.assert_array_equal(mean(said, shares), blended(members).predict(Mock()))


# Folds on which the metric is not defined


@pytest.mark.parametrize(("name", "positives"), [("log_loss", 1), ("roc_auc", 3), ("average_precision", 3), ("f1", 3)])
def test_few_positive_rows_keep_no_worthless_model(name: str, positives: int) -> None:
    rng = np.random.default_rng(1)
    y = (np.arange(1000) < positives).astype(np.int32)
    predictions = {0: 0.7 * y + 0.1 * rng.random(1000), 1: 1 - 0.7 * y - 0.1 * rng.random(1000)}
    assert blend_weights(predictions, {0: "a", 1: "b"}, y, metric(name, "binary"), most=5)[0] > 0.5


def test_where_no_two_folds_can_be_scored_the_best_of_each_family_share_alike() -> None:
    y = (np.arange(100) == 0).astype(np.int32)
    predictions = {0: 0.7 * y + 0.1, 1: 0.9 - 0.7 * y}
    assert blend_weights(predictions, {0: "a", 1: "b"}, y, metric("roc_auc", "binary"), most=5) == {0: 0.5, 1: 0.5}


@pytest.mark.parametrize("rows", [2, 12, 2000])
def test_labels_may_be_alike_in_a_fold(rows: int) -> None:
    y = np.where(np.arange(rows) % 50 == 1, np.arange(rows), 0.0)
    predictions = {0: off(y, 0, 0.1), 1: off(y, 1, 300.0)}
    found = blend_weights(predictions, {0: "a", 1: "b"}, y, metric("r2", "regression"), most=5)
    assert found[0] >= 0.5
    assert rows < 2000 or found[0] > 0.8


def test_where_the_metric_is_not_defined_on_the_rows_that_were_drawn_all_are_taken() -> None:
    y = np.zeros(3000)
    y[:10] = np.arange(10) * 100
    predictions = {0: off(y, 0, 0.1), 1: off(y, 1, 100.0)}
    r2 = metric("r2", "regression")
    assert blend_weights(predictions, {0: "a", 1: "a"}, y, r2, most=5, rows=20) == {0: 1.0}


def test_a_metric_of_the_users_own_may_fail_on_a_fold() -> None:
    def compute(y: Any, predicted: Any) -> float:
        if not y.any():
            raise InputError("E_METRIC", "raised ValueError")
        return float(np.corrcoef(y, predicted)[0, 1])

    y = np.where(np.arange(2000) < 7, 1.0 + np.arange(2000), 0.0)
    predictions = {0: off(y, 0, 0.1), 1: off(y, 1, 10.0)}
    found = blend_weights(predictions, {0: "a", 1: "b"}, y, Metric("own", "higher", compute), most=5)
    assert found[0] > 0.5
