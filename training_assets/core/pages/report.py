"""The evaluation report as one page: the verdict and why first, then everything that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_assets.core.evaluation.metrics import reported
from training_assets.core.evaluation.verdict import Verdict
from training_assets.core.pages.templates import rendered

CSS = Path(__file__).with_name("page.css")
OF_A_SLICE = 4
"""Metrics that are shown of each slice: the most telling ones."""


def report_page(
    report: Mapping[str, Any],
    verdict: Verdict,
    about: Mapping[str, Any],
    sections: Mapping[str, Mapping[str, Any]],
    pictures: Mapping[str, bytes],
) -> str:
    """Self-contained HTML.

    `about` has `model` and `description`; `sections` are tables of facts by title (data, parameters, lineage), and
    `pictures` are PNG bytes by name.
    """
    metrics = [_metric(name, report["metrics"][name], report["dummy"].get(name)) for name in reported(report)]
    compared = report["comparison"]
    changes = (
        [] if compared is None else [{"name": name, **_change(each)} for name, each in compared["metrics"].items()]
    )
    values = {
        "css": CSS.read_text(encoding="utf-8"),
        "report": report,
        "verdict": verdict.to_json(),
        "why": verdict.explanation.removeprefix(f"{verdict.name}: ").split("; "),
        "about": about,
        "metrics": metrics,
        "changes": changes,
        "slice_metrics": reported(report)[:OF_A_SLICE],
        "sections": sections,
        "pictures": pictures,
    }
    return rendered("report.html", values)


def _metric(name: str, metric: Mapping[str, Any], dummy: float | None) -> dict[str, Any]:
    """A metric with the ends of the scale that its bar is drawn on."""
    seen = [each for each in (metric["low"], metric["high"], metric["value"], dummy) if each is not None]
    room = (max(seen) - min(seen)) * 0.05 if seen else 0.0
    ends = {"from": min(seen) - room, "to": max(seen) + room} if seen else {"from": 0.0, "to": 0.0}
    return {"name": name, "dummy": dummy, **metric, **ends}


def _change(metric: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("champion", "challenger", "difference", "low", "high", "smallest_change")
    return {name: metric.get(name) for name in fields}
