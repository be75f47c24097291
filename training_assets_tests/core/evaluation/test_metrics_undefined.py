"""What has no value is NaN, with a reason; what is the caller's mistake is refused."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from training_assets.core.evaluation import metrics
from training_assets_tests.core.evaluation import made_up

NO = ["no", "yes"]
TASKS = ("binary", "multiclass", "regression")


@pytest.mark.parametrize(
    ("y", "p", "defined"),
    [
        ([1, 1], [0.2, 0.9], {"f1", "accuracy", "precision", "recall", "log_loss", "brier_score"}),
        ([0, 0], [0.2, 0.9], {"f1", "accuracy", "precision", "log_loss", "brier_score"}),
        ([0, 0], [0.2, 0.1], {"accuracy", "log_loss", "brier_score"}),
        ([0, 1], [0.2, 0.1], set(metrics.names("binary")) - {"precision"}),
        ([0, 1], [0.8, 0.9], set(metrics.names("binary"))),
        ([0, 1], [0.2, math.nan], set()),
        ([0, 1], [0.2, math.inf], set()),
        ([0, 1], [0.2, 1.5], set()),
        ([], [], set()),
    ],
)
def test_an_undefined_binary_metric_is_nan(y: list[int], p: list[float], defined: set[str]) -> None:
    found = metrics.compute("binary", np.array(y), np.array(p), classes=NO, threshold=0.5)
    assert {name for name, value in found.items() if not math.isnan(value)} == defined
    assert tuple(found) == metrics.names("binary")


def test_an_undefined_multiclass_metric_is_nan() -> None:
    p = np.array([[0.5, 0.3, 0.2]] * 3)
    one = metrics.compute("multiclass", np.zeros(3, dtype=int), p, classes=["a", "b", "c"], threshold=None)
    assert {name for name, value in one.items() if not math.isnan(value)} == {"accuracy", "log_loss"}
    two = metrics.compute("multiclass", np.array([0, 1, 1]), p, classes=["a", "b", "c"], threshold=None)
    assert {name for name, value in two.items() if math.isnan(value)} == {"roc_auc_ovr"}


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_predictions_that_do_not_vary_agree_with_nothing(task: Any) -> None:
    """Matthews' correlation of a dummy is 0, as scikit-learn has it, so that a model can beat it."""
    assert made_up.report(task)["dummy"]["mcc"] == 0
    y, p, classes = made_up.sample(task, 60, seed=2)
    weights = np.random.default_rng(0).random(60)
    same = np.full_like(p, 0.1) if task == "binary" else np.tile(p[0], (60, 1))
    assert metrics.compute(task, y, same, classes=classes, threshold=0.5, weights=weights)["mcc"] == 0


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_truth_correlates_with_itself_fully(task: Any) -> None:
    y, p, classes = made_up.sample(task, 61)
    truth = y.astype(float) if task == "binary" else np.eye(p.shape[1])[y]
    assert metrics.compute(task, y, truth, classes=classes, threshold=0.5)["mcc"] == 1


def test_means_over_classes_leave_out_classes_that_do_not_occur() -> None:
    y, p = np.array([0, 0, 1]), np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    found = metrics.compute("multiclass", y, p, classes=["a", "b", "c"], threshold=None)
    assert found["balanced_accuracy"] == reference.balanced_accuracy_score(y, p.argmax(axis=1))
    assert found["f1_macro"] == pytest.approx(reference.f1_score(y, p.argmax(axis=1), average="macro"))


@pytest.mark.parametrize(
    ("y", "p", "undefined"),
    [
        ([3.0, 3.0], [1.0, 2.0], {"r2"}),
        ([0.1] * 3, [1.0, 2.0, 3.0], {"r2"}),  # a mean of 0.1s is not quite 0.1
        ([3.0], [1.0], {"r2"}),
        ([1e200, -1e200], [0.0, 0.0], {"rmse", "r2"}),
        ([1.0, math.nan], [1.0, 2.0], {"rmse", "mae", "r2", "median_absolute_error"}),
        ([1.0, 2.0], [1.0, -math.inf], {"rmse", "mae", "r2", "median_absolute_error"}),
        ([], [], {"rmse", "mae", "r2", "median_absolute_error"}),
    ],
)
def test_an_undefined_regression_metric_is_nan(y: list[float], p: list[float], undefined: set[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.compute("regression", np.array(y), np.array(p), classes=[], threshold=None)
    assert {name for name, value in found.items() if math.isnan(value)} == undefined


@pytest.mark.parametrize("task", TASKS)
def test_no_weight_at_all_leaves_everything_undefined(task: Any) -> None:
    y, p, classes = made_up.sample(task, 20)
    found = metrics.compute(task, y, p, classes=classes, threshold=None, weights=np.zeros(20))
    assert all(math.isnan(value) for value in found.values())


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(width=32)), max_size=8),
    st.floats(allow_nan=False),
)
@settings(max_examples=150, deadline=None)
def test_nothing_that_the_data_hold_raises(rows: list[tuple[int, float]], threshold: float) -> None:
    y, p = np.array([row[0] for row in rows], dtype=int), np.array([row[1] for row in rows], dtype=float)
    found = metrics.compute("binary", y, p, classes=NO, threshold=threshold)
    assert all(math.isnan(value) or 0 <= value < 40 for value in found.values())
    for name, value in metrics.compute("regression", p, p[::-1], classes=[], threshold=None).items():
        assert math.isnan(value) or math.isfinite(value), name


@pytest.mark.parametrize(
    ("task", "y", "p", "classes", "words"),
    [
        ("binary", [0, 1], [0.5], NO, "shape"),
        ("binary", [0, 1], [[0.5, 0.5], [0.5, 0.5]], NO, "shape"),
        ("binary", [0, 2], [0.5, 0.5], NO, "codes from 0 to 1"),
        ("binary", [0, 0.5], [0.5, 0.5], NO, "codes from 0 to 1"),
        ("binary", [0, math.nan], [0.5, 0.5], NO, "codes from 0 to 1"),
        ("binary", [0, 1], [0.5, 0.5], ["a", "b", "c"], "3 classes"),
        ("multiclass", [0, -1], [[0.5, 0.5], [0.5, 0.5]], NO, "codes from 0 to 1"),
        ("multiclass", [0, 1], [0.5, 0.5], NO, "shape"),
        ("regression", [0, 1], [0.5, 0.5], NO, "2 classes"),
        ("ranking", [0, 1], [0.5, 0.5], NO, "unknown task"),
    ],
)
def test_a_callers_mistake_is_refused(task: Any, y: Any, p: Any, classes: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        metrics.compute(task, np.array(y), np.array(p), classes=classes, threshold=0.5)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, math.nan]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        metrics.compute("binary", np.array([0, 1]), np.ones(2), classes=NO, threshold=0.5, weights=np.array(weights))


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold"):
        metrics.compute("binary", np.array([0, 1]), np.ones(2), classes=NO, threshold=math.nan)


def test_why_undefined_names_the_cause() -> None:
    y, fine = np.array([0, 1]), np.array([[0.5, 0.5], [0.4, 0.6]])
    assert metrics.why_undefined("multiclass", y, fine) is None
    assert metrics.why_undefined("multiclass", y, fine + 5e-4) is None  # float32 sums are not exact
    assert "sum to 1" in str(metrics.why_undefined("multiclass", y, fine * 0.9))
    assert "1 of 2 rows" in str(metrics.why_undefined("multiclass", y, np.array([[math.nan, math.nan], [0.4, 0.6]])))
    assert "no rows" in str(metrics.why_undefined("binary", y[:0], y[:0]))
