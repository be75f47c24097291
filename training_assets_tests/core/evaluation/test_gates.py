"""Rules against numbers: inclusive bounds, honest doubt, and never a pass for what is missing."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from training_assets.core import fingerprint
from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.gates import RuleResult, Verdict, judge, policy_digest, unknown_metrics
from training_assets.core.evaluation.report import evaluate
from training_assets.spec.evaluation import AnyRule, BeatsDummyRule, Evaluation, ValueRule
from training_assets_tests.core.evaluation import made_up

BOUND: dict[str, Any] = {"candidate": "c", "report_digest": "r", "policy_digest": "p"}


def floor(limit: float, metric: str = "roc_auc", **more: Any) -> ValueRule:
    return ValueRule(kind="value", metric=metric, min=limit, **more)


def ceiling(limit: float, metric: str = "log_loss", **more: Any) -> ValueRule:
    return ValueRule(kind="value", metric=metric, max=limit, **more)


def beats(metric: str = "roc_auc", margin: float = 0.0, **more: Any) -> BeatsDummyRule:
    return BeatsDummyRule(kind="beats_dummy", metric=metric, margin=margin, **more)


def report(task: str = "binary", dummy: Any = 0.5, **entries: Any) -> dict[str, Any]:
    """A report whose metrics are given as a value, or as (low, value, high); the dummy's are certain."""
    found, over = {}, {}
    for name, entry in entries.items():
        low, value, high = entry if isinstance(entry, tuple) else (entry, entry, entry)
        found[name] = {"value": value, "low": low, "high": high, "direction": metrics.DIRECTION[name]}
        worse = low if metrics.DIRECTION[name] == "higher" else high
        if all(isinstance(each, float) and math.isfinite(each) for each in (worse, dummy)):
            gain = Decimal(repr(worse)) - Decimal(repr(dummy))
            over[name] = {"low": float(gain if metrics.DIRECTION[name] == "higher" else -gain)}
    return {"task": task, "metrics": found, "dummy": dict.fromkeys(entries, dummy), "over_dummy": over}


def only(verdict: Verdict) -> RuleResult:
    (result,) = verdict.results
    return result


def outcome(rule: Any, **entries: Any) -> str:
    return only(judge(report(**entries), [rule], **BOUND)).outcome


# Value rules


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (floor(0.7), 0.7, "PASS"),
        (floor(0.7), math.nextafter(0.7, 1), "PASS"),
        (floor(0.7), math.nextafter(0.7, 0), "FAIL"),
        (floor(0.7, "log_loss"), 0.7, "PASS"),  # a floor for what should be low: too good to be true
        (ceiling(0.5), 0.5, "PASS"),
        (ceiling(0.5), math.nextafter(0.5, 1), "FAIL"),
        (ceiling(0.99, "roc_auc"), 0.995, "FAIL"),
        (floor(0), 0, "PASS"),
        (floor(1), 1, "PASS"),
    ],
)
def test_bounds_are_inclusive(rule: ValueRule, value: float, expected: str) -> None:
    assert outcome(rule, **{rule.metric: value}) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ((0.71, 0.74, 0.77), "PASS"),
        ((0.70, 0.74, 0.78), "PASS"),
        ((0.69, 0.74, 0.79), "INCONCLUSIVE"),
        ((0.60, 0.69, 0.78), "FAIL"),
        ((0.72, 0.71, 0.75), "PASS"),  # a skewed bootstrap: both keep the floor
        ((None, 0.74, 0.79), "INCONCLUSIVE"),
        ((math.nan, 0.74, 0.79), "INCONCLUSIVE"),
        (("0.71", 0.74, 0.79), "INCONCLUSIVE"),
    ],
)
def test_on_bound_a_floor_is_held_against_the_lower_bound(entry: Any, expected: str) -> None:
    assert outcome(floor(0.7, compare="bound"), roc_auc=entry) == expected
    value = entry[1]
    assert outcome(floor(0.7), roc_auc=entry) == ("PASS" if value >= 0.7 else "FAIL")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ((0.3, 0.4, 0.5), "PASS"),
        ((0.3, 0.4, 0.51), "INCONCLUSIVE"),
        ((0.4, 0.51, 0.6), "FAIL"),
        ((0.3, 0.4, None), "INCONCLUSIVE"),
    ],
)
def test_on_bound_a_ceiling_is_held_against_the_upper_bound(entry: Any, expected: str) -> None:
    assert outcome(ceiling(0.5, compare="bound"), log_loss=entry) == expected


