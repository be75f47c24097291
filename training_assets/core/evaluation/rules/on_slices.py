"""The rule on slices: floors, ceilings, and no harm against the champion, all parts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.rules.against_champion import FIRST, has_champion
from training_assets.core.evaluation.rules.found import Found, error, finite, metric_entry, section, worst
from training_assets.core.evaluation.rules.of_a_metric import within
from training_assets.spec.evaluation import SliceRule

MOST_NAMED = 5
"""Parts that a sentence names."""
DEFAULT_CONFIDENCE = 0.95


def slices(rule: SliceRule, report: Mapping[str, Any]) -> Found:
    """Every part of the rule's slices that has rows enough; a slice of which no part can be judged is no pass.

    A pass says of how many parts nothing is known.
    """
    task, lines = report.get("task"), report.get("slices")
    if not isinstance(task, str) or not metrics.may_have(task, rule.metric):
        return error(metrics.near(str(task), rule.metric) if isinstance(task, str) else "the report names no task")
    if not isinstance(lines, list) or not all(isinstance(line, Mapping) for line in lines):
        return error("the report has no slices; declare some under evaluation.slices")
    wanted = rule.slices or sorted({str(line.get("slice")) for line in lines})
    if not wanted:
        return error("the report has no slices; declare some under evaluation.slices")
    whole = metric_entry(report, rule.metric)
    if isinstance(whole, Found):  # as where some rows have no sound prediction: parts without them say nothing
        return whole
    found = []
    judged: list[Mapping[str, Any]] = []
    parts = 0
    for name in wanted:
        own = [line for line in lines if line.get("slice") == name]
        enough = [line for line in own if line.get("judged") is True]
        judged += enough
        parts += len(own)
        if not own:
            found.append(error(f"the report has no slice '{name}'"))
        elif not enough:
            why = own[0].get("reason") or "no part has rows enough"
            found.append(Found("INCONCLUSIVE", None, None, f"slice '{name}' cannot be judged: {why}"))
    if judged and (rule.min is not None or rule.max is not None):
        found.append(_bounds(rule, judged, parts))
    if rule.no_harm is not None and judged:
        found.append(_no_harm(rule, rule.no_harm, report, judged, parts))
    return worst(found)


def _bounds(rule: SliceRule, lines: Sequence[Mapping[str, Any]], parts: int) -> Found:
    found = []
    for line in lines:
        entry = (section(line, "metrics") or {}).get(rule.metric)
        named = f"{rule.metric} on {line.get('part')}"
        if not isinstance(entry, Mapping) or finite(entry.get("value")) is None:
            why = entry.get("reason") if isinstance(entry, Mapping) else None
            found.append(
                Found("INCONCLUSIVE", None, None, f"{named} has no value: {why or 'the report says no number'}")
            )
        else:
            found.append(within(named, entry, rule.min, rule.max, "point"))
    return _told(found, f"{rule.metric} keeps its bounds on {_of(len(lines), parts)}")


def _no_harm(
    rule: SliceRule, margin: float, report: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], parts: int
) -> Found:
    """Harm is shown where the champion is better by more than the margin, at a false discovery rate over all parts."""
    if has_champion(report) is None:
        return error("the report does not say whether there is a champion; evaluate again")
    if not has_champion(report):
        return Found("NOT_APPLICABLE", None, None, f"{rule.metric} on slices: {FIRST}")
    known, unknown = [], []
    for line in lines:
        entry = (section(section(line, "champion") or {}, "metrics") or {}).get(rule.metric)
        entry = entry if isinstance(entry, Mapping) else {}
        difference, spread = finite(entry.get("difference")), finite(entry.get("standard_error"))
        if difference is None or spread is None or spread < 0:
            why = entry.get("reason")
            unknown.append(f"{line.get('part')} ({why})" if why else str(line.get("part")))
        else:
            known.append((str(line.get("part")), difference, _p(difference + margin, spread)))
    found = []
    if unknown:
        named = ", ".join(unknown[:MOST_NAMED])
        found.append(
            Found("INCONCLUSIVE", None, -margin, f"{rule.metric} cannot be compared with the champion's on {named}")
        )
    level = 1 - (finite(report.get("confidence")) or DEFAULT_CONFIDENCE)
    rejected = benjamini_hochberg([p for *_, p in known], level)
    found += [
        Found("FAIL", difference, -margin, f"{rule.metric} on {part} fell by {-difference:.3g}, more than {margin:g}")
        for (part, difference, _), is_harm in zip(known, rejected, strict=True)
        if is_harm
    ]
    return _told(found, f"no harm to {rule.metric} is shown on {_of(len(lines), parts)}")


def _of(judged: int, parts: int) -> str:
    """How many of the parts were judged, and what became of the others."""
    if judged == parts:
        return "the only part" if parts == 1 else f"all {parts} parts"
    small = parts - judged
    return f"{judged} of {parts} parts; {small} {'is' if small == 1 else 'are'} too small to be judged"


def benjamini_hochberg(p_values: Sequence[float], level: float) -> list[bool]:
    """Which of them are discoveries at a false discovery rate (Benjamini and Hochberg, 1995)."""
    if not p_values:
        return []
    from scipy.stats import false_discovery_control

    return [bool(each <= level) for each in false_discovery_control(np.asarray(p_values), method="bh")]


def _p(lead: float, spread: float) -> float:
    """One-sided: how likely so small a lead over the margin is where there is no harm."""
    if spread == 0:
        return 1.0 if lead >= 0 else 0.0
    return NormalDist().cdf(lead / spread)


def _told(found: Sequence[Found], otherwise: str) -> Found:
    """The worst of them, its sentence short; `otherwise` where all is well."""
    bad = [each for each in found if each.outcome != "PASS"]
    if not bad:
        return Found("PASS", None, None, otherwise)
    first = worst(bad)
    same = [each for each in bad if each.outcome == first.outcome]
    more = f" and {len(same) - MOST_NAMED} more" if len(same) > MOST_NAMED else ""
    text = "; ".join(each.text for each in same[:MOST_NAMED]) + more
    return Found(first.outcome, first.observed, first.bound, text)
