"""From suspicions to a claim: what blocks, what a person has waived and why, and which waivers nothing needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training_assets.core.leakage.evidence import Leak
from training_assets.core.validation.findings import Fact, Finding, capped

SHOWN = 3


def judged(claim: str, leaks: Sequence[Leak], waive: Mapping[str, str], clean: str) -> Finding:
    """The claim holds where every leak is waived; one strong leak that is not blocks, a weak one warns.

    A leak is waived where each of its columns has a waiver. `clean` says what holds where nothing was found.
    """
    waived = [leak for leak in leaks if _is_waived(leak, waive)]
    open_leaks = sorted(
        (leak for leak in leaks if leak not in waived), key=lambda leak: (not leak.strong, leak.columns)
    )
    blocking = any(leak.strong for leak in open_leaks)
    facts: dict[str, Fact] = {"leaks": len(open_leaks), "waived_leaks": len(waived)}
    if open_leaks:
        facts["found"] = capped([_line(leak) for leak in open_leaks])
    if waived:
        facts["waived"] = capped([_waived_line(leak, waive) for leak in waived])
    if not open_leaks:
        text = clean if not waived else f"{len(waived)} leak(s) waived: {_reasons(waived, waive)}"
        return Finding(claim, True, "block", text, facts)
    first = open_leaks[0]
    more = f"; {len(open_leaks) - 1} more" if len(open_leaks) > 1 else ""
    names = ", ".join(name[:60] for name in first.columns)
    waiver = f"or say under validation.leakage.waive why {names[:200]} is no leak"
    text = f"{first.text}; {first.remedy}, {waiver}{more}"
    return Finding(claim, False, "block" if blocking else "warn", text, facts)


def with_idle(findings: Sequence[Finding], leaks: Sequence[Leak], waive: Mapping[str, str]) -> list[Finding]:
    """The findings, the first of which lists waivers of columns about which nothing was found."""
    idle = sorted(set(waive) - {name for leak in leaks for name in leak.columns})
    if not idle or not findings:
        return list(findings)
    first = findings[0]
    lines = capped([{"column": name[:80], "reason": waive[name][:200]} for name in idle])
    text = f"{first.text}; idle waivers: {', '.join(name[:60] for name in idle[:SHOWN])}: nothing is found there"
    changed = Finding(first.claim, first.passed, first.severity, text, {**first.facts, "idle_waivers": lines})
    return [changed, *findings[1:]]


def used_waivers(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Columns that leak and why that was waived, for the card: `column`, `kind`, `evidence`, `reason`."""
    return [line for finding in findings for line in _lines(finding.facts.get("waived"))]


def _lines(fact: Fact | None) -> list[dict[str, Any]]:
    return fact if isinstance(fact, list) else []


def _is_waived(leak: Leak, waive: Mapping[str, str]) -> bool:
    return bool(leak.columns) and all(name in waive for name in leak.columns)


def _line(leak: Leak) -> dict[str, Any]:
    return {
        "column": ", ".join(leak.columns)[:160],
        "kind": leak.kind,
        "evidence": leak.text,
        "strength": leak.strength,
        "blocks": "yes" if leak.strong else "no",
        "what_to_do": leak.remedy,
    }


def _waived_line(leak: Leak, waive: Mapping[str, str]) -> dict[str, Any]:
    reasons = "; ".join(dict.fromkeys(waive[name][:200] for name in leak.columns))
    return {"column": ", ".join(leak.columns)[:160], "kind": leak.kind, "evidence": leak.text, "reason": reasons[:400]}


def _reasons(waived: Sequence[Leak], waive: Mapping[str, str]) -> str:
    parts = [f"{leak.columns[0][:60]} ({waive[leak.columns[0]][:120]})" for leak in waived[:SHOWN]]
    return ", ".join(parts) + (", …" if len(waived) > SHOWN else "")
