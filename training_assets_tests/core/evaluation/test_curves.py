"""The report's curves are scikit-learn's, thinned out without losing their shape."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from training_assets.core.evaluation import curves
from training_assets_tests.core.evaluation import made_up

NO = ["no", "yes"]


def test_curves_lie_on_scikit_learns() -> None:
    y, p = made_up.binary(5000, digits=6)
    found = curves.ranking_curves(y, p, NO)
    (roc,), (pr,) = found["roc"], found["precision_recall"]
    fpr, tpr, _ = reference.roc_curve(y, p, drop_intermediate=False)
    assert set(zip(roc["x"], roc["y"], strict=True)) <= set(zip(fpr.round(6), tpr.round(6), strict=True))
    precision, recall, _ = reference.precision_recall_curve(y, p)
    assert set(zip(pr["x"], pr["y"], strict=True)) <= set(zip(recall.round(6), precision.round(6), strict=True))


def test_thinning_keeps_the_ends_and_the_area() -> None:
    y, p = made_up.binary(5000, digits=6)
    found = curves.ranking_curves(y, p, NO)
    (roc,), (pr,) = found["roc"], found["precision_recall"]
    assert 150 < len(roc["x"]) <= curves.MAX_POINTS
    assert 150 < len(pr["x"]) <= curves.MAX_POINTS
    assert (roc["x"][0], roc["y"][0], roc["x"][-1], roc["y"][-1]) == (0, 0, 1, 1)
    assert (pr["x"][0], pr["y"][0], pr["x"][-1]) == (0, 1, 1)
    assert roc["area"] == pytest.approx(reference.roc_auc_score(y, p))
    assert np.trapezoid(roc["y"], roc["x"]) == pytest.approx(roc["area"], abs=2e-3)
    assert pr["area"] == pytest.approx(reference.average_precision_score(y, p))
    assert np.trapezoid(pr["y"], pr["x"]) == pytest.approx(pr["area"], abs=5e-3)


def test_few_rows_keep_every_point() -> None:
    found = curves.ranking_curves(np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.4, 0.9]), NO)
    assert found["roc"][0]["x"] == [0, 0, 0.5, 0.5, 1]
    assert found["roc"][0]["y"] == [0, 0.5, 0.5, 1, 1]


def test_many_classes_keep_the_worst() -> None:
    y, p = made_up.multiclass(1000, 26)
    found = curves.ranking_curves(y, p, made_up.class_names(26))
    areas = {name: reference.roc_auc_score(y == code, p[:, code]) for code, name in enumerate(made_up.class_names(26))}
    worst = sorted(areas, key=lambda name: areas[name])[: curves.MAX_CURVES]
    assert [line["class"] for line in found["roc"]] == worst
    assert len(found["precision_recall"]) == curves.MAX_CURVES


def test_a_class_without_rows_has_no_curve() -> None:
    y, p = made_up.multiclass(60, 3)
    found = curves.ranking_curves(np.where(y == 2, 0, y), p, ["a", "b", "c"])
    assert {line["class"] for line in found["roc"]} == {"a", "b"}
    assert curves.ranking_curves(np.zeros(3, dtype=int), np.ones(3), NO) == {"roc": [], "precision_recall": []}


def test_calibration_is_scikit_learns() -> None:
    y, p = made_up.binary(5000, digits=6)
    found = curves.calibration(p, y.astype(float), shares=True)
    observed, predicted = calibration_curve(y, p, n_bins=curves.BINS, strategy="quantile")
    assert found is not None
    assert found["predicted"] == pytest.approx(predicted, abs=1e-3)
    assert found["observed"] == pytest.approx(observed, abs=5e-3)
    assert sum(found["count"]) == 5000


def test_calibration_bars_are_wilsons() -> None:
    found = curves.calibration(np.full(40, 0.3), np.r_[np.ones(13), np.zeros(27)], shares=True)
    theirs = binomtest(13, 40).proportion_ci(method="wilson")
    assert found is not None
    assert [*found["predicted"], *found["observed"]] == pytest.approx([0.3, 13 / 40])
    assert [*found["low"], *found["high"]] == pytest.approx([theirs.low, theirs.high])


def test_calibration_of_a_regression_brackets_the_means() -> None:
    y, p = made_up.regression(1000)
    found = curves.calibration(p, y, shares=False)
    assert found is not None
    assert len(found["count"]) == curves.BINS
    assert all(
        low < mean < high for low, mean, high in zip(found["low"], found["observed"], found["high"], strict=True)
    )
    assert np.average(found["observed"], weights=found["count"]) == pytest.approx(y.mean())


def test_score_histogram_counts_every_row_once() -> None:
    y, p = made_up.binary(500)
    found = curves.score_histogram(y, np.r_[p[:-2], -1e-9, 1 + 1e-9])
    assert (sum(found["negative"]), sum(found["positive"])) == ((y == 0).sum(), (y == 1).sum())
    assert len(found["edges"]) == len(found["negative"]) + 1


def test_residuals_count_every_row_and_name_what_is_left_out() -> None:
    y, p = made_up.regression(1000)
    found = curves.residuals(y, p)
    assert found is not None
    assert sum(found["counts"]) + found["left_out"] == 1000
    assert np.sum(found["density"]) + found["density_left_out"] == 1000
    assert found["left_out"] <= 0.011 * 1000
    assert found["mean"] == pytest.approx((y - p).mean())
    assert found["standard_deviation"] == pytest.approx((y - p).std())


def test_few_rows_leave_none_out() -> None:
    y, p = made_up.regression(50)
    found = curves.residuals(y, p)
    assert found is not None
    assert (found["left_out"], found["density_left_out"]) == (0, 0)
    assert (found["edges"][0], found["edges"][-1]) == ((y - p).min(), (y - p).max())


def test_density_has_predictions_first() -> None:
    """One row, predicted low, that turned out high."""
    found = curves.residuals(np.array([10.0, 0.0]), np.array([0.0, 0.0]))
    assert found is not None
    density = np.array(found["density"])
    assert density[0, 0] == 1
    assert density[0, -1] == 1


@pytest.mark.parametrize("values", [[5.0] * 20, [1e9] * 20, [0.0], [1e140, -1e140]])
def test_values_without_spread_still_have_a_picture(values: list[float]) -> None:
    found = curves.residuals(np.array(values), np.array(values))
    assert found is not None
    assert sum(found["counts"]) == len(values)


def test_values_that_no_picture_can_hold_have_none() -> None:
    huge = np.array([1e300, -1e300])
    assert curves.residuals(huge, -huge) is None
    assert curves.calibration(huge, -huge, shares=False) is None
    assert curves.residuals(huge[:0], huge[:0]) is None
    assert curves.calibration(huge[:0], huge[:0], shares=True) is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 1e-300, 0.25, 0.5, 1.0])), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_whatever_the_rows_curves_are_sound_json(rows: list[tuple[bool, float]]) -> None:
    y, p = np.array([row[0] for row in rows]).astype(np.int64), np.array([row[1] for row in rows])
    found: dict[str, Any] = {
        **curves.ranking_curves(y, p, NO),
        "calibration": curves.calibration(p, y.astype(float), shares=True),
        "scores": curves.score_histogram(y, p),
        "residuals": curves.residuals(y.astype(float), p),
    }
    json.dumps(found, allow_nan=False)
    for line in [*found["roc"], *found["precision_recall"]]:
        assert line["x"] == sorted(line["x"])
        assert all(0 <= value <= 1 for value in [*line["x"], *line["y"]])
        assert math.isfinite(line["area"])
