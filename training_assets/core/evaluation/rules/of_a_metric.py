"""Rules about one metric on all test rows: floors and ceilings, better than a dummy, too good to be true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.rules.found import Found, apart, error, finite, metric_entry, section, worst
from training_assets.core.evaluation.verdict import Outcome
from training_assets.spec.evaluation import BeatsDummyRule, SuspiciousRule, ValueRule


def value(rule: ValueRule, report: Mapping[str, Any]) -> Found:
    """A floor or a ceiling, inclusive, for the point or for its worse bound."""
    entry = metric_entry(report, rule.metric)
    return entry if isinstance(entry, Found) else within(rule.metric, entry, rule.min, rule.max, rule.compare)


def within(
    metric: str,
    entry: Mapping[str, Any],
    floor: float | None,
    ceiling: float | None,
    compare: Literal["point", "bound"],
) -> Found:
    """Hold an entry `{value, low, high}` whose value is finite against the bounds that there are."""
    limits: list[tuple[Literal["floor", "ceiling"], float]] = []
    if floor is not None:
        limits.append(("floor", floor))
    if ceiling is not None:
        limits.append(("ceiling", ceiling))
    if not limits:
        return error(f"the rule on {metric} has no bound")
    return worst([_limit(metric, entry, kind, limit, compare) for kind, limit in limits])


def _limit(
    metric: str,
    entry: Mapping[str, Any],
    kind: Literal["floor", "ceiling"],
    limit: float,
    compare: Literal["point", "bound"],
) -> Found:
    if not math.isfinite(limit):
        return error(f"the {kind} of {metric} is not a finite number")
    floor, point = kind == "floor", finite(entry.get("value"))
    if point is None:
        return error(f"{metric} has no value")
    seen, asked = apart(point, limit)
    if (point < limit) if floor else (point > limit):
        return Found("FAIL", point, limit, f"{metric} {seen} is {'under' if floor else 'over'} the {kind} {asked}")
    keeps = f"{metric} {seen} keeps the {kind} {asked}"
    if compare == "point":
        return Found("PASS", point, limit, keeps)
    return _limit_of_bound(keeps, entry, "low" if floor else "high", limit)


def _limit_of_bound(keeps: str, entry: Mapping[str, Any], side: Literal["low", "high"], limit: float) -> Found:
    bound = finite(entry.get(side))
    if bound is None:
        why = entry.get("reason") or "the report says no number"
        return Found("INCONCLUSIVE", None, limit, f"{keeps}, but has no {side} bound: {why}")
    seen, _ = apart(bound, limit)
    if (bound < limit) if side == "low" else (bound > limit):
        return Found("INCONCLUSIVE", bound, limit, f"{keeps}, but its {side} bound {seen} does not")
    return Found("PASS", bound, limit, f"{keeps}, and so does its {side} bound {seen}")


def beats_dummy(rule: BeatsDummyRule, report: Mapping[str, Any]) -> Found:
    """Better than the dummy by the margin, beyond chance: so is the lower bound of the gain on the same replicates."""
    entry = metric_entry(report, rule.metric)
    if isinstance(entry, Found):
        return entry
    point, dummy = finite(entry.get("value")), finite((section(report, "dummy") or {}).get(rule.metric))
    if point is None or dummy is None:
        return error(f"{rule.metric} of the dummy has no value, so nothing can beat it; use a rule of kind value")
    if not math.isfinite(rule.margin):
        return error(f"the margin of {rule.metric} is not a finite number")
    sign = _sign(rule.metric)
    # in decimal, so that 0.5 + 0.2 reaches 0.7
    gain = sign * (Decimal(repr(point)) - Decimal(repr(dummy)))
    bound = float(Decimal(repr(dummy)) + sign * Decimal(repr(rule.margin)))
    seen, other = apart(point, dummy)
    asked = f" by {rule.margin:g}" if rule.margin else ""
    if not _reaches(gain, rule):
        return Found("FAIL", point, bound, f"{rule.metric} {seen} does not beat the dummy's {other}{asked}")
    outcome, doubt = _surely(rule, report, gain)
    return Found(outcome, point, bound, f"{rule.metric} {seen} beats the dummy's {other}{asked}{doubt}")


def _surely(rule: BeatsDummyRule, report: Mapping[str, Any], gain: Decimal) -> tuple[Outcome, str]:
    """Whether a gain is more than chance, and the doubt if not."""
    entry = (section(report, "over_dummy") or {}).get(rule.metric)
    if not isinstance(entry, Mapping):
        return "ERROR", ", but the report does not say how surely; evaluate again"
    low = finite(entry.get("low"))
    if low is None:
        why = entry.get("reason") or "the report says no number"
        return "INCONCLUSIVE", f", but the gain has no lower bound: {why}"
    if _reaches(Decimal(repr(low)), rule):
        return "PASS", ""
    return "INCONCLUSIVE", f", but perhaps by chance: the gain of {float(gain):.3g} has the lower bound {low:.3g}"


def _reaches(gain: Decimal, rule: BeatsDummyRule) -> bool:
    return gain > 0 and gain >= Decimal(repr(rule.margin))


def suspicious(rule: SuspiciousRule, report: Mapping[str, Any]) -> Found:
    """Too good to be true from the bound on, which is the first value that nobody believes."""
    entry = metric_entry(report, rule.metric)
    if isinstance(entry, Found):
        return entry
    point = finite(entry.get("value"))
    if point is None or not math.isfinite(rule.beyond):
        return error(f"the bound of {rule.metric} is not a finite number")
    seen, asked = apart(point, rule.beyond)
    if _sign(rule.metric) * (point - rule.beyond) >= 0:
        text = f"{rule.metric} {seen} is too good to be true (from {asked} on): look for a leak before anything else"
        return Found("FAIL", point, rule.beyond, text)
    return Found("PASS", point, rule.beyond, f"{rule.metric} {seen} is not suspiciously good (from {asked} on)")


def _sign(metric: str) -> int:
    return 1 if metrics.DIRECTION[metric] == "higher" else -1