def test_a_rule_with_both_bounds_needs_both() -> None:
    rule = ValueRule(kind="value", metric="roc_auc", min=0.7, max=0.95)
    assert [outcome(rule, roc_auc=value) for value in (0.69, 0.7, 0.8, 0.95, 0.96)] == [
        "FAIL",
        "PASS",
        "PASS",
        "PASS",
        "FAIL",
    ]


def test_the_worse_of_two_bounds_decides() -> None:
    rule = ValueRule(kind="value", metric="roc_auc", min=0.7, max=0.95, compare="bound")
    assert outcome(rule, roc_auc=(0.6, 0.96, 0.97)) == "FAIL"
    assert outcome(rule, roc_auc=(0.6, 0.94, 0.97)) == "INCONCLUSIVE"


# Beating the dummy


@pytest.mark.parametrize(
    ("metric", "value", "dummy", "margin", "expected"),
    [
        ("roc_auc", 0.5, 0.5, 0, "FAIL"),  # as good as is not better
        ("roc_auc", math.nextafter(0.5, 1), 0.5, 0, "PASS"),
        ("roc_auc", 0.4, 0.5, 0, "FAIL"),
        ("roc_auc", 0.7, 0.5, 0.2, "PASS"),  # 0.7 - 0.5 is 0.19999999999999996
        ("roc_auc", 0.69, 0.5, 0.2, "FAIL"),
        ("log_loss", 0.5, 0.5, 0, "FAIL"),
        ("log_loss", 0.49, 0.5, 0, "PASS"),
        ("log_loss", 0.3, 0.5, 0.2, "PASS"),
        ("log_loss", 0.1, 0.3, 0.2, "PASS"),  # 0.3 - 0.2 is 0.09999999999999998
        ("log_loss", 0.31, 0.5, 0.2, "FAIL"),
        ("roc_auc", (0.51, 0.6, 0.7), 0.5, 0, "PASS"),
        ("roc_auc", (0.5, 0.6, 0.7), 0.5, 0, "INCONCLUSIVE"),  # perhaps as good as, which is not better
        ("roc_auc", (0.55, 0.6, 0.7), 0.5, 0.05, "PASS"),
        ("roc_auc", (0.54, 0.6, 0.7), 0.5, 0.05, "INCONCLUSIVE"),
        ("roc_auc", (0.3, 0.4, 0.7), 0.5, 0, "FAIL"),
        ("log_loss", (0.2, 0.4, 0.49), 0.5, 0, "PASS"),
        ("log_loss", (0.2, 0.4, 0.51), 0.5, 0, "INCONCLUSIVE"),
        ("roc_auc", 0.9, None, 0, "ERROR"),
        ("roc_auc", 0.9, math.nan, 0, "ERROR"),
        ("roc_auc", 0.9, "0.5", 0, "ERROR"),
        ("roc_auc", 0.9, True, 0, "ERROR"),
    ],
)
def test_beating_the_dummy(metric: str, value: float, dummy: Any, margin: float, expected: str) -> None:
    assert outcome(beats(metric, margin), dummy=dummy, **{metric: value}) == expected


@pytest.mark.parametrize("dummies", [None, [], {}, {"f1": 0.5}])
def test_without_a_dummy_nothing_is_beaten(dummies: Any) -> None:
    verdict = judge({**report(roc_auc=0.9), "dummy": dummies}, [beats()], **BOUND)
    assert verdict.name == "ERROR"
    assert "use a rule of kind value" in verdict.explanation


@pytest.mark.parametrize(
    ("over", "expected", "why"),
    [
        ({}, "ERROR", "does not say how surely; evaluate again"),
        ({"roc_auc": None}, "ERROR", "does not say how surely; evaluate again"),
        ({"roc_auc": {"low": None, "reason": "too few rows"}}, "INCONCLUSIVE", "no lower bound: too few rows"),
        ({"roc_auc": {"low": math.nan}}, "INCONCLUSIVE", "no lower bound: the report says no number"),
        ({"roc_auc": {"low": -0.1}}, "INCONCLUSIVE", "perhaps by chance: the gain of 0.4 has the lower bound -0.1"),
    ],
)
def test_a_gain_that_may_be_chance_is_no_pass(over: Any, expected: str, why: str) -> None:
    result = only(judge({**report(roc_auc=0.9), "over_dummy": over}, [beats()], **BOUND))
    assert result.outcome == expected
    assert result.text.startswith("roc_auc 0.9 beats the dummy's 0.5, but ")
    assert why in result.text


