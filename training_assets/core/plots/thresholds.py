"""What another threshold would do: precision, recall and F1 over all thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training_assets.core.plots.canvas import GREY, PALETTE, axis_names, canvas, legend, number, png, rows_note


def thresholds(report: Mapping[str, Any]) -> bytes:
    """Draw precision, recall and F1 against the threshold, from the counts of scores; ValueError if there are none."""
    scores = (report.get("curves") or {}).get("scores")
    if not scores:
        message = "the report has no counts of scores: only a binary task has one threshold"
        raise ValueError(message)
    hits, alarms = (np.cumsum(np.asarray(scores[name], dtype=float)[::-1])[::-1] for name in ("positive", "negative"))
    edges, positives = np.asarray(scores["edges"][:-1], dtype=float), hits[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(hits + alarms > 0, hits / (hits + alarms), np.nan)
        recall = hits / positives if positives else np.full(len(hits), np.nan)
        f1 = 2 * hits / (hits + alarms + positives)
    chosen = report.get("threshold")
    told = "" if chosen is None else f": {number(chosen)} is used"
    figure, (axes,) = canvas(f"Thresholds{told}", note=rows_note(report))
    for values, name, colour in zip((precision, recall, f1), ("precision", "recall", "F1"), PALETTE, strict=False):
        axes.plot(edges, values, color=colour, linewidth=1.8, label=name)
    if chosen is not None:
        axes.axvline(chosen, color=GREY, linewidth=1, linestyle=":")
    axis_names(axes, "threshold for the positive class", "share", grid="both")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    legend(axes, loc="best")
    return png(figure)
