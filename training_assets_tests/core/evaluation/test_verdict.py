"""The verdict follows from the results alone, cannot be made up, and is bound to what was judged."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core import fingerprint
from training_assets.core.evaluation.verdict import Otherwise, Outcome, RuleResult, Verdict, explain, name_of

outcomes = st.sampled_from(get_args(Outcome))
otherwises = st.sampled_from(get_args(Otherwise))
results_of = st.lists(st.tuples(outcomes, otherwises), max_size=5).map(
    lambda pairs: tuple(result(outcome, otherwise, f"rule {place}") for place, (outcome, otherwise) in enumerate(pairs))
)


def result(outcome: Any, otherwise: Any = "reject", text: str = "a rule") -> RuleResult:
    return RuleResult({"kind": "value", "metric": "mae"}, outcome, 0.5, 0.4, otherwise, text)


def verdict(*results: RuleResult, **changes: Any) -> Verdict:
    given: dict[str, Any] = {
        "name": name_of(results),
        "results": results,
        "candidate": "c" * 64,
        "report": "r" * 64,
        "policy": "p" * 64,
        "explanation": explain(results),
    }
    return Verdict(**{**given, **changes})


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ([], "UNGATED"),
        ([("PASS", "reject")], "PASS"),
        ([("PASS", "reject"), ("NOT_APPLICABLE", "reject")], "PASS"),
        ([("NOT_APPLICABLE", "reject")], "REVIEW"),  # nothing was shown
        ([("PASS", "reject"), ("INCONCLUSIVE", "reject")], "REVIEW"),
        ([("PASS", "reject"), ("INCONCLUSIVE", "review")], "REVIEW"),
        ([("PASS", "reject"), ("FAIL", "review")], "REVIEW"),
        ([("PASS", "reject"), ("FAIL", "reject")], "REJECT"),
        ([("FAIL", "review"), ("FAIL", "reject")], "REJECT"),
        ([("INCONCLUSIVE", "reject"), ("FAIL", "reject")], "REJECT"),
        ([("ERROR", "review"), ("FAIL", "reject")], "ERROR"),
        ([("PASS", "reject"), ("ERROR", "review")], "ERROR"),
    ],
)
def test_the_table_of_verdicts(pairs: list[tuple[str, str]], name: str) -> None:
    assert name_of([result(outcome, otherwise) for outcome, otherwise in pairs]) == name


@given(results_of)
def test_pass_means_that_every_rule_that_applied_held(results: tuple[RuleResult, ...]) -> None:
    held = {each.outcome for each in results}
    assert (name_of(results) == "PASS") == ("PASS" in held and held <= {"PASS", "NOT_APPLICABLE"})


@given(results_of)
def test_order_does_not_matter(results: tuple[RuleResult, ...]) -> None:
    assert name_of(results) == name_of(results[::-1])


@given(results_of, outcomes.filter(lambda outcome: outcome not in {"PASS", "NOT_APPLICABLE"}), otherwises)
def test_one_more_miss_never_makes_a_pass(results: tuple[RuleResult, ...], outcome: Any, otherwise: Any) -> None:
    assert name_of((*results, result(outcome, otherwise))) != "PASS"


@given(results_of)
def test_only_pass_allows_registration(results: tuple[RuleResult, ...]) -> None:
    assert verdict(*results).allows("register") == (name_of(results) == "PASS")
    assert not verdict(*results).allows("promote")  # type: ignore[arg-type]  # what no verdict alone allows


@given(results_of)
def test_json_and_back(results: tuple[RuleResult, ...]) -> None:
    original = verdict(*results)
    read = Verdict.from_json(json.loads(fingerprint.canonical(original.to_json())))
    assert read == original
    assert read.digest == original.digest


@given(results_of)
def test_the_explanation_names_the_rules_that_decided(results: tuple[RuleResult, ...]) -> None:
    text = explain(results)
    assert text.startswith(name_of(results))
    for each in results:
        decisive = each.outcome == "ERROR" if name_of(results) == "ERROR" else each.outcome == "FAIL"
        if decisive and name_of(results) in {"ERROR", "REVIEW"}:
            assert each.text in text


def test_explanations_read_like_sentences() -> None:
    assert explain(()) == "UNGATED: no rules were given, so nothing was shown; add some under evaluation.gates"
    assert explain((result("PASS"),)) == "PASS: the rule holds"
    assert explain((result("PASS"), result("NOT_APPLICABLE"))) == "PASS: the rule holds, 1 does not apply"
    assert explain((result("NOT_APPLICABLE"),)) == "REVIEW: no rule could be applied"
    assert explain((result("FAIL", text="mae 9 is over the ceiling 5"),)) == "REJECT: mae 9 is over the ceiling 5"


@pytest.mark.parametrize("field", ["candidate", "report", "policy", "explanation"])
def test_the_digest_covers_every_binding(field: str) -> None:
    one = verdict(result("PASS"))
    assert one.digest == verdict(result("PASS")).digest
    assert one.digest != verdict(result("PASS"), **{field: "other"}).digest


def test_the_digest_covers_the_results() -> None:
    assert verdict(result("PASS", text="a")).digest != verdict(result("PASS", text="b"), explanation="PASS").digest


@pytest.mark.parametrize("name", ["PASS", "REVIEW", "UNGATED", "ERROR", "anything", None])
def test_a_name_that_does_not_follow_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="the results say REJECT"):
        verdict(result("FAIL"), name=name)


@pytest.mark.parametrize("field", ["candidate", "report", "policy"])
@pytest.mark.parametrize("value", ["", None])
def test_a_verdict_about_nothing_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        verdict(result("PASS"), **{field: value})


def test_a_verdict_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        verdict(result("FAIL")).name = "PASS"  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    "change",
    [
        {"name": "PASS"},
        {"results": []},
        {"results": None},
        {"results": [{"outcome": "PASS"}]},
        {"results": ["PASS"]},
        {"candidate": ""},
        {"signed_by": "me"},
    ],
)
def test_json_that_is_no_verdict_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"verdict|results"):
        Verdict.from_json({**verdict(result("FAIL")).to_json(), **change})


@pytest.mark.parametrize("missing", ["name", "results", "candidate", "policy"])
def test_json_without_a_key_is_refused(missing: str) -> None:
    data = verdict(result("PASS")).to_json()
    del data[missing]
    with pytest.raises(ValueError, match="no verdict"):
        Verdict.from_json(data)


@pytest.mark.parametrize(
    ("outcome", "otherwise", "observed"),
    [
        ("pass", "reject", 0.5),
        ("PASS", "ignore", 0.5),
        ("PASS", "reject", float("nan")),
        ("PASS", "reject", float("inf")),
    ],
)
def test_a_result_that_nothing_can_mean_is_refused(outcome: Any, otherwise: Any, observed: float) -> None:
    with pytest.raises(ValueError, match="rule"):
        RuleResult({}, outcome, observed, None, otherwise, "")