def test_a_model_that_guesses_beats_the_dummy_as_seldom_as_confidence_says() -> None:
    passed = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        y, p = np.arange(120) % 3 == 0, rng.random(120)
        found = evaluate(
            "binary", y.astype(int), p, classes=["no", "yes"], threshold=None, spec=Evaluation(replicates=100),
            train_target=y.astype(int), seed=seed,
        )  # fmt: skip
        passed += only(judge(found, [beats()], **BOUND)).outcome == "PASS"
    assert 3 <= passed <= 28  # 15 are meant; by the point alone, half of them pass


# What is missing


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "0.9", True, [], {}, 10**400])
@pytest.mark.parametrize(
    "rule", [floor(0), ceiling(2, "roc_auc"), beats(), floor(0, compare="bound", otherwise="review")]
)
def test_what_is_no_number_is_an_error(rule: Any, value: Any) -> None:
    verdict = judge(report(roc_auc=(0.9, value, 0.9)), [rule], **BOUND)
    assert (verdict.name, only(verdict).observed) == ("ERROR", None)
    Verdict.from_json(verdict.to_json())


@pytest.mark.parametrize(
    "broken",
    [
        {},
        None,
        {"task": "binary"},
        {"task": "binary", "metrics": None},
        {"task": "binary", "metrics": {"roc_auc": 0.9}},
        {"task": "binary", "metrics": {"roc_auc": {}}},
        {"task": "ranking", "metrics": {"roc_auc": {"value": 0.9}}},
        {"task": None, "metrics": {"roc_auc": {"value": 0.9}}},
        {"metrics": {"roc_auc": {"value": 0.9}}},
    ],
)
def test_a_broken_report_is_an_error(broken: Any) -> None:
    assert judge(broken, [floor(0.1)], **BOUND).name == "ERROR"
    assert judge(broken, [], **BOUND).name == "UNGATED"


def test_an_unknown_metric_names_the_known_ones() -> None:
    verdict = judge(report(roc_auc=0.9), [floor(0.5, "roc_acu")], **BOUND)
    assert verdict.name == "ERROR"
    assert "did you mean 'roc_auc'?" in verdict.explanation
    assert "average_precision" in verdict.explanation


def test_a_metric_of_another_task_is_an_error_even_if_reported() -> None:
    assert judge(report("regression", roc_auc=0.9), [floor(0.5)], **BOUND).name == "ERROR"


def test_the_reason_in_the_report_reaches_the_verdict() -> None:
    empty = made_up.report("binary", rows=0)
    verdict = judge(empty, [floor(0.5), beats("log_loss")], **BOUND)
    assert verdict.explanation.startswith("ERROR: roc_auc has no value: there are no rows")


def test_a_bound_that_is_no_number_is_an_error() -> None:
    """The spec refuses it; a rule that got around the spec must not pass either."""
    for limit in (math.nan, -math.inf):
        rule = ValueRule.model_construct(
            kind="value", metric="roc_auc", min=limit, max=None, compare="point", otherwise="reject"
        )
        verdict = judge(report(roc_auc=0.9), [rule], **BOUND)
        assert verdict.name == "ERROR"
        fingerprint.canonical(verdict.to_json())
    none = ValueRule.model_construct(
        kind="value", metric="roc_auc", min=None, max=None, compare="point", otherwise="reject"
    )
    assert judge(report(roc_auc=0.9), [none], **BOUND).name == "ERROR"
    margin = BeatsDummyRule.model_construct(kind="beats_dummy", metric="roc_auc", margin=math.nan, otherwise="reject")
    assert judge(report(roc_auc=0.9), [margin], **BOUND).name == "ERROR"


