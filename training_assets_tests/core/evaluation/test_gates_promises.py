"""What rules promise whatever the numbers: nothing missing passes, and a verdict keeps what it is bound to."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.gates import Verdict, judge, unknown_metrics
from training_assets.spec.evaluation import ValueRule
from training_assets_tests.core.evaluation.test_gates import BOUND, beats, floor, report

numbers = st.floats(0, 1, allow_subnormal=False)
sick = st.sampled_from([None, math.nan, math.inf, "0.9", True, 10**400])
names = st.sampled_from(metrics.names("binary"))
value_rules = st.builds(
    lambda metric, low, width, compare, otherwise: ValueRule(
        kind="value",
        metric=metric,
        min=low,
        max=None if width is None else low + width,
        compare=compare,
        otherwise=otherwise,
    ),
    names,
    numbers,
    st.none() | numbers,
    st.sampled_from(["point", "bound"]),
    st.sampled_from(["reject", "review"]),
)
dummy_rules = st.builds(
    lambda metric, margin, otherwise: beats(metric, margin, otherwise=otherwise),
    names,
    st.floats(0, 0.5),
    st.sampled_from(["reject", "review"]),
)
rules = st.lists(value_rules | dummy_rules, max_size=4)


@st.composite
def reports(draw: st.DrawFn, values: st.SearchStrategy[Any] = numbers) -> dict[str, Any]:
    entries = {}
    for name in metrics.names("binary"):
        value = draw(values)
        entries[name] = {
            "value": value,
            "low": draw(values),
            "high": draw(values),
            "direction": metrics.DIRECTION[name],
        }
    dummy, over = ({name: draw(values) for name in entries} for _ in range(2))
    over_dummy = {name: {"low": low} for name, low in over.items()}
    return {"task": "binary", "metrics": entries, "dummy": dummy, "over_dummy": over_dummy}


@given(reports(), rules)
@settings(max_examples=200, deadline=None)
def test_pass_if_and_only_if_every_rule_passes(made: dict[str, Any], gates: Any) -> None:
    verdict = judge(made, gates, **BOUND)
    assert (verdict.name == "PASS") == (bool(gates) and all(each.outcome == "PASS" for each in verdict.results))
    assert [each.rule for each in verdict.results] == [rule.model_dump(mode="json") for rule in gates]


@given(reports(sick), rules)
@settings(max_examples=200, deadline=None)
def test_nothing_sick_ever_passes(made: dict[str, Any], gates: Any) -> None:
    assert judge(made, gates, **BOUND).name == ("ERROR" if gates else "UNGATED")


@given(reports(numbers | sick), rules, names)
@settings(max_examples=200, deadline=None)
def test_losing_a_metric_never_helps(made: dict[str, Any], gates: Any, lost: str) -> None:
    before = judge(made, gates, **BOUND)
    del made["metrics"][lost]
    after = judge(made, gates, **BOUND)
    assert after.name != "PASS" or before.name == "PASS"
    assert all(each.rule["metric"] != lost for each in after.results) or after.name == "ERROR"


@given(reports(), rules, st.text(min_size=1, max_size=20).filter(lambda text: text not in metrics.DIRECTION))
@settings(max_examples=50, deadline=None)
def test_an_unknown_metric_never_passes(made: dict[str, Any], gates: Any, unknown: str) -> None:
    made["metrics"][unknown] = {"value": 1.0, "low": 1.0, "high": 1.0}
    assert judge(made, [*gates, floor(0, unknown)], **BOUND).name == "ERROR"
    assert unknown in unknown_metrics("binary", [*gates, floor(0, unknown)])


@given(reports(numbers | sick), rules)
@settings(max_examples=100, deadline=None)
def test_every_verdict_survives_json(made: dict[str, Any], gates: Any) -> None:
    verdict = judge(made, gates, **BOUND)
    assert Verdict.from_json(verdict.to_json()).digest == verdict.digest
    assert all(each.text for each in verdict.results)


@given(reports(), rules)
@settings(max_examples=50, deadline=None)
def test_the_digest_changes_with_candidate_report_and_policy(made: dict[str, Any], gates: Any) -> None:
    digests = {judge(made, gates, **{**BOUND, key: "other"}).digest for key in BOUND}
    assert len({*digests, judge(made, gates, **BOUND).digest}) == 4


@pytest.mark.parametrize("key", list(BOUND))
def test_a_verdict_is_bound_to_something(key: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        judge(report(roc_auc=0.9), [floor(0.5)], **{**BOUND, key: ""})
