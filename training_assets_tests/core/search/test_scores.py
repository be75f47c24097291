from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as theirs

from training_assets.core.errors import InputError
from training_assets.core.evaluation import metrics as evaluation
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
        ("multiclass", "log_loss", theirs.log_loss(CLASS_Y, CLASS_P)),
        ("multiclass", "roc_auc_ovr", theirs.roc_auc_score(CLASS_Y, CLASS_P, multi_class="ovr")),
        ("multiclass", "accuracy", theirs.accuracy_score(CLASS_Y, CLASS_P.argmax(axis=1))),
        ("multiclass", "balanced_accuracy", theirs.balanced_accuracy_score(CLASS_Y, CLASS_P.argmax(axis=1))),
        ("multiclass", "f1_macro", theirs.f1_score(CLASS_Y, CLASS_P.argmax(axis=1), average="macro")),
        ("regression", "rmse", theirs.root_mean_squared_error(VALUE_Y, VALUE_P)),
        ("regression", "mae", theirs.mean_absolute_error(VALUE_Y, VALUE_P)),
        ("regression", "r2", theirs.r2_score(VALUE_Y, VALUE_P)),
        ("regression", "median_absolute_error", theirs.median_absolute_error(VALUE_Y, VALUE_P)),
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
        assert set(known) <= set(evaluation.names(task))
        assert {name: direction for name, (direction, _) in known.items()} == {
            name: evaluation.DIRECTION[name] for name in known
        }


@pytest.mark.parametrize(("task", "name"), [("binary", "roc_auc"), ("multiclass", "log_loss"), ("regression", "rmse")])
def test_each_task_has_a_default(task: Task, name: str) -> None:
    assert metric(None, task).name == DEFAULT[task] == name


@pytest.mark.parametrize(("task", "name"), [("binary", "rmse"), ("regression", "roc_auc"), ("multiclass", "nonsense")])
def test_a_metric_that_the_task_lacks_is_refused(task: Task, name: str) -> None:
    with pytest.raises(InputError, match=f"E_METRIC: .*'{name}'.*{DEFAULT[task]}"):
        metric(name, task)


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
