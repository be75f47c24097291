"""What is claimed about the drift of new batches, with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training_assets.core.drift.comparison import Comparison, DriftedColumn
from training_assets.core.validation.findings import Fact, Finding, Severity, capped
from training_assets.spec import Drift

CLAIM = "columns_have_not_drifted"
MAX_NAMES = 5


def columns_have_not_drifted(comparisons: Sequence[Comparison] | None, drift: Drift) -> Finding:
    """No new batch has drifted from what it is compared with, in a column that matters or overall.

    A miss has the spec's severity (a review blocks until it is decided); only columns that the model hardly uses: it
    warns. Passes where there is no released version (None), or no batch that it has not seen.
    """
    severity: Severity = "warn" if drift.severity == "warn" else "block"
    if comparisons is None:
        return Finding(CLAIM, True, severity, "no released version yet", {"batches": 0})
    if not comparisons:
        return Finding(CLAIM, True, severity, "no batch that the released version has not seen", {"batches": 0})
    lines = table(comparisons)
    facts: dict[str, Fact] = {
        "batches": len({each.batch for each in comparisons}),
        "columns": max(len(each.columns) for each in comparisons),
        "drifted": len({line.column for each in comparisons for line in each.drifted}),
        "max_psi": drift.max_psi,
        "columns_by_psi": capped(lines),
    }
    overall = [each.overall for each in comparisons if each.overall is not None]
    if overall:
        facts["overall_psi"] = max(overall)
    ignored = {name: column.ignore for name, column in drift.columns.items() if column.ignore}
    if ignored:
        facts["ignored"] = capped([{"column": name[:80], "because": because} for name, because in ignored.items()])
    moved = [each for each in comparisons if each.drifted or not each.is_sound_overall]
    if moved:
        return Finding(CLAIM, False, severity, _told(moved, comparisons, drift), facts)
    aside = [each for each in comparisons if each.hardly_used]
    if aside:
        names = _names([line for each in aside for line in each.hardly_used])
        return Finding(CLAIM, False, "warn", f"only columns that the model hardly uses have drifted: {names}", facts)
    most = f"; most: {lines[0]['column']} ({lines[0]['psi']:g})" if lines else ""
    text = f"{facts['columns']} columns of {facts['batches']} new batches: none has drifted{most}"
    return Finding(CLAIM, True, severity, text, facts)


def table(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """A line a column, batch and reference, first what has drifted and matters, then by PSI."""
    order = {"drifted": 0, "hardly used": 1, "stable": 2}
    found = sorted(
        ((each, line) for each in comparisons for line in each.columns),
        key=lambda pair: (order[pair[1].state], -pair[1].psi, pair[1].column, pair[0].batch),
    )
    return [_line(each, line) for each, line in found]


def _line(each: Comparison, line: DriftedColumn) -> dict[str, Any]:
    shown = {
        "column": line.column[:80],
        "verdict": line.state,
        "batch": each.batch[:80],
        "against": each.against,
        "psi": round(line.psi, 4),
        "limit": line.limit,
        "js": round(line.js, 4),
        "nulls": f"{line.null_share_before:.1%} → {line.null_share:.1%}",
        "importance": "-" if line.importance is None else f"{line.importance:.1%}",
    }
    if line.chance is not None:
        shown["test"] = f"{line.test}, p {line.chance:.2g}"
    return shown


def _told(moved: Sequence[Comparison], all_of_them: Sequence[Comparison], drift: Drift) -> str:
    """What has drifted, from what, and in how many batches; the worst columns by name."""
    parts = []
    for against in dict.fromkeys(each.against for each in moved):
        own = [each for each in moved if each.against == against]
        batches = len({each.batch for each in all_of_them if each.against == against})
        where = f"batch {own[0].batch[:80]}" if batches == 1 else f"{len(own)} of {batches} new batches"
        names = _names([line for each in own for line in each.drifted])
        told = f"{where} drifted from {against}: {names}" if names else f"{where} drifted from {against}"
        over = [each.overall for each in own if not each.is_sound_overall and each.overall is not None]
        if over:
            told += f"; overall PSI weighted by importance {max(over):.3g} (limit {drift.max_overall:g})"
        parts.append(told)
    return "; ".join(parts)


def _names(lines: Sequence[DriftedColumn]) -> str:
    """The worst columns with their largest PSI."""
    worst: dict[str, float] = {}
    for line in lines:
        worst[line.column] = max(line.psi, worst.get(line.column, 0.0))
    ranked = sorted(worst.items(), key=lambda item: (-item[1], item[0]))
    names = ", ".join(f"{name[:80]} (PSI {psi:.3g})" for name, psi in ranked[:MAX_NAMES])
    return names if len(ranked) <= MAX_NAMES else f"{names} and {len(ranked) - MAX_NAMES} more"
