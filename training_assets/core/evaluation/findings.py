"""The verdict as findings, rule kind by rule kind, for checks to wear."""

from __future__ import annotations

from typing import Any

from training_assets.core.evaluation.verdict import RuleResult, Verdict
from training_assets.core.validation.findings import Fact, Finding, Severity

CLAIMS = {
    "metrics_reach_floors": "value",
    "better_than_dummy": "beats_dummy",
    "not_worse_than_champion": "change",
    "slices_hold": "slice",
    "not_too_good_to_be_true": "suspicious",
    "probabilities_are_calibrated": "calibration",
    "fast_and_small_enough": "runtime",
    "served_as_evaluated": "parity",
    "card_is_filled_in": "card",
}
"""Claim → kind of rule that it speaks of."""


def verdict_findings(verdict: Verdict, approved: str | None = None) -> list[Finding]:
    """One finding a kind of rule, and one for the verdict as a whole; each blocks unless its rules passed.

    With `approved`, by whom and why people let the candidate pass, what its rules missed is a warning. Without a rule
    of its kind, no claim passes: nothing was shown.
    """
    findings = []
    severity: Severity = "block" if approved is None else "warn"
    for claim, kind in CLAIMS.items():
        results = [result for result in verdict.results if result.rule["kind"] == kind]
        if not results:
            findings.append(Finding(claim, False, "warn", f"the spec has no rule of kind {kind}", {}))
            continue
        missed = [result for result in results if result.outcome not in {"PASS", "NOT_APPLICABLE"}]
        text = "; ".join(result.text for result in missed or results)
        findings.append(Finding(claim, not missed, severity, text, {"rules": [_line(result) for result in results]}))
    allowed = verdict.allows("register")
    facts: dict[str, Fact] = {"verdict": verdict.name, "candidate": verdict.candidate, "policy": verdict.policy}
    text = verdict.explanation if approved is None else f"{approved}; {verdict.explanation}"
    findings.append(Finding("verdict_allows_registration", allowed or approved is not None, "block", text, facts))
    return findings


def _line(result: RuleResult) -> dict[str, Any]:
    return {
        "metric": result.rule.get("metric"),
        "outcome": result.outcome,
        "observed": result.observed,
        "bound": result.bound,
        "otherwise": result.otherwise,
    }
