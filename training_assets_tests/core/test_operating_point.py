from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from training_assets.core.errors import InputError
from training_assets.core.operating_point import Objective, best_threshold

SCORES = {"f1": f1_score, "accuracy": accuracy_score, "balanced_accuracy": balanced_accuracy_score}
OBJECTIVES: tuple[Objective, ...] = ("f1", "accuracy", "balanced_accuracy")

labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda number: number / 20) | st.floats(0, 1)),
    min_size=2,
    max_size=25,
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def arrays(rows: list[tuple[int, float]]) -> tuple[Any, Any]:
    return np.array([label for label, _ in rows]), np.array([probability for _, probability in rows])


@given(labelled, st.sampled_from(OBJECTIVES))
def test_no_threshold_is_better(rows: list[tuple[int, float]], objective: Objective) -> None:
    y, probability = arrays(rows)
    found = best_threshold(y, probability, objective)
    score = SCORES[objective]
    every = np.unique(np.concatenate([probability, [0.0, 1.0], np.nextafter(probability, 2).clip(0, 1)]))
    best = max(score(y, probability >= threshold) for threshold in every)
    assert 0 <= found <= 1
    assert score(y, probability >= found) == pytest.approx(best)


@given(labelled, st.data())
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, float]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert best_threshold(*arrays(rows)) == best_threshold(*arrays(shuffled))


def test_of_classes_that_are_apart_the_middle_is_taken() -> None:
    assert best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)


def test_neighbouring_cuts_that_are_equally_good_are_one_stretch() -> None:
    # accuracy is 3/4 from just above 0.2 up to 0.8, whether or not the two rows at 0.5 are called positive
    y, probability = np.array([0, 0, 1, 1]), np.array([0.2, 0.5, 0.5, 0.8])
    assert best_threshold(y, probability, "accuracy") == pytest.approx(0.5)


def test_of_separate_stretches_the_widest_is_taken() -> None:
    y = np.array([1, 0, 1, 0, 0])
    probability = np.array([0.9, 0.85, 0.4, 0.3, 0.1])  # accuracy 4/5 above 0.85 and above 0.3
    assert best_threshold(y, probability, "accuracy") == pytest.approx((0.3 + 0.4) / 2)


def test_of_stretches_as_wide_the_highest_is_taken() -> None:
    y, probability = np.array([1, 0, 1, 0]), np.array([1.0, 0.75, 0.5, 0.25])
    assert best_threshold(y, probability, "accuracy") == pytest.approx(0.875)


def test_f1_of_a_useless_model_calls_every_row_positive() -> None:
    y, probability = np.array([0, 1, 0, 1]), np.full(4, 0.5)
    assert best_threshold(y, probability) == pytest.approx(0.25)


def test_calling_no_row_positive_may_be_the_most_accurate() -> None:
    y, probability = np.array([0, 0, 0, 1]), np.array([0.6, 0.6, 0.6, 0.6])
    assert best_threshold(y, probability, "accuracy") == pytest.approx(0.8)


def test_a_probability_of_one_is_positive_whatever_the_threshold() -> None:
    y, probability = np.array([0, 0, 1]), np.array([1.0, 1.0, 1.0])
    assert 0 <= best_threshold(y, probability, "accuracy") <= 1


def test_a_threshold_of_zero_is_possible() -> None:
    assert best_threshold(np.array([1, 1, 0, 1]), np.array([0.0, 0.0, 0.0, 0.0])) == 0.0


def test_between_neighbouring_floats_the_upper_is_taken() -> None:
    low = 0.3
    high = float(np.nextafter(low, 1))
    assert best_threshold(np.array([0, 1]), np.array([low, high])) == high


@pytest.mark.parametrize("label", [0, 1])
def test_rows_of_one_class_have_no_operating_point(label: int) -> None:
    with pytest.raises(InputError, match="E_LABEL_CONST"):
        best_threshold(np.full(3, label), np.array([0.1, 0.2, 0.3]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        best_threshold(np.array([0, 1]), np.array([0.5, bad]))


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown objective 'luck'; known: f1"):
        best_threshold(np.array([0, 1]), np.array([0.1, 0.9]), "luck")  # type: ignore[arg-type]  # what is tested


def test_a_million_rows_take_a_second() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1_000_000)
    probability = np.clip(rng.normal(0.3 + 0.4 * y, 0.2), 0, 1)
    assert best_threshold(y, probability) == pytest.approx(0.47, abs=0.02)
