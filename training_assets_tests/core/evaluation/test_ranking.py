"""Ranks are counted pair by pair, and the quick way gives the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.evaluation.ranking import OneAgainstRest, Ranking

row = st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3))


@given(st.lists(row, min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_the_area_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool, int]]) -> None:
    scores, positive, weights = (np.array(column) for column in zip(*rows, strict=True))
    pairs = [(w * v, 1.0 if s > t else 0.5 if s == t else 0.0) for s, p, w in rows if p for t, q, v in rows if not q]
    total = sum(weight for weight, _ in pairs)
    expected = sum(weight * won for weight, won in pairs) / total if total else math.nan
    floats = weights.astype(float)
    for area in (
        Ranking(scores.astype(float), positive).measure(floats)[0],
        OneAgainstRest(scores.astype(float), positive).roc_auc(floats),
    ):
        assert area == pytest.approx(expected, nan_ok=True)


def test_steps_count_from_the_best_score_down() -> None:
    ranking = Ranking(np.array([0.1, 0.9, 0.9, 0.5]), np.array([False, True, False, True]))
    above, wrong = ranking.steps(np.array([1.0, 2.0, 3.0, 4.0]))
    assert above.tolist() == [2, 6, 6]
    assert wrong.tolist() == [3, 3, 4]


def test_average_precision_ignores_steps_without_weight() -> None:
    ranking = Ranking(np.array([0.9, 0.8, 0.7]), np.array([False, True, False]))
    assert ranking.measure(np.array([0.0, 1.0, 1.0])) == (1.0, 1.0)


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_one_class_alone_has_no_ranking(positive: list[bool]) -> None:
    scores, weights = np.array([0.1, 0.2]), np.ones(2)
    assert all(math.isnan(value) for value in Ranking(scores, np.array(positive)).measure(weights))
    assert math.isnan(OneAgainstRest(scores, np.array(positive)).roc_auc(weights))
