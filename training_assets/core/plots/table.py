"""Which class is taken for which: the confusion table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training_assets.core.plots.canvas import HEAT, INK, TEXT_SIZE, axis_names, canvas, label, number, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_COUNTED = 8  # classes whose cells have room for counts beside shares
MAX_WRITTEN = 30  # classes whose cells have room for any text
DARK = 0.55  # share from which white text reads better than dark


def confusion(report: Mapping[str, Any]) -> bytes:
    """Draw true against predicted classes, shaded by the share of the true class; ValueError if the report has none."""
    if not report.get("confusion"):
        message = "the report has no confusion table: there are no sound rows, or too many classes"
        raise ValueError(message)
    table = np.array(report["confusion"], dtype=np.int64)
    k = len(table)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = min(4.4 + 0.16 * max(k - 4, 0), 8.0)
    figure, (axes,) = canvas(_title(report, shares), size=(side + 1.6, side), note=_note(report, k))
    axes.imshow(shares, cmap=HEAT, vmin=0, vmax=1, aspect="auto")
    names = [label(name, 20 if k <= MAX_COUNTED else 14) for name in report["classes"]]
    small = TEXT_SIZE if k <= MAX_COUNTED else 8 if k <= MAX_WRITTEN else 5
    upright = all(len(name) * k <= 60 for name in names)
    axes.set_xticks(range(k), names, size=small, rotation=0 if upright else 90)
    axes.set_yticks(range(k), names, size=small)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if k <= MAX_WRITTEN:
        _write(axes, table, shares, counted=k <= MAX_COUNTED)
    axis_names(axes, "predicted", "actual")
    return png(figure)


def _write(axes: Axes, table: NDArray[np.int64], shares: NDArray[np.float64], *, counted: bool) -> None:
    for row, column in np.argwhere(table > 0):
        share = shares[row, column]
        text = f"{share:.1%}\n{table[row, column]:,}" if counted else f"{share * 100:.0f}" if share >= 0.005 else "·"
        colour = "white" if share > DARK else INK
        axes.text(column, row, text, ha="center", va="center", size=TEXT_SIZE if counted else 7, color=colour)


def _title(report: Mapping[str, Any], shares: NDArray[np.float64]) -> str:
    measured = report["metrics"]
    if report["task"] == "binary":
        parts = [f"{name} {number(measured[name]['value'])}" for name in ("accuracy", "precision", "recall")]
        return f"Confusion: {', '.join(parts)}"
    wrong = np.where(np.eye(len(shares), dtype=bool), 0, shares)
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    worst = wrong[row, column]
    accuracy = f"Confusion: accuracy {number(measured['accuracy']['value'])}"
    if worst == 0:
        return accuracy
    actual, predicted = (label(report["classes"][code], 14) for code in (row, column))
    return f"{accuracy}; {worst:.0%} of {actual} is taken for {predicted}"


def _note(report: Mapping[str, Any], k: int) -> str:
    shown = "darker: larger share of the actual class"
    if k <= MAX_WRITTEN:
        shown = "cells: share of the actual class" if k <= MAX_COUNTED else "cells: % of the actual class (· under 0.5)"
    cut = f"; threshold {number(report['threshold'])}" if report["threshold"] is not None else ""
    return f"{report['rows']:,} test rows{cut}; {shown}"
