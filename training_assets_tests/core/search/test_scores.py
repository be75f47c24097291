from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from training_assets.core.errors import InputError
from training_assets.core.evaluation import metrics as evaluation
from training_assets.core.families.base import Learning, Loss
from training_assets.core.search.scores import _METRICS, DEFAULT, metric
from training_assets.spec.target import Task

RNG = np.random.default_rng(0)
BINARY_Y = (RNG.random(300) < 0.3).astype(np.int32)
BINARY_P = np.clip(np.round(0.25 * BINARY_Y + 0.7 * RNG.random(300), 2), 0, 1)
CLASS_Y = RNG.permutation(np.arange(300) % 4).astype(np.int32)
CLASS_P = 0.8 * RNG.dirichlet(np.ones(4), 300) + 0.2 * np.eye(4)[CLASS_Y]
VALUE_Y = RNG.gamma(2, 100, 300)
VALUE_P = VALUE_Y * RNG.normal(1, 0.2, 300)
DATA: dict[Task, tuple[Any, Any]] = {
    "binary": (BINARY_Y, BINARY_P),
    "multiclass": (CLASS_Y, CLASS_P),
    "regression": (VALUE_Y, VALUE_P),
}


def at_best(compute: Any) -> float:
    return max(float(compute(BINARY_Y, threshold <= BINARY_P)) for threshold in np.unique([*BINARY_P, 1.0]))


@pytest.mark.parametrize(
    ("task", "name", "expected"),
    [
        ("binary", "roc_auc", theirs.roc_auc_score(BINARY_Y, BINARY_P)),
        ("binary", "average_precision", theirs.average_precision_score(BINARY_Y, BINARY_P)),
        ("binary", "log_loss", theirs.log_loss(BINARY_Y, BINARY_P)),
        ("binary", "brier_score", theirs.brier_score_loss(BINARY_Y, BINARY_P)),
        ("binary", "f1", at_best(theirs.f1_score)),
        ("binary", "accuracy", at_best(theirs.accuracy_score)),
        ("binary", "balanced_accuracy", at_best(theirs.balanced_accuracy_score)),
        ("binary", "mcc", at_best(theirs.matthews_corrcoef)),
        ("multiclass", "log_loss", theirs.log_loss(CLASS_Y, CLASS_P)),
        ("multiclass", "roc_auc_ovr", theirs.roc_auc_score(CLASS_Y, CLASS_P, multi_class="ovr")),
        ("multiclass", "accuracy", theirs.accuracy_score(CLASS_Y, CLASS_P.argmax(axis=1))),
        ("multiclass", "balanced_accuracy", theirs.balanced_accuracy_score(CLASS_Y, CLASS_P.argmax(axis=1))),
        ("multiclass", "f1_macro", theirs.f1_score(CLASS_Y, CLASS_P.argmax(axis=1), average="macro")),
        ("multiclass", "mcc", theirs.matthews_corrcoef(CLASS_Y, CLASS_P.argmax(axis=1))),
        ("regression", "rmse", theirs.root_mean_squared_error(VALUE_Y, VALUE_P)),
        ("regression", "mae", theirs.mean_absolute_error(VALUE_Y, VALUE_P)),
        ("regression", "r2", theirs.r2_score(VALUE_Y, VALUE_P)),
        ("regression", "median_absolute_error", theirs.median_absolute_error(VALUE_Y, VALUE_P)),
        ("regression", "mape", theirs.mean_absolute_percentage_error(VALUE_Y, VALUE_P)),
        ("regression", "rmsle", theirs.root_mean_squared_log_error(VALUE_Y, VALUE_P)),
    ],
)
def test_scores_are_scikit_learns(task: Task, name: str, expected: float) -> None:
    assert metric(name, task).score(*DATA[task]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("task", list(DATA))
def test_every_metric_improves_with_the_predictions(task: Task) -> None:
    y, predictions = DATA[task]
    truth = np.eye(4)[y] if task == "multiclass" else y.astype(float)
    for name in _METRICS[task]:
        scored = metric(name, task)
        assert scored.better(scored.score(y, truth), scored.score(y, predictions))
        assert not scored.better(scored.score(y, predictions), scored.score(y, predictions))


def test_names_and_directions_are_those_of_the_evaluation() -> None:
    for task, known in _METRICS.items():
        shared = set(known) & set(evaluation.names(task))
        assert set(known) - shared <= {"mcc", "mape", "rmsle"}
        assert {name: known[name][0] for name in shared} == {name: evaluation.DIRECTION[name] for name in shared}


@pytest.mark.parametrize(("task", "name"), [("binary", "roc_auc"), ("multiclass", "log_loss"), ("regression", "rmse")])
def test_each_task_has_a_default(task: Task, name: str) -> None:
    assert metric(None, task).name == DEFAULT[task] == name


@pytest.mark.parametrize(
    ("loss", "name"),
    [("squared_error", "rmse"), ("absolute_error", "mae"), ("quantile", "pinball_loss")],
)
def test_each_loss_of_a_regression_has_a_default(loss: Loss, name: str) -> None:
    assert metric(None, "regression", Learning(loss)).name == name


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_a_pinball_loss_is_of_the_quantile_that_is_learnt(quantile: float) -> None:
    scored = metric(None, "regression", Learning("quantile", quantile))
    assert scored.direction == "lower"
    expected = theirs.mean_pinball_loss(VALUE_Y, VALUE_P, alpha=quantile)
    assert scored.score(VALUE_Y, VALUE_P) == pytest.approx(expected, rel=1e-12)


def test_a_pinball_loss_needs_a_quantile() -> None:
    with pytest.raises(InputError, match=r"E_METRIC: .*goes with `training.loss: quantile`"):
        metric("pinball_loss", "regression", Learning("squared_error"))


@pytest.mark.parametrize(("task", "name"), [("binary", "rmse"), ("regression", "roc_auc"), ("multiclass", "nonsense")])
def test_a_metric_that_the_task_lacks_is_refused(task: Task, name: str) -> None:
    with pytest.raises(InputError, match=f"E_METRIC: .*'{name}'.*known: .*{DEFAULT[task]}"):
        metric(name, task)


def test_a_metric_that_was_meant_is_proposed() -> None:
    with pytest.raises(InputError, match="did you mean 'roc_auc'"):
        metric("roc_acu", "binary")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_must_be_finite(bad: float) -> None:
    predictions = VALUE_P.copy()
    predictions[0] = bad
    with pytest.raises(ValueError, match="not all finite"):
        metric("rmse", "regression").score(VALUE_Y, predictions)


def test_a_certain_mistake_costs_much_and_not_infinitely_much() -> None:
    score = metric("log_loss", "binary").score(np.array([0, 1]), np.array([1.0, 1.0]))
    assert 10 < score < 40


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="rmse is inf"), np.errstate(over="ignore"):
        metric("rmse", "regression").score(np.array([1e300, 0.0]), np.array([-1e300, 0.0]))


