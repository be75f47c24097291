"""Rules about the model as a whole: calibration, runtime, parity of its files, and what people wrote of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training_assets.core.evaluation.rules.found import Found, apart, error, finite, section, worst
from training_assets.spec.evaluation import CalibrationRule, CardRule, ParityRule, RuntimeRule


def calibration(rule: CalibrationRule, report: Mapping[str, Any]) -> Found:
    """The expected calibration error, at most so large."""
    measured = section(report, "calibration_error")
    value = None if measured is None else finite(measured.get("value"))
    if value is None:
        why = None if measured is None else measured.get("reason")
        return error(f"the calibration error has no value: {why or 'the report says no number'}")
    return _at_most("the calibration error", value, rule.max, "")


def runtime(rule: RuntimeRule, report: Mapping[str, Any]) -> Found:
    """Latency, and size on disk, each at most so large."""
    measured = section(report, "runtime")
    found = []
    for name, limit, unit in (("latency_ms", rule.latency_ms, " ms"), ("size_mb", rule.size_mb, " MB")):
        if limit is None:
            continue
        value = None if measured is None else finite(measured.get(name))
        named = "a row's latency" if name == "latency_ms" else "the size of the model's files"
        found.append(error(f"{named} was not measured") if value is None else _at_most(named, value, limit, unit))
    return worst(found) if found else error("the runtime rule has no bound")


def parity(rule: ParityRule, report: Mapping[str, Any]) -> Found:
    """Served scores equal those that were evaluated."""
    measured = section(report, "parity")
    rows = None if measured is None else finite(measured.get("rows"))
    difference = None if measured is None else finite(measured.get("largest_difference"))
    if difference is None or not rows:
        return error("the files of the model were not loaded again and compared")
    return _at_most(f"the largest difference of a served score ({int(rows):,} rows)", difference, rule.tolerance, "")


def card(rule: CardRule, report: Mapping[str, Any]) -> Found:
    """Each field that only people can fill in is there."""
    filled = section(section(report, "card") or {}, "fields")
    if filled is None:
        return error("the report does not say which fields of the card are filled in")
    missing = [name for name in rule.fields if filled.get(name) is not True]
    if missing:
        return Found("FAIL", None, None, f"the card says nothing of {', '.join(missing)}; write it under card")
    return Found("PASS", None, None, f"the card speaks of {', '.join(rule.fields)}")


def _at_most(named: str, value: float, limit: float, unit: str) -> Found:
    seen, asked = apart(value, limit)
    if value > limit:
        return Found("FAIL", value, limit, f"{named}, {seen}{unit}, is over {asked}{unit}")
    return Found("PASS", value, limit, f"{named}, {seen}{unit}, is not over {asked}{unit}")
