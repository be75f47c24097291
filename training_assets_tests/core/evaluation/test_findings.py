"""What checks say of a verdict: a claim passes only if a rule of its kind was held."""

from __future__ import annotations

import pytest

from training_assets.core.evaluation.findings import CLAIMS, verdict_findings
from training_assets.core.evaluation.gates import judge
from training_assets.core.validation.findings import Finding
from training_assets.spec.evaluation import AnyRule, ValueRule
from training_assets_tests.core.evaluation import made_up


def found(gates: list[AnyRule], approved: str | None = None) -> dict[str, Finding]:
    verdict = judge(made_up.report("binary"), gates, candidate="c", report_digest="r", policy_digest="p")
    return {each.claim: each for each in verdict_findings(verdict, approved)}


def test_without_a_rule_of_its_kind_no_claim_passes() -> None:
    findings = found([])
    assert not any(each.passed for each in findings.values())
    assert findings["metrics_reach_floors"].text == "the spec has no rule of kind value"
    assert "UNGATED" in findings["verdict_allows_registration"].text
    assert findings["verdict_allows_registration"].severity == "block"


def test_a_claim_is_that_of_the_rules_of_its_kind_alone() -> None:
    findings = found([ValueRule(kind="value", metric="roc_auc", min=0.5)])
    assert [name for name, each in findings.items() if each.passed] == [
        "metrics_reach_floors", "verdict_allows_registration",
    ]  # fmt: skip
    assert set(findings) == {*CLAIMS, "verdict_allows_registration"}


@pytest.mark.parametrize(("approved", "severity"), [(None, "block"), ("approved by ada: known", "warn")])
def test_a_missed_rule_blocks_unless_people_approved(approved: str | None, severity: str) -> None:
    findings = found([ValueRule(kind="value", metric="roc_auc", min=0.999)], approved)
    floors, whole = findings["metrics_reach_floors"], findings["verdict_allows_registration"]
    assert (floors.passed, floors.severity, "is under the floor" in floors.text) == (False, severity, True)
    assert whole.passed == (approved is not None)
