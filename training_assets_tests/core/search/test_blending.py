from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.search.blending import greedy_weights, mean
from training_assets.core.search.scores import metric

RMSE = metric(None, "regression")


def truth(rows: int = 400) -> Any:
    return np.random.default_rng(0).normal(size=rows)


def off(y: Any, seed: int, by: float) -> Any:
    return y + np.random.default_rng(seed).normal(scale=by, size=len(y))


def weights(predictions: dict[int, Any], y: Any, most: int = 5) -> dict[int, float]:
    return greedy_weights(predictions, y, RMSE, most=most)


def test_equally_good_models_that_err_apart_share_the_blend() -> None:
    y = truth()
    found = weights({number: off(y, number, 1.0) for number in range(1, 5)}, y)
    assert set(found) == {1, 2, 3, 4}
    assert max(found.values()) < 0.5


def test_a_model_that_is_far_better_is_left_alone() -> None:
    y = truth()
    assert weights({1: off(y, 1, 1.0), 2: off(y, 2, 0.01), 3: off(y, 3, 1.0)}, y) == {2: 1.0}


def test_of_equal_models_the_first_is_taken() -> None:
    y = truth()
    same = off(y, 1, 0.5)
    assert weights({3: same, 5: same, 4: same}, y) == {3: 1.0}


def test_no_more_members_than_are_wanted() -> None:
    y = truth()
    assert len(weights({number: off(y, number, 1.0) for number in range(10)}, y, most=2)) == 2


@given(st.lists(st.floats(0.05, 3), min_size=1, max_size=6), st.integers(1, 5))
def test_the_blend_is_never_worse_than_its_best_member_on_the_rows_it_was_chosen_on(
    scales: list[float], most: int
) -> None:
    y = truth(60)
    predictions = {number: off(y, number, scale) for number, scale in enumerate(scales)}
    found = weights(predictions, y, most=most)
    assert sum(found.values()) == pytest.approx(1)
    assert 1 <= len(found) <= most
    best = min(RMSE.score(y, each) for each in predictions.values())
    assert RMSE.score(y, mean(predictions, found)) <= best + 1e-12


def test_class_probabilities_are_blended_too() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 300)
    one, other = (rng.dirichlet(np.ones(3), 300) + np.eye(3)[y] for _ in range(2))
    predictions = {0: one / one.sum(axis=1, keepdims=True), 1: other / other.sum(axis=1, keepdims=True)}
    loss = metric(None, "multiclass")
    found = greedy_weights(predictions, y, loss, most=5)
    assert set(found) == {0, 1}
    assert mean(predictions, found).sum(axis=1) == pytest.approx(1)
