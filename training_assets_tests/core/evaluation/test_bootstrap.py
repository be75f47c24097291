"""Intervals that mean what they say: right width, right coverage, right draws, and the same numbers every time."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training_assets.core.evaluation import bootstrap, metrics
from training_assets.core.evaluation.bootstrap import Interval, draws, intervals
from training_assets_tests.core.evaluation import made_up

NO = ["no", "yes"]
BINARY: dict[str, Any] = {"classes": NO, "threshold": 0.4}
USUAL: dict[str, Any] = {"replicates": 200, "confidence": 0.95, "seed": 0}


def drawn(strata: Any, **arguments: Any) -> Any:
    return np.array(list(draws(np.asarray(strata), **{"replicates": 20, "seed": 0, **arguments})))


def test_the_same_arguments_give_the_same_numbers() -> None:
    y, p = made_up.binary()
    first, again = (intervals("binary", y, p, **BINARY, **USUAL) for _ in range(2))
    other = intervals("binary", y, p, **BINARY, **{**USUAL, "seed": 1})
    assert first == again
    assert first["roc_auc"].low != other["roc_auc"].low
    assert first["roc_auc"].point == other["roc_auc"].point


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_points_are_the_metrics_and_lie_between_the_bounds(task: Any) -> None:
    y, p, classes = made_up.sample(task)
    found = intervals(task, y, p, classes=classes, threshold=0.4, **USUAL)
    points = metrics.compute(task, y, p, classes=classes, threshold=0.4)
    assert tuple(found) == metrics.names(task)
    for name, interval in found.items():
        assert interval.point == points[name]
        assert interval.low < interval.point < interval.high, name
        assert 0 < interval.standard_error < interval.high - interval.low, name


def test_more_confidence_is_a_wider_interval() -> None:
    y, p = made_up.binary()
    wide, narrow = (intervals("binary", y, p, **BINARY, **{**USUAL, "confidence": c})["f1"] for c in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.high < wide.high


@given(st.integers(0, 10**6), st.integers(30, 80))
@settings(max_examples=50, deadline=None)
def test_every_replicate_keeps_the_size_of_each_class(seed: int, rows: int) -> None:
    strata = np.arange(rows) % 3
    weights = drawn(strata, seed=seed)
    assert (weights == weights.astype(int)).all()
    for code in range(3):
        assert (weights[:, strata == code].sum(axis=1) == (strata == code).sum()).all()


def test_a_tiny_class_may_be_missed() -> None:
    """One positive row is no certainty: a stratified draw would have it in every replicate."""
    strata = np.r_[np.zeros(200, dtype=int), 1]
    weights = drawn(strata, replicates=200)
    assert (weights.sum(axis=1) == 201).all()
    assert 0.25 < (weights[:, -1] == 0).mean() < 0.5  # 1 / e of the time


def test_one_positive_row_gives_no_bound_for_what_rests_on_it() -> None:
    y = np.r_[np.zeros(300, dtype=int), 1]
    p = np.r_[np.linspace(0, 0.5, 300), 0.9]
    found = intervals("binary", y, p, classes=NO, threshold=0.6, **USUAL)
    assert found["roc_auc"].point == 1
    assert math.isnan(found["roc_auc"].low)
    assert math.isnan(found["roc_auc"].standard_error)
    assert found["log_loss"].low < found["log_loss"].point < found["log_loss"].high


def test_undefined_replicates_count_as_the_worst() -> None:
    values = np.array([*np.linspace(0.5, 0.9, 97), *[math.nan] * 3])
    few = bootstrap.interval_of(0.7, values, 0.95)
    without = bootstrap.interval_of(0.7, values[:97], 0.95)
    assert few.low < without.low
    assert few.high > without.high
    many = bootstrap.interval_of(0.7, np.array([*np.linspace(0.5, 0.9, 90), *[math.nan] * 10]), 0.95)
    assert (many.point, math.isnan(many.low), math.isnan(many.high)) == (0.7, True, True)


def test_bounds_are_rounded_outwards_to_a_replicate() -> None:
    assert bootstrap.interval_of(0.5, np.arange(200) / 199, 0.95).low == 9 / 199
    assert bootstrap.interval_of(0.5, np.arange(200) / 199, 0.95).high == 190 / 199


def test_few_units_ask_for_more_confidence() -> None:
    """Of a mean of 10 normal values, the bound is Student's, which percentiles of replicates do not reach."""
    assert bootstrap.expanded(0.95, 10) == pytest.approx(stats.norm.cdf(np.sqrt(10 / 9) * stats.t.ppf(0.95, 9)))
    asked = [bootstrap.expanded(0.95, units) for units in (2, 10, 30, 1_000, 1_000_000)]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == pytest.approx(0.95, abs=1e-6)
    assert all(bootstrap.expanded(confidence, 10) < 1 for confidence in (0.5, 0.999))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_next_to_no_rows_never_raise(task: Any, rows: int) -> None:
    y, p, classes = made_up.sample(task, 8)
    found = intervals(task, y[:rows], p[:rows], classes=classes, threshold=None, **USUAL)
    assert set(found) == set(metrics.names(task))
    assert rows or all(math.isnan(interval.point) for interval in found.values())


