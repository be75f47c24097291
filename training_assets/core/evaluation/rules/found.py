"""What one rule found in a report, and how numbers are read and told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.verdict import Outcome

WORST_FIRST: tuple[Outcome, ...] = ("ERROR", "FAIL", "INCONCLUSIVE", "PASS", "NOT_APPLICABLE")


@dataclass(frozen=True)
class Found:
    """What one comparison showed: the number seen, the bound it was held against, and a sentence for people."""

    outcome: Outcome
    observed: float | None
    bound: float | None
    text: str


def error(text: str) -> Found:
    """What cannot be judged."""
    return Found("ERROR", None, None, text)


def worst(found: Sequence[Found]) -> Found:
    """Of several, the worst one, with the texts of all that are as bad."""
    chosen = min(found, key=lambda each: WORST_FIRST.index(each.outcome))
    same = [each.text for each in found if each.outcome == chosen.outcome]
    return Found(chosen.outcome, chosen.observed, chosen.bound, "; ".join(same))


def section(report: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A part of the report, if it is there and has keys."""
    found = report.get(name)
    return found if isinstance(found, Mapping) else None


def metric_entry(report: Mapping[str, Any], metric: str) -> Mapping[str, Any] | Found:
    """What the report says of a metric, with its value a finite number; else why it cannot be judged."""
    task = report.get("task")
    if not isinstance(task, str) or not metrics.names(task):
        return error(f"{metric} cannot be judged: the report names no task that is known")
    if not metrics.may_have(task, metric):
        return error(metrics.near(task, metric))
    entry = (section(report, "metrics") or {}).get(metric)
    if not isinstance(entry, Mapping):
        return error(f"the report has no {metric}; evaluate again")
    if finite(entry.get("value")) is None:
        return error(f"{metric} has no value: {entry.get('reason') or 'the report says no number'}")
    return entry


def finite(value: object) -> float | None:
    """Return the number, if it is one; True and '0.9' are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON knows whole numbers that no float can hold
        return None
    return number if math.isfinite(number) else None


def apart(value: float, bound: float) -> tuple[str, str]:
    """Both numbers in as few digits (3 or more) as keep different numbers different: never '0.7 is under 0.7'."""
    for digits in range(3, 18):
        texts = f"{value:.{digits}g}", f"{bound:.{digits}g}"
        if value == bound or texts[0] != texts[1]:
            break
    return texts
