"""Every metric is scikit-learn's of the same name, and NaN where it has no value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn import metrics as reference

from training_assets.core.evaluation import metrics
from training_assets_tests.core.evaluation import made_up

NO = ["no", "yes"]
TASKS = ("binary", "multiclass", "regression")
THRESHOLD = 0.4


def sklearn_binary(y: Any, p: Any, w: Any, threshold: float) -> dict[str, float]:
    chosen = p >= threshold
    only = {"sample_weight": w}
    return {
        "roc_auc": reference.roc_auc_score(y, p, **only),
        "average_precision": reference.average_precision_score(y, p, **only),
        "f1": reference.f1_score(y, chosen, zero_division=np.nan, **only),
        "accuracy": reference.accuracy_score(y, chosen, **only),
        "balanced_accuracy": reference.balanced_accuracy_score(y, chosen, **only),
        "precision": reference.precision_score(y, chosen, zero_division=np.nan, **only),
        "recall": reference.recall_score(y, chosen, **only),
        "mcc": reference.matthews_corrcoef(y, chosen, **only),
        "log_loss": reference.log_loss(y, p, labels=[0, 1], **only),
        "brier_score": reference.brier_score_loss(y, p, **only),
    }


def sklearn_multiclass(y: Any, p: Any, w: Any) -> dict[str, float]:
    chosen = p.argmax(axis=1)
    labels = list(range(p.shape[1]))
    return {
        "accuracy": reference.accuracy_score(y, chosen, sample_weight=w),
        "balanced_accuracy": reference.balanced_accuracy_score(y, chosen, sample_weight=w),
        "f1_macro": reference.f1_score(y, chosen, average="macro", sample_weight=w),
        "roc_auc_ovr": reference.roc_auc_score(y, p, multi_class="ovr", labels=labels, sample_weight=w),
        "mcc": reference.matthews_corrcoef(y, chosen, sample_weight=w),
        "log_loss": reference.log_loss(y, p, labels=labels, sample_weight=w),
    }


def sklearn_regression(y: Any, p: Any, w: Any) -> dict[str, float]:
    return {
        "rmse": reference.root_mean_squared_error(y, p, sample_weight=w),
        "mae": reference.mean_absolute_error(y, p, sample_weight=w),
        "r2": reference.r2_score(y, p, sample_weight=w),
        "median_absolute_error": reference.median_absolute_error(y, p, sample_weight=w),
    }


def close(ours: dict[str, float], theirs: dict[str, float]) -> None:
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert_allclose(ours[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


weights_or_none = st.sampled_from([None, "whole", "fractional"])


def made_weights(kind: str | None, rows: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    if kind is None:
        return None
    return rng.integers(1, 5, rows) if kind == "whole" else rng.random(rows) + 0.01


@given(st.integers(2, 120), st.integers(0, 10**6), st.integers(0, 3), st.floats(0, 1), weights_or_none)
@settings(max_examples=150, deadline=None)
def test_binary_metrics_are_scikit_learns(
    rows: int, seed: int, digits: int, threshold: float, kind: str | None
) -> None:
    y, p = made_up.binary(rows, seed=seed, digits=digits)
    y[:2] = (0, 1)
    w = made_weights(kind, rows, seed)
    ours = metrics.compute("binary", y, p, classes=NO, threshold=threshold, weights=w)
    close(ours, sklearn_binary(y, p, w, threshold))


@given(st.integers(8, 120), st.integers(3, 6), st.integers(0, 10**6), weights_or_none)
@settings(max_examples=100, deadline=None)
def test_multiclass_metrics_are_scikit_learns(rows: int, k: int, seed: int, kind: str | None) -> None:
    y, p = made_up.multiclass(rows, k, seed=seed)
    w = made_weights(kind, rows, seed)
    ours = metrics.compute("multiclass", y, p, classes=made_up.class_names(k), threshold=None, weights=w)
    close(ours, sklearn_multiclass(y, p, w))


@given(st.integers(2, 120), st.integers(0, 10**6), weights_or_none)
@settings(max_examples=150, deadline=None)
def test_regression_metrics_are_scikit_learns(rows: int, seed: int, kind: str | None) -> None:
    y, p = made_up.regression(rows, seed=seed)
    w = made_weights(kind, rows, seed)
    ours = metrics.compute("regression", y, p, classes=[], threshold=None, weights=w)
    close(ours, sklearn_regression(y, p, w))


@given(st.sampled_from(TASKS), st.integers(4, 60), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_a_whole_weight_is_a_row_repeated(task: Any, rows: int, seed: int) -> None:
    y, p, classes = made_up.sample(task, rows, k=3, seed=seed)
    times = np.random.default_rng(seed).integers(0, 3, rows)
    weighted = metrics.compute(task, y, p, classes=classes, threshold=THRESHOLD, weights=times)
    repeated = metrics.compute(task, y.repeat(times), p.repeat(times, axis=0), classes=classes, threshold=THRESHOLD)
    for name, value in repeated.items():
        assert_allclose(weighted[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_golden_binary() -> None:
    """Four rows whose metrics can be worked out by hand."""
    y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    found = metrics.compute("binary", y, p, classes=NO, threshold=0.4)
    assert found["roc_auc"] == 3 / 4  # 3 of 4 pairs are in order
    assert found["average_precision"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert found["accuracy"] == found["recall"] == found["precision"] == found["f1"] == 1 / 2
    assert found["mcc"] == 0
    assert found["brier_score"] == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.6, 0.35, 0.8]).mean())


def test_golden_multiclass() -> None:
    y, p = np.array([0, 1, 2, 2]), np.array([[0.6, 0.2, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]])
    found = metrics.compute("multiclass", y, p, classes=["a", "b", "c"], threshold=None)
    assert found["accuracy"] == 3 / 4
    assert found["balanced_accuracy"] == pytest.approx((1 + 0 + 1) / 3)
    assert found["f1_macro"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found["roc_auc_ovr"] == 1
    assert found["mcc"] == pytest.approx((3 * 4 - 2 - 0 - 4) / np.sqrt((16 - 4 - 4) * (16 - 1 - 1 - 4)))
    assert found["log_loss"] == pytest.approx(-np.log([0.6, 0.3, 0.8, 0.6]).mean())


def test_golden_regression() -> None:
    y, p = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 3.0, 3.0, 4.0])
    found = metrics.compute("regression", y, p, classes=[], threshold=None)
    assert found == {"rmse": math.sqrt(5 / 4), "mae": 3 / 4, "r2": 1 - 5 / 14, "median_absolute_error": 1 / 2}


def test_equal_scores_count_half() -> None:
    found = metrics.compute("binary", np.array([0, 1, 0, 1]), np.full(4, 0.5), classes=NO, threshold=0.5)
    assert (found["roc_auc"], found["average_precision"]) == (0.5, 0.5)


def test_the_threshold_itself_is_positive() -> None:
    y, p = np.array([0, 1]), np.array([0.2, 0.3])
    assert metrics.compute("binary", y, p, classes=NO, threshold=0.3)["accuracy"] == 1
    assert metrics.compute("binary", y, p, classes=NO, threshold=np.nextafter(0.3, 1))["recall"] == 0


def test_no_threshold_means_the_likelier_class() -> None:
    y, p = made_up.binary()
    without = metrics.compute("binary", y, p, classes=NO, threshold=None)
    assert without == metrics.compute("binary", y, p, classes=NO, threshold=0.5)


def test_a_certain_mistake_costs_a_finite_log_loss() -> None:
    found = metrics.compute("binary", np.array([0, 1]), np.array([1.0, 1.0]), classes=NO, threshold=0.5)
    assert found["log_loss"] == pytest.approx(reference.log_loss([0, 1], [1.0, 1.0], labels=[0, 1]))


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_has_a_direction(task: str) -> None:
    assert metrics.names(task)
    assert set(metrics.names(task)) <= set(metrics.DIRECTION)


def test_a_metric_improves_in_its_direction() -> None:
    """The truth itself, as a prediction, is never worse than noise."""
    for task in TASKS:
        y, p, classes = made_up.sample(task, 200, k=3, seed=1)
        perfect = {"binary": y.astype(float), "multiclass": np.eye(3)[y.astype(int) % 3], "regression": y}[task]
        best = metrics.compute(task, y, perfect, classes=classes, threshold=0.5)  # type: ignore[arg-type]
        noise = metrics.compute(task, y, p, classes=classes, threshold=0.5)  # type: ignore[arg-type]
        for name in metrics.names(task):
            gain = best[name] - noise[name]
            assert gain > 0 if metrics.DIRECTION[name] == "higher" else gain < 0, name


def test_every_metric_says_why_it_has_no_value() -> None:
    assert all(metrics.reason(name) for name in metrics.DIRECTION)


def test_an_unknown_task_has_no_metrics() -> None:
    assert metrics.names("ranking") == ()


def test_near_proposes_the_metric_that_was_meant() -> None:
    text = metrics.near("binary", "roc_acu")
    assert "did you mean 'roc_auc'?" in text
    assert all(name in text for name in metrics.names("binary"))
    assert "did you mean" not in metrics.near("binary", "x" * 500)
    assert len(metrics.near("binary", "x" * 500)) < 300
