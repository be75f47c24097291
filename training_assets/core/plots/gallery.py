"""The right pictures for a report, and how a picture travels in Markdown."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from training_assets.core.plots.columns import importance
from training_assets.core.plots.ranking import precision_recall, roc
from training_assets.core.plots.reliability import calibration
from training_assets.core.plots.residuals_grid import residuals
from training_assets.core.plots.table import confusion
from training_assets.core.plots.thresholds import thresholds


def plots_for(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Every picture that suits the task and has something to show, by name, as PNG bytes.

    Empty for a report without rows; never raises for what the report lacks.
    """
    curves = report.get("curves") or {}
    pictures: dict[str, bytes] = {}
    if curves.get("roc"):
        pictures["roc"] = roc(report)
    if curves.get("precision_recall"):
        pictures["precision_recall"] = precision_recall(report)
    if report.get("residuals"):
        pictures["residuals"] = residuals(report)
    elif curves.get("calibration"):
        pictures["calibration"] = calibration(report)
    if curves.get("scores"):
        pictures["thresholds"] = thresholds(report)
    if report.get("confusion"):
        pictures["confusion"] = confusion(report)
    if (report.get("importance") or {}).get("features"):
        pictures["importance"] = importance(report["importance"])
    return pictures


def as_markdown(png: bytes, alt: str) -> str:
    """Embed an image with its bytes, for Dagster's Markdown metadata; `alt` cannot break out of it."""
    plain = re.sub(r"[^\w .,:%()-]", " ", alt)
    return f"![{plain}](data:image/png;base64,{base64.b64encode(png).decode()})"
