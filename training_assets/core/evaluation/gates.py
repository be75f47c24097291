"""The rules, each held against a report: numbers in, a verdict out; what is missing or not a number never passes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training_assets.core import fingerprint
from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.rules import against_champion, of_a_metric, of_a_model, on_slices
from training_assets.core.evaluation.rules.found import Found, error
from training_assets.core.evaluation.verdict import Outcome, RuleResult, Verdict, VerdictName, explain, name_of
from training_assets.spec.evaluation import AnyRule, MetricRule

__all__ = [
    "Outcome",
    "RuleResult",
    "Verdict",
    "VerdictName",
    "judge",
    "policy_digest",
    "unknown_metrics",
]

_JUDGES: Mapping[str, Callable[[Any, Mapping[str, Any]], Found]] = {
    "value": of_a_metric.value,
    "beats_dummy": of_a_metric.beats_dummy,
    "suspicious": of_a_metric.suspicious,
    "change": against_champion.change,
    "slice": on_slices.slices,
    "calibration": of_a_model.calibration,
    "runtime": of_a_model.runtime,
    "parity": of_a_model.parity,
    "card": of_a_model.card,
}


def judge(
    report: Mapping[str, Any],
    gates: Sequence[AnyRule],
    *,
    candidate: str,
    report_digest: str,
    policy_digest: str,
) -> Verdict:
    """Judge a report by every rule in turn, and say what they mean together.

    Total: a report that lacks a metric, holds NaN or None, or is no report at all gives ERROR, never an exception and
    never PASS. ValueError only if a digest is empty.
    """
    results = tuple(_result(report, rule) for rule in gates)
    return Verdict(
        name=name_of(results),
        results=results,
        candidate=candidate,
        report=report_digest,
        policy=policy_digest,
        explanation=explain(results),
    )


def policy_digest(gates: Sequence[AnyRule]) -> str:
    """Identity of a set of rules, whatever their order."""
    return fingerprint.digest(sorted((rule.model_dump(mode="json") for rule in gates), key=fingerprint.canonical))


def unknown_metrics(task: str, gates: Sequence[AnyRule], aims: Aims = NONE) -> list[str]:
    """Metrics that rules name and the model does not have, each once; see `metrics.near` for what to tell the user."""
    named = [rule.metric for rule in gates if isinstance(rule, MetricRule)]
    return list(dict.fromkeys(metric for metric in named if metric not in metrics.names(task, aims)))


def _result(report: object, rule: AnyRule) -> RuleResult:
    found = (
        _JUDGES[rule.kind](rule, report)
        if isinstance(report, Mapping)
        else error(f"the rule of kind {rule.kind} has no report to judge")
    )
    rule_as_json = {key: _json_safe(value) for key, value in rule.model_dump(mode="json").items()}
    return RuleResult(rule_as_json, found.outcome, found.observed, found.bound, rule.otherwise, found.text)


def _json_safe(value: Any) -> Any:
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
