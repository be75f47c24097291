"""What each kind of rule says; what is missing never passes."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.stats import false_discovery_control

from training_assets.core.evaluation.calibration_error import calibration_error
from training_assets.core.evaluation.gates import judge
from training_assets.core.evaluation.rules.on_slices import benjamini_hochberg
from training_assets.spec.evaluation import AnyRule
from training_assets_tests.core.evaluation.made_up import binary

RULES: TypeAdapter[AnyRule] = TypeAdapter(AnyRule)
CHANGE = {"difference": 0.01, "low": -0.002, "high": 0.02, "standard_error": 0.006, "smallest_change": 0.015}
REPORT: dict[str, Any] = {
    "task": "binary",
    "confidence": 0.95,
    "metrics": {"roc_auc": {"value": 0.8, "low": 0.78, "high": 0.82}},
    "dummy": {"roc_auc": 0.5},
    "over_dummy": {"roc_auc": {"difference": 0.3, "low": 0.28, "high": 0.32}},
    "comparison": {"champion": "3", "rows": 500, "pruned": 20, "reason": None, "metrics": {"roc_auc": CHANGE}},
    "slices": [
        {
            "slice": "region",
            "part": f"region={name}",
            "rows": 100,
            "judged": True,
            "metrics": {"roc_auc": {"value": value, "low": value - 0.1, "high": value + 0.1}},
            "champion": {"rows": 90, "metrics": {"roc_auc": {**CHANGE, "difference": lead}}},
        }
        for name, value, lead in (("north", 0.75, 0.0), ("south", 0.7, -0.001))
    ],
    "calibration_error": {"value": 0.03, "bins": 15, "rows": 500},
    "runtime": {"latency_ms": 12.0, "size_mb": 3.0},
    "parity": {"rows": 64, "largest_difference": 0.0},
    "card": {"fields": {"overview": True, "use_cases": True, "limitations": True}},
}
PASSING = [
    {"kind": "value", "metric": "roc_auc", "min": 0.7},
    {"kind": "beats_dummy", "metric": "roc_auc"},
    {"kind": "change", "metric": "roc_auc", "margin": 0.005},
    {"kind": "slice", "metric": "roc_auc", "min": 0.7, "no_harm": 0.01},
    {"kind": "suspicious", "metric": "roc_auc", "beyond": 0.99},
    {"kind": "calibration", "max": 0.05},
    {"kind": "runtime", "latency_ms": 12, "size_mb": 10},
    {"kind": "parity"},
    {"kind": "card"},
]
IDS = [str(rule["kind"]) for rule in PASSING]


def outcome(rule: dict[str, Any], report: Any = REPORT) -> tuple[str, str]:
    (result,) = judge(
        report, [RULES.validate_python(rule)], candidate="c", report_digest="r", policy_digest="p"
    ).results
    return result.outcome, result.text


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    report = copy.deepcopy(REPORT)
    part: Any = report
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return report


@pytest.mark.parametrize("rule", PASSING, ids=IDS)
def test_a_rule_that_holds_passes(rule: dict[str, Any]) -> None:
    assert outcome(rule)[0] == "PASS"


@pytest.mark.parametrize(
    ("rule", "path", "value", "said"),
    [
        (PASSING[2], ["comparison", "metrics", "roc_auc", "high"], -0.006, "not worse by no more than 0.005"),
        (PASSING[3], ["slices", 1, "metrics", "roc_auc", "value"], 0.69, "region=south"),
        (PASSING[3], ["slices", 0, "champion", "metrics", "roc_auc", "difference"], -0.1, "region=north fell by 0.1"),
        (PASSING[4], ["metrics", "roc_auc", "value"], 0.99, "too good to be true"),
        (PASSING[5], ["calibration_error", "value"], 0.051, "is over 0.05"),
        (PASSING[6], ["runtime", "latency_ms"], 12.01, "is over 12"),
        (PASSING[7], ["parity", "largest_difference"], 1e-8, "is over"),
        (PASSING[8], ["card", "fields", "limitations"], False, "limitations"),
    ],
)
def test_a_rule_that_does_not_hold_fails_and_says_where(
    rule: dict[str, Any], path: list[Any], value: Any, said: str
) -> None:
    report = changed(path, value)
    if path[-1] == "high":
        report["comparison"]["metrics"]["roc_auc"]["low"] = -0.02
    found, text = outcome(rule, report)
    assert found == "FAIL"
    assert said in text


def test_a_change_within_noise_is_inconclusive_and_says_what_could_have_been_shown() -> None:
    found, text = outcome({"kind": "change", "metric": "roc_auc", "must_be": "superior", "margin": 0.005})
    assert found == "INCONCLUSIVE"
    assert "could have shown a change of 0.015" in text


def test_equal_is_not_superior() -> None:
    report = changed(["comparison", "metrics", "roc_auc"], dict.fromkeys(CHANGE, 0.0))
    assert outcome({"kind": "change", "metric": "roc_auc", "must_be": "superior"}, report)[0] == "INCONCLUSIVE"
    assert outcome({"kind": "change", "metric": "roc_auc"}, report)[0] == "PASS"


def test_without_a_champion_change_does_not_apply_and_all_others_hold() -> None:
    report = changed(["comparison"], None)
    first = {"kind": "slice", "metric": "roc_auc", "no_harm": 0.0}
    assert [outcome(rule, report)[0] for rule in (PASSING[2], first, PASSING[3], PASSING[0])] == [
        "NOT_APPLICABLE", "NOT_APPLICABLE", "PASS", "PASS",
    ]  # fmt: skip


def test_too_few_new_rows_are_inconclusive() -> None:
    found, text = outcome(PASSING[2], changed(["comparison", "reason"], "only 3 of 500 test rows are new"))
    assert (found, "only 3 of 500" in text) == ("INCONCLUSIVE", True)


def test_a_declared_slice_without_rows_is_no_pass() -> None:
    report = copy.deepcopy(REPORT)
    report["slices"] = [
        {"slice": "region", "part": "north", "rows": 0, "judged": False, "reason": "no test row is in it"}
    ]
    assert outcome(PASSING[3], report)[0] == "INCONCLUSIVE"
    assert outcome({**PASSING[3], "slices": ["age"]}, report)[0] == "ERROR"


def test_parts_say_nothing_where_the_metric_has_no_value_on_all_test_rows() -> None:
    report = copy.deepcopy(REPORT)
    assert outcome(PASSING[3], report)[0] == "PASS"
    report["metrics"][PASSING[3]["metric"]] |= {"value": None, "reason": "a prediction is not a finite number"}
    assert outcome(PASSING[3], report)[0] == "ERROR"


@pytest.mark.parametrize(
    ("small", "said"),
    [
        (0, ("keeps its bounds on all 2 parts", "is shown on all 2 parts")),
        (1, ("on 2 of 3 parts; 1 is too small to be judged",) * 2),
        (12, ("on 2 of 14 parts; 12 are too small to be judged",) * 2),
    ],
)
def test_a_pass_says_how_many_parts_it_speaks_of(small: int, said: tuple[str, str]) -> None:
    report = copy.deepcopy(REPORT)
    report["slices"] += [
        {"slice": "region", "part": f"region={number}", "rows": 3, "judged": False, "metrics": {}, "champion": None}
        for number in range(small)
    ]
    for asked, text in zip(({"min": 0.7}, {"no_harm": 0.01}), said, strict=True):
        found = outcome({"kind": "slice", "metric": "roc_auc", **asked}, report)
        assert found[0] == "PASS"
        assert text in found[1]


NAMES = ["value", "metrics", "roc_auc", "rows", "largest_difference", "fields", "reason", "slice", "judged"]
SECTIONS = {"change": "comparison", "slice": "slices", "calibration": "calibration_error"}


@pytest.mark.parametrize("rule", PASSING, ids=IDS)
@given(junk=st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.floats(), st.integers()),
    lambda each: st.one_of(st.lists(each, max_size=3), st.dictionaries(st.sampled_from(NAMES), each, max_size=3)),
    max_leaves=6,
))  # fmt: skip
def test_whatever_stands_in_place_of_the_evidence_is_no_pass(rule: dict[str, Any], junk: Any) -> None:
    kind = str(rule["kind"])
    section = SECTIONS.get(kind, kind if kind in REPORT else "metrics")
    if section == "slices" and isinstance(junk, list):
        junk = [each for each in junk if not (isinstance(each, dict) and "slice" in each)]
    honest = section in {"calibration_error", "parity"} and isinstance(junk, dict)
    found, _ = outcome(rule, {**REPORT, section: junk})
    if not honest:
        assert found != "PASS"
    found, _ = outcome(rule, {name: value for name, value in REPORT.items() if name != section})
    assert found == "ERROR"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.01, 0.2))
def test_discoveries_are_scipys(p_values: list[float], level: float) -> None:
    assert benjamini_hochberg(p_values, level) == (false_discovery_control(p_values) <= level).tolist()


def test_probabilities_that_are_frequencies_have_a_small_calibration_error() -> None:
    rng = np.random.default_rng(0)
    chances = rng.random(20_000)
    y = (rng.random(20_000) < chances).astype(np.int64)
    right = calibration_error("binary", y, chances)
    wrong = calibration_error("binary", y, chances**2)
    assert right is not None
    assert wrong is not None
    assert right["value"] < 0.02
    assert wrong["value"] == pytest.approx(float(np.mean(chances - chances**2)), abs=0.02)


def test_too_few_rows_have_no_calibration_error_and_regressions_none_at_all() -> None:
    y, predictions = binary(10)
    found = calibration_error("binary", y, predictions)
    assert found is not None
    assert (found["value"], "too few" in found["reason"]) == (None, True)
    assert calibration_error("regression", y, predictions) is None