@pytest.mark.parametrize("limit", [math.nan, math.inf, -math.inf])
def test_the_spec_refuses_a_bound_that_is_no_number(limit: float) -> None:
    """`max: .inf` would hold for anything."""
    for rule in ({"min": limit}, {"max": limit}):
        with pytest.raises(ValidationError):
            Evaluation.model_validate({"gates": [{"kind": "value", "metric": "mae", **rule}]})
    with pytest.raises(ValidationError):
        Evaluation.model_validate({"gates": [{"kind": "beats_dummy", "metric": "mae", "margin": limit}]})


# Policies


def test_a_policy_is_its_rules_whatever_their_order() -> None:
    one, two = floor(0.7), beats("log_loss")
    assert policy_digest([one, two]) == policy_digest([two, one])
    assert (
        len(
            {
                policy_digest(each)
                for each in ([], [one], [two], [one, one], [floor(0.71)], [floor(0.7, compare="bound")])
            }
        )
        == 6
    )
    assert policy_digest([floor(1)]) == policy_digest([floor(1.0)])


def test_unknown_metrics_are_named_once_and_in_order() -> None:
    gates: list[AnyRule] = [floor(1, "rmse"), floor(0.5), beats("auc"), floor(1, "rmse")]
    assert unknown_metrics("binary", gates) == ["rmse", "auc"]
    assert unknown_metrics("regression", gates) == ["roc_auc", "auc"]
    assert unknown_metrics("binary", []) == []


# Words


@pytest.mark.parametrize(
    ("rule", "entries", "text"),
    [
        (floor(0.7), {"roc_auc": 0.641}, "roc_auc 0.641 is under the floor 0.7"),
        (floor(0.7), {"roc_auc": 0.69996}, "roc_auc 0.69996 is under the floor 0.7"),
        (floor(0.7), {"roc_auc": 0.741}, "roc_auc 0.741 keeps the floor 0.7"),
        (ceiling(0.5), {"log_loss": 0.612}, "log_loss 0.612 is over the ceiling 0.5"),
        (
            floor(0.7, compare="bound"),
            {"roc_auc": (0.698, 0.705, 0.712)},
            "roc_auc 0.705 keeps the floor 0.7, but its low bound 0.698 does not",
        ),
        (
            floor(0.7, compare="bound"),
            {"roc_auc": (None, 0.705, None)},
            "roc_auc 0.705 keeps the floor 0.7, but has no low bound: the report says no number",
        ),
        (beats(), {"roc_auc": 0.641}, "roc_auc 0.641 beats the dummy's 0.5"),
        (beats(margin=0.2), {"roc_auc": 0.641}, "roc_auc 0.641 does not beat the dummy's 0.5 by 0.2"),
    ],
)
def test_a_result_says_what_was_seen_and_asked(rule: Any, entries: dict[str, Any], text: str) -> None:
    assert only(judge(report(**entries), [rule], **BOUND)).text == text


def test_a_result_has_the_numbers_it_rests_on() -> None:
    plain = only(judge(report(roc_auc=(0.6, 0.8, 0.9)), [floor(0.7)], **BOUND))
    assert (plain.observed, plain.bound) == (0.8, 0.7)
    doubtful = only(judge(report(roc_auc=(0.6, 0.8, 0.9)), [floor(0.7, compare="bound")], **BOUND))
    assert (doubtful.observed, doubtful.bound) == (0.6, 0.7)
    beaten = only(judge(report(roc_auc=0.8), [beats(margin=0.1)], **BOUND))
    assert (beaten.observed, beaten.bound) == (0.8, 0.6)


# The whole way


def test_a_sound_model_passes_and_a_constant_one_does_not() -> None:
    gates: list[AnyRule] = [
        floor(0.7, compare="bound"),
        beats("log_loss"),
        beats("average_precision", 0.05),
        ceiling(0.99, "roc_auc"),
    ]
    good = made_up.report("binary", rows=2000)
    assert judge(good, gates, **BOUND).name == "PASS"
    assert judge(made_up.report("regression"), [beats("rmse"), floor(0.5, "r2")], **BOUND).name == "PASS"
    assert judge(made_up.report("multiclass"), [beats("roc_auc_ovr"), beats("f1_macro")], **BOUND).name == "PASS"
    constant = {**good, "metrics": {n: {**good["metrics"][n], "value": v} for n, v in good["dummy"].items()}}
    assert judge(constant, [beats("log_loss")], **BOUND).name == "REJECT"
    assert judge(constant, [beats("log_loss", otherwise="review")], **BOUND).name == "REVIEW"
