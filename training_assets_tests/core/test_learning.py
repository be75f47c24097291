from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from training_assets.core.class_weights import class_weights
from training_assets.core.encoding.layout import Layout
from training_assets.core.errors import InputError
from training_assets.core.families.base import Learning
from training_assets.core.learning import learning
from training_assets.spec import Training
from training_assets.spec.target import Task

LAYOUT = Layout(
    "binary",
    2,
    ("age", "income", "when__day", "when__hour"),
    {"plan": 4},
    ("plan",),
    {},
    made_of={"when__day": "when", "when__hour": "when"},
)


def training(**settings: Any) -> Training:
    return Training.model_validate(settings)


@pytest.mark.parametrize(
    ("task", "settings", "expected"),
    [
        ("binary", {}, Learning("log_loss")),
        ("multiclass", {}, Learning("log_loss")),
        ("regression", {}, Learning("squared_error")),
        ("regression", {"loss": "absolute_error"}, Learning("absolute_error")),
        ("regression", {"loss": "quantile", "quantile": 0.9}, Learning("quantile", 0.9)),
        ("binary", {"device": "gpu"}, Learning("log_loss", device="gpu")),
    ],
)
def test_the_spec_says_what_is_learnt(task: Task, settings: dict[str, Any], expected: Learning) -> None:
    assert learning(training(**settings), task) == expected


def test_directions_are_by_quantity() -> None:
    learnt = learning(training(monotone={"income": "increasing", "age": "decreasing"}), "binary", LAYOUT)
    assert learnt.monotone == {"income": 1, "age": -1}
    assert learnt.directions(LAYOUT.features) == [-1, 1, 0, 0, 0]


@pytest.mark.parametrize(("name", "what"), [("incme", "is no feature"), ("plan", "is a category, which has no order")])
def test_a_direction_of_what_is_no_quantity_is_refused(name: str, what: str) -> None:
    with pytest.raises(
        InputError, match=f"E_MONOTONE: .*'{name}', which {what}; quantities: age, income, when__day, when__hour"
    ):
        learning(training(monotone={name: "increasing"}), "binary", LAYOUT)


# Class weights


def test_without_class_weights_all_classes_count_alike() -> None:
    assert class_weights(training(), ["no", "yes"], np.array([0, 0, 1])) is None


def test_balanced_weights_are_scikit_learns() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat(np.arange(3), [50, 7, 3])
    ours = class_weights(training(class_weights="balanced"), ["a", "b", "c"], labels)
    assert ours == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=labels))
    assert ours is not None
    assert np.bincount(labels) * ours == pytest.approx([20, 20, 20])


def test_a_class_without_rows_weighs_one() -> None:
    assert class_weights(training(class_weights="balanced"), ["a", "b", "c"], np.array([0, 0, 0, 2])) == pytest.approx(
        (4 / 6, 1.0, 4 / 2)
    )


def test_named_classes_weigh_what_is_said_and_the_others_one() -> None:
    named = training(class_weights={"c": 5, "a": 0.5})
    assert class_weights(named, ["a", "b", "c"], np.array([0, 1, 2])) == (0.5, 1.0, 5.0)


def test_names_are_compared_as_text_is_stored() -> None:
    named = training(class_weights={"cafe\u0301": 2})
    assert class_weights(named, ["caf\u00e9", "tea"], np.array([0, 1])) == (2.0, 1.0)


def test_a_class_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match=r"E_CLASS_WEIGHT: .*'yse', which is no class; classes: no, yes"):
        class_weights(training(class_weights={"yse": 5}), ["no", "yes"], np.array([0, 1]))
