from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from training_assets.core.errors import InputError
from training_assets.core.operating_point import best_threshold
from training_assets.spec import Cost, Decision


def saved(y: Any, decided: Any) -> float:
    _, false_positives, false_negatives, _ = confusion_matrix(y, decided, labels=[0, 1]).ravel()
    return -float(0.1 * false_positives + 0.7 * false_negatives)


def precise_enough(y: Any, decided: Any) -> float:
    return float(precision_score(y, decided)) if recall_score(y, decided) >= 0.6 else -1.0


SCORES = {
    "f1": (Decision(), f1_score),
    "accuracy": (Decision(objective="accuracy"), accuracy_score),
    "balanced_accuracy": (Decision(objective="balanced_accuracy"), balanced_accuracy_score),
    "mcc": (Decision(objective="mcc"), matthews_corrcoef),
    "cost": (Decision(objective="cost", cost=Cost(false_positive=0.1, false_negative=0.7)), saved),
    "precision_at_recall": (Decision(objective="precision_at_recall", recall=0.6), precise_enough),
}
ACCURATE = Decision(objective="accuracy")

labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda number: number / 20) | st.floats(0, 1)),
    min_size=2,
    max_size=25,
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def arrays(rows: list[tuple[int, float]]) -> tuple[Any, Any]:
    return np.array([label for label, _ in rows]), np.array([probability for _, probability in rows])


@given(labelled, st.sampled_from(list(SCORES)))
def test_no_threshold_is_better(rows: list[tuple[int, float]], objective: str) -> None:
    y, probability = arrays(rows)
    decision, score = SCORES[objective]
    found = best_threshold(y, probability, decision)
    every = np.unique(np.concatenate([probability, [0.0, 1.0], np.nextafter(probability, 2).clip(0, 1)]))
    best = max(score(y, probability >= threshold) for threshold in every)
    assert 0 <= found <= 1
    assert score(y, probability >= found) == pytest.approx(best)


@given(labelled, st.sampled_from(list(SCORES)), st.data())
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, float]], objective: str, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    decision, _ = SCORES[objective]
    assert best_threshold(*arrays(rows), decision) == best_threshold(*arrays(shuffled), decision)


@given(labelled, st.sampled_from([1, 3, 10]), st.sampled_from(list(SCORES)))
def test_how_often_each_row_occurs_does_not_matter(rows: list[tuple[int, float]], times: int, objective: str) -> None:
    decision, _ = SCORES[objective]
    assert best_threshold(*arrays(rows * times), decision) == best_threshold(*arrays(rows), decision)


@given(labelled, st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_unit_of_costs_does_not_matter(rows: list[tuple[int, float]], positive: float, negative: float) -> None:
    found = {
        best_threshold(
            *arrays(rows),
            Decision(objective="cost", cost=Cost(false_positive=positive * unit, false_negative=negative * unit)),
        )
        for unit in (1, 2, 1024)
    }
    assert len(found) == 1


def test_equal_costs_are_equal_whatever_their_rounding() -> None:
    # one false negative, or three false positives: 0.3 in floats is a little less than three times 0.1
    y = np.array([1, 0, 0, 0, 1])
    probability = np.array([0.9, 0.4, 0.35, 0.3, 0.2])
    assert Fraction(0.3) != 3 * Fraction(0.1)
    decision = Decision(objective="cost", cost=Cost(false_positive=0.1, false_negative=0.3))
    assert best_threshold(y, probability, decision) == pytest.approx((0.9 + 0.4) / 2)  # wider than 0 to 0.2
    dearer = Decision(objective="cost", cost=Cost(false_positive=0.1, false_negative=0.30000000000000004))
    assert best_threshold(y, probability, dearer) == pytest.approx(0.1)


def test_of_equal_precisions_the_highest_recall_is_taken() -> None:
    y, probability = np.array([1, 1, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    decision = Decision(objective="precision_at_recall", recall=0.25)  # precision 1 at recall 0.25, 0.5 and 0.75
    assert best_threshold(y, probability, decision) == pytest.approx((0.7 + 0.2) / 2)


@pytest.mark.parametrize("recall", [0.1, 0.7, 0.29])
def test_a_recall_that_is_met_exactly_is_met(recall: float) -> None:
    positives = 100
    y = np.array([1] * positives + [0] * positives)
    probability = np.concatenate([np.linspace(1, 0.5, positives), np.full(positives, 0.55)])
    decision = Decision(objective="precision_at_recall", recall=recall)
    at_least = probability >= best_threshold(y, probability, decision)
    assert np.mean(at_least[:positives]) >= recall
    assert not at_least[positives:].any()


def test_a_recall_of_one_calls_all_the_positives_positive() -> None:
    y, probability = np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.5, 0.9])
    decision = Decision(objective="precision_at_recall", recall=1)
    assert best_threshold(y, probability, decision) == pytest.approx(0.2)


def test_of_classes_that_are_apart_the_middle_is_taken() -> None:
    assert best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)


def test_neighbouring_cuts_that_are_equally_good_are_one_stretch() -> None:
    # accuracy is 3/4 from just above 0.2 up to 0.8, whether or not the two rows at 0.5 are called positive
    y, probability = np.array([0, 0, 1, 1]), np.array([0.2, 0.5, 0.5, 0.8])
    assert best_threshold(y, probability, ACCURATE) == pytest.approx(0.5)


def test_of_separate_stretches_the_widest_is_taken() -> None:
    y = np.array([1, 0, 1, 0, 0])
    probability = np.array([0.9, 0.85, 0.4, 0.3, 0.1])  # accuracy 4/5 above 0.85 and above 0.3
    assert best_threshold(y, probability, ACCURATE) == pytest.approx((0.3 + 0.4) / 2)


def test_of_stretches_as_wide_the_highest_is_taken() -> None:
    y, probability = np.array([1, 0, 1, 0]), np.array([1.0, 0.75, 0.5, 0.25])
    assert best_threshold(y, probability, ACCURATE) == pytest.approx(0.875)


def test_f1_of_a_useless_model_calls_every_row_positive() -> None:
    y, probability = np.array([0, 1, 0, 1]), np.full(4, 0.5)
    assert best_threshold(y, probability) == pytest.approx(0.25)


def test_calling_no_row_positive_may_be_the_most_accurate() -> None:
    y, probability = np.array([0, 0, 0, 1]), np.array([0.6, 0.6, 0.6, 0.6])
    assert best_threshold(y, probability, ACCURATE) == pytest.approx(0.8)


@pytest.mark.parametrize("objective", list(SCORES))
def test_a_probability_of_one_is_positive_whatever_the_threshold(objective: str) -> None:
    y, probability = np.array([0, 0, 1]), np.array([1.0, 1.0, 1.0])
    assert 0 <= best_threshold(y, probability, SCORES[objective][0]) <= 1


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


@pytest.mark.parametrize("objective", list(SCORES))
def test_a_million_rows_take_a_second(objective: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1_000_000)
    probability = np.clip(rng.normal(0.3 + 0.4 * y, 0.2), 0, 1)
    found = best_threshold(y, probability, SCORES[objective][0])
    expected = {"f1": 0.47, "cost": 0.32, "precision_at_recall": 0.65}.get(objective, 0.5)
    assert found == pytest.approx(expected, abs=0.03)
