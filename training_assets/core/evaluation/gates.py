"""The rules, each held against a report: numbers in, a verdict out; what is missing or not a number never passes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from training_assets.core import fingerprint
from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.verdict import Outcome, RuleResult, Verdict, VerdictName, explain, name_of
from training_assets.spec.evaluation import AnyRule, BeatsDummyRule, ValueRule

__all__ = [
    "Outcome",
    "RuleResult",
    "Verdict",
    "VerdictName",
    "judge",
    "policy_digest",
    "unknown_metrics",
]

_WORST_FIRST: tuple[Outcome, ...] = ("ERROR", "FAIL", "INCONCLUSIVE", "PASS")


@dataclass(frozen=True)
class _Finding:
    """What one comparison showed."""

    outcome: Outcome
    observed: float | None
    bound: float | None
    text: str


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


def unknown_metrics(task: str, gates: Sequence[AnyRule]) -> list[str]:
    """Metrics that rules name and the task does not have, each once; see `metrics.near` for what to tell the user."""
    return list(dict.fromkeys(rule.metric for rule in gates if rule.metric not in metrics.names(task)))


def _result(report: Mapping[str, Any], rule: AnyRule) -> RuleResult:
    found = _find(report, rule)
    rule_as_json = {key: _json_safe(value) for key, value in rule.model_dump(mode="json").items()}
    return RuleResult(rule_as_json, found.outcome, found.observed, found.bound, rule.otherwise, found.text)


def _find(report: object, rule: AnyRule) -> _Finding:
    metric = rule.metric
    task = report.get("task") if isinstance(report, Mapping) else None
    if not isinstance(report, Mapping) or not isinstance(task, str) or not metrics.names(task):
        return _error(f"{metric} cannot be judged: the report names no task that is known")
    if metric not in metrics.names(task):
        return _error(metrics.near(task, metric))
    measured = report.get("metrics")
    entry = measured.get(metric) if isinstance(measured, Mapping) else None
    if not isinstance(entry, Mapping):
        return _error(f"the report has no {metric}")
    value = _finite(entry.get("value"))
    if value is None:
        return _error(f"{metric} has no value: {entry.get('reason') or 'the report says no number'}")
    if isinstance(rule, ValueRule):
        return _within(rule, value, entry)
    return _beats_dummy(rule, value, report.get("dummy"))


def _within(rule: ValueRule, value: float, entry: Mapping[str, Any]) -> _Finding:
    limits: list[tuple[Literal["floor", "ceiling"], float]] = []
    if rule.min is not None:
        limits.append(("floor", rule.min))
    if rule.max is not None:
        limits.append(("ceiling", rule.max))
    if not limits:
        return _error(f"the rule on {rule.metric} has no bound")
    found = [_limit(rule, value, entry, kind, limit) for kind, limit in limits]
    worst = min(found, key=lambda each: _WORST_FIRST.index(each.outcome))
    same = [each.text for each in found if each.outcome == worst.outcome]
    return _Finding(worst.outcome, worst.observed, worst.bound, "; ".join(same))


def _limit(
    rule: ValueRule, value: float, entry: Mapping[str, Any], kind: Literal["floor", "ceiling"], limit: float
) -> _Finding:
    if not math.isfinite(limit):
        return _error(f"the {kind} of {rule.metric} is not a finite number")
    floor = kind == "floor"
    seen, asked = _apart(value, limit)
    if (value < limit) if floor else (value > limit):
        return _Finding(
            "FAIL", value, limit, f"{rule.metric} {seen} is {'under' if floor else 'over'} the {kind} {asked}"
        )
    keeps = f"{rule.metric} {seen} keeps the {kind} {asked}"
    if rule.compare == "point":
        return _Finding("PASS", value, limit, keeps)
    side = "low" if floor else "high"
    bound = _finite(entry.get(side))
    if bound is None:
        why = entry.get("reason") or "the report says no number"
        return _Finding("INCONCLUSIVE", None, limit, f"{keeps}, but has no {side} bound: {why}")
    seen, _ = _apart(bound, limit)
    if (bound < limit) if floor else (bound > limit):
        return _Finding("INCONCLUSIVE", bound, limit, f"{keeps}, but its {side} bound {seen} does not")
    return _Finding("PASS", bound, limit, f"{keeps}, and so does its {side} bound {seen}")


def _beats_dummy(rule: BeatsDummyRule, value: float, dummies: object) -> _Finding:
    entry = dummies.get(rule.metric) if isinstance(dummies, Mapping) else None
    dummy = _finite(entry)
    if dummy is None:
        return _error(f"{rule.metric} of the dummy has no value, so nothing can beat it; use a rule of kind value")
    if not math.isfinite(rule.margin):
        return _error(f"the margin of {rule.metric} is not a finite number")
    sign = 1 if metrics.DIRECTION[rule.metric] == "higher" else -1
    # in decimal, so that 0.5 + 0.2 reaches 0.7
    gain = sign * (Decimal(repr(value)) - Decimal(repr(dummy)))
    bound = float(Decimal(repr(dummy)) + sign * Decimal(repr(rule.margin)))
    seen, other = _apart(value, dummy)
    asked = f" by {rule.margin:g}" if rule.margin else ""
    if gain > 0 and gain >= Decimal(repr(rule.margin)):
        return _Finding("PASS", value, bound, f"{rule.metric} {seen} beats the dummy's {other}{asked}")
    return _Finding("FAIL", value, bound, f"{rule.metric} {seen} does not beat the dummy's {other}{asked}")


def _error(text: str) -> _Finding:
    return _Finding("ERROR", None, None, text)


def _finite(value: object) -> float | None:
    """Return the number, if it is one; True and '0.9' are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON knows whole numbers that no float can hold
        return None
    return number if math.isfinite(number) else None


def _json_safe(value: Any) -> Any:
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _apart(value: float, bound: float) -> tuple[str, str]:
    """Both numbers in as few digits (3 or more) as keep different numbers different: never '0.7 is under 0.7'."""
    for digits in range(3, 18):
        texts = f"{value:.{digits}g}", f"{bound:.{digits}g}"
        if value == bound or texts[0] != texts[1]:
            break
    return texts
