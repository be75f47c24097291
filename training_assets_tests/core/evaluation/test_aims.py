"""What a spec asks of predictions beyond its task, as the quantile that it learns, is measured, compared and judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.dummy import DummyRegressor
from sklearn.metrics import mean_pinball_loss

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.aims import Aims
from training_assets.core.evaluation.comparison import Scored, Setting, compare
from training_assets.core.evaluation.gates import judge, unknown_metrics
from training_assets.core.evaluation.permutation import permutation_importance
from training_assets.core.evaluation.slices import Champion, measure, parts
from training_assets.spec.decision import Cost
from training_assets.spec.evaluation import AnyRule, BeatsDummyRule, ChangeRule, Slice, SliceRule, ValueRule
from training_assets_tests.core.evaluation import made_up
from training_assets_tests.core.small_spec import small_spec

NINE_OF_TEN = Aims(loss="quantile", quantile=0.9)
BOUND = {"candidate": "c" * 64, "report_digest": "r" * 64, "policy_digest": "p" * 64}
SETTING = Setting(replicates=200, confidence=0.95, seed=3, min_unseen=50, aims=NINE_OF_TEN)
VALUE = {"column": "y", "task": "regression"}


def skewed(rows: int = 600, *, quantile: float = 0.9, seed: int = 0) -> tuple[Any, Any]:
    """Values with a long tail above, and their true quantile."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return x + rng.exponential(3, rows), x - 3 * math.log(1 - quantile)


def floor_of_the_dummy(metric: str) -> BeatsDummyRule:
    return BeatsDummyRule(kind="beats_dummy", metric=metric)


def test_aims_are_what_the_spec_says() -> None:
    asked = small_spec({"x": "number", "y": "number"}, VALUE, training={"loss": "quantile", "quantile": 0.9})
    assert Aims.of(asked) == NINE_OF_TEN
    assert Aims.of(small_spec({"x": "number"})) == Aims()


# Pinball loss


def test_without_a_quantile_there_is_no_pinball_loss_and_with_one_it_leads() -> None:
    assert "pinball_loss" not in metrics.names("regression")
    assert metrics.names("regression", NINE_OF_TEN) == ("pinball_loss", *metrics.names("regression"))
    assert metrics.DIRECTION["pinball_loss"] == "lower"


def test_golden_pinball_loss() -> None:
    """Three too low by 1, 2 and 0, and one too high by 4."""
    y, p = np.array([2.0, 4.0, 5.0, 1.0]), np.array([1.0, 2.0, 5.0, 5.0])
    found = metrics.compute("regression", y, p, classes=[], threshold=None, aims=NINE_OF_TEN)
    assert found["pinball_loss"] == pytest.approx((0.9 + 1.8 + 0 + 0.4) / 4)