def test_sick_predictions_give_no_interval() -> None:
    y, p = made_up.binary()
    p[3] = math.nan
    nothing = intervals("binary", y, p, **BINARY, **USUAL)
    assert all(math.isnan(value) for each in nothing.values() for value in (each.point, each.low, each.high))


# Groups


def test_a_group_is_drawn_whole() -> None:
    groups = np.repeat(np.arange(40), 5)
    weights = drawn(np.zeros(200, dtype=int), groups=groups).reshape(20, 40, 5)
    assert (weights == weights[:, :, :1]).all()
    assert (weights[:, :, 0].sum(axis=1) == 40).all()


def test_groups_of_one_class_keep_the_number_of_groups_of_each_class() -> None:
    strata, groups = np.repeat([0] * 30 + [1] * 12, 3), np.repeat(np.arange(42), 3)
    weights = drawn(strata, groups=groups)[:, ::3]
    assert (weights[:, :30].sum(axis=1) == 30).all()
    assert (weights[:, 30:].sum(axis=1) == 12).all()


def test_repeated_rows_widen_the_interval_only_if_they_are_grouped() -> None:
    """Five copies of a row are one observation; rows drawn one by one would call them five."""
    y, p = made_up.binary(300)
    groups = np.repeat(np.arange(300), 5)
    once = intervals("binary", y, p, **BINARY, **USUAL)["roc_auc"].standard_error
    grouped, apart = (
        intervals("binary", y.repeat(5), p.repeat(5), **BINARY, **USUAL, groups=each)["roc_auc"].standard_error
        for each in (groups, None)
    )
    assert grouped == pytest.approx(once, rel=0.2)
    assert apart == pytest.approx(once / math.sqrt(5), rel=0.2)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["a", "b", "c", "d"]),
        np.array(["a", "b", None, "d"], dtype=object),
        np.array([1.5, 2.5, math.nan, 4.5]),
        np.array(["2020-01-01", "2020-01-02", "2020-01-03", "NaT"], dtype="datetime64[us]"),
    ],
)
def test_groups_may_have_any_type(names: Any) -> None:
    weights = drawn(np.zeros(40, dtype=int), groups=names.repeat(10)).reshape(20, 4, 10)
    assert (weights == weights[:, :, :1]).all()
    assert (weights.sum(axis=(1, 2)) == 40).all()


def test_groups_must_fit_the_rows() -> None:
    y, p = made_up.binary(50)
    with pytest.raises(ValueError, match="one group for each of 50 rows"):
        intervals("binary", y, p, **BINARY, **USUAL, groups=np.arange(49))


@pytest.mark.parametrize("units", [1, 2, 9])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_too_few_groups_give_points_and_no_bounds(task: Any, units: int) -> None:
    """One group is drawn the same each time, and every metric would look certain."""
    y, p, classes = made_up.sample(task)
    groups = np.arange(y.size) % units
    points = metrics.compute(task, y, p, classes=classes, threshold=0.4)
    for name, each in intervals(task, y, p, classes=classes, threshold=0.4, **USUAL, groups=groups).items():
        assert each.point == points[name]
        assert all(math.isnan(number) for number in (each.low, each.high, each.standard_error)), name


