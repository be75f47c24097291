"""Rules about the change from the champion to the challenger, on rows that the champion never saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.rules.found import Found, apart, error, finite, section
from training_assets.spec.evaluation import ChangeRule

FIRST = "no other version is in production to be compared with"


def has_champion(report: Mapping[str, Any]) -> bool | None:
    """Whether the report compares with a champion; None where it does not say."""
    if "comparison" not in report:
        return None
    return report["comparison"] is not None


def change(rule: ChangeRule, report: Mapping[str, Any]) -> Found:
    """Non-inferior: worse by no more than the margin; superior: better by more. One-sided, on the bound."""
    entry = _entry(rule.metric, report)
    return entry if isinstance(entry, Found) else _judged(rule, entry)


def _entry(metric: str, report: Mapping[str, Any]) -> Mapping[str, Any] | Found:
    """What the report says of the change of a metric; else what that means."""
    if has_champion(report) is False:
        return Found("NOT_APPLICABLE", None, None, f"{metric}: {FIRST}")
    compared, task = section(report, "comparison"), report.get("task")
    if compared is None:
        return error("the report does not say how the champion does; evaluate again")
    if not isinstance(task, str) or not metrics.may_have(task, metric):
        return error(metrics.near(task, metric) if isinstance(task, str) else "the report names no task")
    if compared.get("reason"):
        return Found("INCONCLUSIVE", None, None, f"{metric} cannot be compared: {compared['reason']}")
    entry = (section(compared, "metrics") or {}).get(metric)
    if isinstance(entry, Mapping):
        return entry
    return error(f"the comparison with the champion has no {metric}; evaluate again")


def _judged(rule: ChangeRule, entry: Mapping[str, Any]) -> Found:
    difference, low, high = (finite(entry.get(name)) for name in ("difference", "low", "high"))
    least = rule.margin if rule.must_be == "superior" else -rule.margin
    if difference is None:
        return error(f"the change of {rule.metric} has no value: {entry.get('reason') or 'the report says no number'}")
    seen, _ = apart(difference, least)
    asked = f"better by {rule.margin:g}" if rule.must_be == "superior" else f"worse by no more than {rule.margin:g}"
    if low is None or high is None:
        why = entry.get("reason") or "the report says no number"
        return Found("INCONCLUSIVE", None, least, f"{rule.metric} changed by {seen}, without bounds: {why}")
    shown = f"{rule.metric} changed by {seen} ({low:.3g} to {high:.3g}, above 0 is better)"
    if low > least or (low == least and rule.must_be == "non_inferior"):
        return Found("PASS", low, least, f"{shown}: {asked}")
    if high < least:
        return Found("FAIL", high, least, f"{shown}: not {asked}")
    smallest = finite(entry.get("smallest_change"))
    power = "" if smallest is None else f"; these rows could have shown a change of {smallest:.3g}"
    return Found("INCONCLUSIVE", low, least, f"{shown}: whether it is {asked} is not shown{power}")