def test_a_share_of_nothing_is_not_defined() -> None:
    with pytest.raises(ValueError, match="mape is not defined: 2 labels are 0"):
        metric("mape", "regression").score(np.array([0.0, 1.0, 0.0]), np.ones(3))


def test_a_logarithm_that_there_is_not_is_not_defined() -> None:
    with pytest.raises(ValueError, match="rmsle is not defined: 0 labels and 1 predictions are not above -1"):
        metric("rmsle", "regression").score(np.array([0.0, 1.0]), np.array([-1.0, 1.0]))


@pytest.mark.parametrize(
    ("task", "name", "labels", "message"),
    [
        (
            "binary",
            "roc_auc",
            [0, 0, 0],
            "roc_auc is not defined: no row is positive; add such rows, or choose another",
        ),
        ("binary", "roc_auc", [1, 1, 1], "roc_auc is not defined: no row is negative"),
        ("binary", "average_precision", [0, 0, 0], "average_precision is not defined: no row is positive"),
        (
            "multiclass",
            "roc_auc_ovr",
            [0, 2, 2],
            "roc_auc_ovr is not defined: 2 of 4 classes have no row among these 3",
        ),
        ("regression", "r2", [0.1, 0.1, 0.1], "r2 is not defined: all 3 labels are 0.1; .*choose rmse"),
    ],
)
def test_what_labels_lack_is_said(task: Task, name: str, labels: list[float], message: str) -> None:
    predictions = np.full((3, 4), 0.25) if task == "multiclass" else np.array([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=message):
        metric(name, task).score(np.array(labels), predictions)


# Equal to scikit-learn's, and fast

labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 4).map(lambda number: number / 4) | st.floats(0, 1)),
    min_size=2,
    max_size=40,
).filter(lambda rows: len({label for label, _ in rows}) == 2)


@given(labelled)
def test_rankings_with_and_without_ties_are_scikit_learns(rows: list[tuple[int, float]]) -> None:
    y, probability = np.array([label for label, _ in rows]), np.array([score for _, score in rows])
    for name, expected in (
        ("roc_auc", theirs.roc_auc_score(y, probability)),
        ("average_precision", theirs.average_precision_score(y, probability)),
        ("mcc", max(theirs.matthews_corrcoef(y, probability >= cut) for cut in [*probability, 1.1])),
    ):
        assert metric(name, "binary").score(y, probability) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(labelled)
def test_the_ranking_does_not_depend_on_which_class_is_the_positive_one(rows: list[tuple[int, float]]) -> None:
    y, probability = np.array([label for label, _ in rows]), np.array([score for _, score in rows])
    area = metric("roc_auc", "binary")
    assert area.score(1 - y, 1 - np.round(probability, 3)) == pytest.approx(area.score(y, np.round(probability, 3)))


@pytest.mark.parametrize(("name", "task"), [("roc_auc", "binary"), ("log_loss", "binary"), ("rmse", "regression")])
def test_fifty_thousand_rows_take_milliseconds(name: str, task: Task) -> None:
    rng = np.random.default_rng(0)
    y: Any = (rng.random(50_000) < 0.4).astype(np.int32 if task == "binary" else np.float64)
    predictions = np.clip(rng.normal(0.3 + 0.2 * y, 0.2), 0, 1)
    scored = metric(name, task)

    def seconds() -> float:
        began = time.process_time()
        scored.score(y, predictions)
        return time.process_time() - began

    assert min(seconds() for _ in range(20)) < 0.01  # scikit-learn's roc_auc_score takes 0.025