@given(st.integers(1, 120), st.integers(0, 10**6), st.floats(0.01, 0.99), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_pinball_loss_is_scikit_learns(rows: int, seed: int, quantile: float, weighted: bool) -> None:
    y, p = made_up.regression(rows, seed=seed)
    w = np.random.default_rng(seed).random(rows) + 0.01 if weighted else None
    aims = Aims(loss="quantile", quantile=quantile)
    found = metrics.compute("regression", y, p, classes=[], threshold=None, weights=w, aims=aims)
    assert_allclose(found["pinball_loss"], mean_pinball_loss(y, p, sample_weight=w, alpha=quantile), rtol=1e-9)
    assert tuple(found) == metrics.names("regression", aims)


@pytest.mark.parametrize("predictions", [[math.nan, 1.0], [1.7e308, -1.7e308]])
def test_what_is_no_number_has_no_pinball_loss(predictions: list[float]) -> None:
    y = np.array([-1.7e308, 1.7e308])
    found = metrics.compute("regression", y, np.array(predictions), classes=[], threshold=None, aims=NINE_OF_TEN)
    assert math.isnan(found["pinball_loss"])
    assert metrics.reason("pinball_loss")


# The report


def test_a_true_quantile_beats_the_dummy_by_what_it_learns_and_the_mean_does_not() -> None:
    y, true = skewed(2000)
    report = made_up.report("regression", aims=NINE_OF_TEN, y=y, predictions=true)
    entry = report["metrics"]["pinball_loss"]
    assert entry["low"] < entry["value"] < entry["high"]
    assert entry["value"] == pytest.approx(mean_pinball_loss(y, true, alpha=0.9))
    assert entry["direction"] == "lower"
    assert next(iter(report["metrics"])) == "pinball_loss"
    gates: list[AnyRule] = [floor_of_the_dummy("pinball_loss"), ValueRule(kind="value", metric="pinball_loss", max=1)]
    assert judge(report, gates, **BOUND).name == "PASS"
    mean = made_up.report("regression", aims=NINE_OF_TEN, y=y, predictions=np.full(len(y), y.mean()))
    assert judge(mean, gates, **BOUND).name == "REJECT"


@pytest.mark.parametrize(
    ("aims", "strategy", "judged_by"),
    [
        (NINE_OF_TEN, DummyRegressor(strategy="quantile", quantile=0.9), {"pinball_loss"}),
        (Aims(loss="absolute_error"), DummyRegressor(strategy="median"), {"mae", "median_absolute_error"}),
        (Aims(), DummyRegressor(strategy="mean"), set()),
    ],
)
def test_the_dummy_is_the_mean_and_for_what_the_loss_asks_the_best_constant(
    aims: Aims, strategy: DummyRegressor, judged_by: set[str]
) -> None:
    """A dummy that predicts a high quantile is too easy to beat in rmse, and the mean in pinball loss."""
    y, _ = made_up.regression()
    train = made_up.regression(51, seed=9)[0]
    dummy = made_up.report("regression", train_target=train, aims=aims)["dummy"]
    best = strategy.fit(np.zeros((51, 1)), train).predict(np.zeros((400, 1)))
    for constant, named in ((best, judged_by), (np.full(400, train.mean()), set(dummy) - judged_by)):
        expected = metrics.compute("regression", y, constant, classes=[], threshold=None, aims=aims)
        assert {name: dummy[name] for name in named} == pytest.approx({name: expected[name] for name in named})


@given(st.integers(1, 40), st.integers(0, 10**6), st.floats(0.01, 0.99))
@settings(max_examples=100, deadline=None)
def test_no_constant_has_a_lower_pinball_loss_on_the_training_rows(rows: int, seed: int, quantile: float) -> None:
    train = made_up.regression(rows, seed=seed)[0]
    aims = Aims(loss="quantile", quantile=quantile)
    least = min(mean_pinball_loss(train, np.full(rows, each), alpha=quantile) for each in train)
    assert mean_pinball_loss(train, np.full(rows, aims.constant(train)), alpha=quantile) == pytest.approx(least)


def test_the_report_says_which_quantile_was_asked() -> None:
    assert made_up.report("regression", aims=NINE_OF_TEN)["aims"] == {"loss": "quantile", "quantile": 0.9, "cost": None}
    assert made_up.report("binary")["aims"] == {"loss": "auto", "quantile": None, "cost": None}


def test_rows_that_cannot_be_measured_say_so_of_the_pinball_loss_too() -> None:
    report = made_up.report("regression", rows=0, aims=NINE_OF_TEN)
    assert report["metrics"]["pinball_loss"]["reason"] == "there are no rows"
    assert report["dummy"]["pinball_loss"] is None


# The champion, slices, and importance


def test_the_champion_is_compared_by_the_quantile() -> None:
    y, true = skewed()
    mean = np.full(len(y), y.mean())
    everyone = np.ones(len(y), dtype=bool)
    found = compare(
        "regression", y, Scored(mean, None), Scored(true, None), everyone, classes=[], setting=SETTING
    )["metrics"]  # fmt: skip
    gain = mean_pinball_loss(y, mean, alpha=0.9) - mean_pinball_loss(y, true, alpha=0.9)
    assert found["pinball_loss"]["difference"] == pytest.approx(gain)
    report = {"task": "regression", "comparison": {"reason": None, "metrics": found}}
    better = ChangeRule(kind="change", metric="pinball_loss", must_be="superior")
    assert judge(report, [better], **BOUND).name == "PASS"


def test_slices_are_measured_and_judged_by_the_quantile() -> None:
    y, true = skewed()
    frame = pl.DataFrame({"c": np.where(np.arange(600) % 3 == 0, "few", "many")})
    found = parts({"s": Slice(columns=["c"])}, frame, frame)
    champion = Champion(Scored(np.full(len(y), y.mean()), None), np.ones(600, dtype=bool))
    lines = measure("regression", y, Scored(true, None), found, champion, classes=[], setting=SETTING)
    for line, part in zip(lines, found, strict=True):
        expected = mean_pinball_loss(y[part.rows], true[part.rows], alpha=0.9)
        assert line["metrics"]["pinball_loss"]["value"] == pytest.approx(expected)
        assert line["champion"]["metrics"]["pinball_loss"]["difference"] > 0
    report = made_up.report("regression", aims=NINE_OF_TEN, y=y, predictions=true)
    report |= {"slices": lines, "comparison": {"reason": None}}
    rule = SliceRule(kind="slice", metric="pinball_loss", max=1, no_harm=0)
    assert judge(report, [rule], **BOUND).name == "PASS"


def test_importance_is_how_much_worse_the_quantile_gets() -> None:
    y, true = skewed()
    rows = pl.DataFrame({"x": true, "noise": np.arange(600)})
    asked: dict[str, Any] = {"classes": [], "threshold": None, "seed": 0, "aims": NINE_OF_TEN}
    leans_on = dict.fromkeys(rows.columns, 0.5)
    found = permutation_importance("regression", rows, y, lambda each: each["x"].to_numpy(), leans_on, **asked)
    assert found is not None
    assert found["metric"] == "pinball_loss"
    assert [each["loss"] > 0 for each in found["features"]] == [True, False]


# Words, and reports that lack the metric


def test_a_gate_on_the_pinball_loss_needs_the_quantile() -> None:
    gates: list[AnyRule] = [floor_of_the_dummy("pinball_loss")]
    assert unknown_metrics("regression", gates) == ["pinball_loss"]
    assert unknown_metrics("regression", gates, NINE_OF_TEN) == []
    assert "it goes with `training.loss: quantile`" in metrics.near("regression", "pinball_loss")
    assert "goes with" not in metrics.near("binary", "pinball_loss")


def test_a_report_without_the_metric_is_an_error_that_says_what_to_do() -> None:
    """As those are that were made before a metric was measured."""
    older = made_up.report("regression") | {"comparison": {"reason": None, "metrics": {}}, "slices": []}
    del older["aims"]
    assert metrics.reported(older) == metrics.names("regression")
    rules: list[AnyRule] = [
        floor_of_the_dummy("pinball_loss"),
        ValueRule(kind="value", metric="pinball_loss", max=1),
        ChangeRule(kind="change", metric="pinball_loss"),
        SliceRule(kind="slice", metric="pinball_loss", max=1),
    ]
    for rule in rules:
        verdict = judge(older, [rule], **BOUND)
        assert verdict.name == "ERROR"
        assert "no pinball_loss; evaluate again" in verdict.explanation or rule.kind == "slice"


@pytest.mark.parametrize("broken", [{}, {"task": "binary"}, {"task": "binary", "metrics": None}, {"task": None}])
def test_what_is_no_report_reports_nothing(broken: dict[str, Any]) -> None:
    assert metrics.reported(broken) == ()


# What mistakes cost

COSTS = Aims(cost=Cost(false_positive=1, false_negative=8))
NO = ["no", "yes"]


def test_costs_are_what_the_spec_says() -> None:
    cost = {"false_positive": 1, "false_negative": 8}
    asked = small_spec({"x": "number"}, decision={"objective": "cost", "cost": cost})
    assert Aims.of(asked) == COSTS
    assert Aims.from_json(COSTS.to_json()) == COSTS


def test_the_cost_is_a_mean_over_rows_at_the_threshold() -> None:
    """One of four is missed, and one called by mistake."""
    y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    found = metrics.compute("binary", y, p, classes=NO, threshold=0.4, aims=COSTS)
    assert found["cost"] == (1 + 8) / 4
    weighted = metrics.compute("binary", y, p, classes=NO, threshold=0.4, weights=np.array([1, 2, 3, 0]), aims=COSTS)
    assert weighted["cost"] == (2 + 3 * 8) / 6
    assert tuple(found) == metrics.names("binary", COSTS)
    assert metrics.DIRECTION["cost"] == "lower"
    nothing = metrics.compute("binary", y, p, classes=NO, threshold=0.4, weights=np.zeros(4), aims=COSTS)
    assert math.isnan(nothing["cost"])


def test_without_costs_there_is_no_cost_and_a_gate_says_what_it_goes_with() -> None:
    assert "cost" not in metrics.names("binary")
    assert "it goes with `decision.objective: cost`" in metrics.near("binary", "cost")
    assert unknown_metrics("binary", [floor_of_the_dummy("cost")], COSTS) == []
    assert metrics.names("binary", COSTS)[0] == "roc_auc"


@pytest.mark.parametrize(("positives", "cost"), [(30, 0.7 * 1), (5, 0.05 * 8)])
def test_the_dummy_calls_all_rows_what_costs_less_and_is_else_as_without_costs(positives: int, cost: float) -> None:
    """A dummy that names the more frequent class would cost far more than one that knows what a miss costs."""
    y = np.r_[np.ones(positives), np.zeros(100 - positives)].astype(np.int64)
    sample = {"y": y, "predictions": np.full(100, 0.5), "train_target": y}
    found = made_up.report("binary", aims=COSTS, **sample)
    assert found["dummy"].pop("cost") == pytest.approx(cost)
    assert found["dummy"] == made_up.report("binary", **sample)["dummy"]


def test_a_model_beats_the_dummy_by_its_cost_at_the_operating_point() -> None:
    y, p = made_up.binary(1000)
    gates: list[AnyRule] = [floor_of_the_dummy("cost"), ValueRule(kind="value", metric="cost", max=0.7)]
    at_the_best = made_up.report("binary", aims=COSTS, y=y, predictions=p, threshold=0.2)
    assert judge(at_the_best, gates, **BOUND).name == "PASS"
    assert at_the_best["metrics"]["cost"]["low"] < at_the_best["metrics"]["cost"]["value"]
    careless = made_up.report("binary", aims=COSTS, y=y, predictions=p, threshold=0.9)
    assert judge(careless, gates, **BOUND).name == "REJECT"
    assert made_up.report("binary", rows=0, aims=COSTS)["metrics"]["cost"]["reason"] == "there are no rows"