def test_ten_groups_give_bounds() -> None:
    y, p = made_up.regression(100)
    found = intervals("regression", y, p, classes=[], threshold=None, **USUAL, groups=np.arange(100) // 10)
    assert found["rmse"].low < found["rmse"].point < found["rmse"].high


@pytest.mark.parametrize("rows", [1, 9])
def test_too_few_rows_give_points_and_no_bounds(rows: int) -> None:
    y, p = made_up.regression(rows)
    found = intervals("regression", y, p, classes=[], threshold=None, **USUAL)["mae"]
    assert found.point == pytest.approx(np.abs(y - p).mean())
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_two_models_see_the_same_replicates() -> None:
    """What a paired comparison rests on: draws know nothing of predictions."""
    y, _ = made_up.binary(60)
    assert (drawn(y) == drawn(y.copy())).all()


# Against what is known


def delong(y: Any, p: Any) -> float:
    """Standard error of the area under the ROC curve by DeLong, DeLong and Clarke-Pearson (1988)."""
    positives, negatives = p[y == 1], p[y == 0]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return math.sqrt(wins.mean(axis=1).var(ddof=1) / positives.size + wins.mean(axis=0).var(ddof=1) / negatives.size)


def test_the_standard_error_of_the_area_is_delongs() -> None:
    y, p = made_up.binary(800)
    found = intervals("binary", y, p, **BINARY, **{**USUAL, "replicates": 1000})["roc_auc"]
    assert found.standard_error == pytest.approx(delong(y, p), rel=0.1)
    z = stats.norm.ppf(0.95)
    assert found.low == pytest.approx(found.point - z * delong(y, p), abs=0.15 * z * delong(y, p))
    assert found.high == pytest.approx(found.point + z * delong(y, p), abs=0.15 * z * delong(y, p))


def test_the_standard_error_of_accuracy_is_that_of_a_stratified_share() -> None:
    y, p = made_up.binary(800)
    right = (p >= 0.4) == (y == 1)
    variance = sum((y == code).sum() * right[y == code].var() for code in (0, 1))
    found = intervals("binary", y, p, **BINARY, **{**USUAL, "replicates": 1000})["accuracy"]
    assert found.standard_error == pytest.approx(math.sqrt(variance) / 800, rel=0.1)


def test_a_regressions_interval_is_scipys() -> None:
    y, p = made_up.regression(300)
    found = intervals("regression", y, p, classes=[], threshold=None, **{**USUAL, "replicates": 2000})
    for name, statistic in (
        ("mae", lambda e, axis: np.abs(e).mean(axis=axis)),
        ("rmse", lambda e, axis: np.sqrt((e**2).mean(axis=axis))),
        ("median_absolute_error", lambda e, axis: np.median(np.abs(e), axis=axis)),
    ):
        theirs = stats.bootstrap(
            (p - y,),
            statistic,
            n_resamples=2000,
            confidence_level=0.9,
            method="percentile",
            rng=np.random.default_rng(0),
        )
        ours = found[name]
        slack = 0.15 * theirs.standard_error
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=0.1), name
        assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=slack), name
        assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=slack), name


def test_each_bound_holds_as_often_as_it_says() -> None:
    """Of 300 samples of one population, about 95 % have their lower (upper) bound on the right side of its value."""
    y, p = made_up.binary(50_000, seed=1, digits=4)
    truth = metrics.compute("binary", y, p, **BINARY)
    rng = np.random.default_rng(2)
    held = {name: [0, 0] for name in ("roc_auc", "accuracy", "log_loss")}
    for seed in range(300):
        rows = rng.integers(0, y.size, 250)
        found = intervals("binary", y[rows], p[rows], **BINARY, replicates=100, confidence=0.95, seed=seed)
        for name, counts in held.items():
            counts[0] += found[name].low <= truth[name]
            counts[1] += found[name].high >= truth[name]
    for name, (low, high) in held.items():
        assert 0.91 <= low / 300 <= 0.99, name
        assert 0.91 <= high / 300 <= 0.99, name


def test_a_thousand_replicates_of_fifty_thousand_rows_take_seconds() -> None:
    """Every binary metric at once; measured at 1.4 s of CPU, and 5 are the most that they may take."""
    y, p = made_up.binary(50_000, digits=9)
    start = time.process_time()
    found = intervals("binary", y, p, **BINARY, **{**USUAL, "replicates": 1000})
    assert time.process_time() - start < 5
    assert found["roc_auc"].high - found["roc_auc"].low < 0.02


def test_an_interval_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Interval(0.5, 0.4, 0.6, 0.1).low = 0  # type: ignore[misc]  # the point of the test
