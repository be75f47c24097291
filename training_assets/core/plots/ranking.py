"""How well scores rank: ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from training_assets.core.plots.canvas import (
    GREY,
    PALETTE,
    axis_names,
    canvas,
    label,
    legend,
    number,
    png,
    rows_note,
    with_bounds,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def roc(report: Mapping[str, Any]) -> bytes:
    """Draw the ROC curve, or those of the classes that rank worst against the rest; ValueError if there is none."""
    lines = _lines(report, "roc")
    if report["task"] == "binary":
        title = f"ROC: AUC {with_bounds(report['metrics']['roc_auc'])}"
    else:
        title = f"ROC, each class against the rest: mean AUC {with_bounds(report['metrics']['roc_auc_ovr'])}"
    figure, (axes,) = canvas(title, note=rows_note(report))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="chance")
    _draw(axes, report, lines)
    axis_names(axes, "false positive rate", "true positive rate", grid="both")
    _name_lines(axes, report, lines, loc="lower right")
    return png(figure)


def precision_recall(report: Mapping[str, Any]) -> bytes:
    """Draw the precision-recall curve, or those of the classes that rank worst; ValueError if there is none."""
    lines = _lines(report, "precision_recall")
    if report["task"] == "binary":
        title = f"Precision-recall: average precision {with_bounds(report['metrics']['average_precision'])}"
    else:
        worst = lines[0]
        title = f"Precision-recall: the worst class, {label(worst['class'])}, averages {number(worst['area'])}"
    figure, (axes,) = canvas(title, note=rows_note(report))
    if len(lines) == 1:
        share = lines[0]["share"]
        axes.axhline(share, color=GREY, linewidth=1, linestyle=":", label=f"chance: {share:.1%} are positive")
    _draw(axes, report, lines)
    axis_names(axes, "recall", "precision", grid="both")
    _name_lines(axes, report, lines, loc="best")
    return png(figure)


def _lines(report: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = (report.get("curves") or {}).get(kind) or []
    if not lines:
        message = f"the report has no {kind} curve: rows of two classes are needed"
        raise ValueError(message)
    return lines


def _draw(axes: Axes, report: Mapping[str, Any], lines: list[dict[str, Any]]) -> None:
    for line, colour in zip(lines, PALETTE, strict=False):
        name = label(line["class"], 16)
        text = f"positive: {name}" if report["task"] == "binary" else f"{number(line['area'])}  {name}"
        axes.plot(line["x"], line["y"], color=colour, linewidth=1.8, label=text)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))


def _name_lines(axes: Axes, report: Mapping[str, Any], lines: list[dict[str, Any]], loc: str) -> None:
    if report["task"] == "binary":
        legend(axes, loc=loc)
        return
    n_classes = len(report["classes"])
    which = "each class" if n_classes == len(lines) else f"{len(lines)} worst of {n_classes}"
    legend(axes, loc="upper left", bbox_to_anchor=(1.01, 1), title=which, alignment="left", borderaxespad=0)
