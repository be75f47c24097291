"""Whether predictions mean what they say: calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from training_assets.core.plots.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    axis_names,
    canvas,
    label,
    legend,
    number,
    png,
    round_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def calibration(report: Mapping[str, Any]) -> bytes:
    """Draw mean prediction against outcome in bins of equal size; ValueError if the report has none.

    Binary: with a histogram of the probabilities below. Multiclass: of the class that is named, how often it is right
    against how sure the model was. Regression: means by decile.
    """
    curve = (report.get("curves") or {}).get("calibration")
    if not curve:
        message = "the report has no calibration curve: there are no sound rows"
        raise ValueError(message)
    scores = report["curves"].get("scores")
    gap = number(float(np.average(np.abs(np.subtract(curve["predicted"], curve["observed"])), weights=curve["count"])))
    figure, axes = canvas(
        f"Calibration: {_subject(report)} off by {gap} on average",
        heights=(3, 1) if scores else (1,),
        note=f"{report['rows']:,} test rows; bins of about equal size: {len(curve['count'])}; bars: 95% intervals",
    )
    _curve(axes[0], curve, unit=report["task"] != "regression")
    if report["task"] == "regression":
        round_ticks(axes[0], "x", "y")
    axis_names(axes[0], *_sides(report), grid="both")
    legend(axes[0], loc="upper left")
    if scores:
        _histogram(axes[1], scores, report["classes"])
        axis_names(axes[1], "", "rows")
    return png(figure)


def _subject(report: Mapping[str, Any]) -> str:
    return {
        "binary": "probabilities are",
        "multiclass": "confidence is",
        "regression": "predictions are",
    }[report["task"]]


def _sides(report: Mapping[str, Any]) -> tuple[str, str]:
    if report["task"] == "binary":
        name = label(report["classes"][1])
        return f"predicted probability of {name}", f"observed share of {name}"
    if report["task"] == "multiclass":
        return "probability of the class that is named", "share that is right"
    return "mean prediction", "mean of the actual values"


def _curve(axes: Axes, curve: Mapping[str, list[float]], *, unit: bool) -> None:
    x, y = np.array(curve["predicted"]), np.array(curve["observed"])
    low, high = np.array(curve["low"]), np.array(curve["high"])
    ends = (0.0, 1.0) if unit else (min(x.min(), low.min()), max(x.max(), high.max()))
    axes.plot(ends, ends, color=GREY, linewidth=1, linestyle=":", label="perfect")
    axes.errorbar(
        x,
        y,
        yerr=np.clip([y - low, high - y], 0, None),
        color=BLUE,
        ecolor=BLUE,
        elinewidth=1.2,
        capsize=2.5,
        marker="o",
        markersize=4.5,
        linewidth=1.5,
        label="model",
    )
    if unit:
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def _histogram(axes: Axes, scores: Mapping[str, list[float]], classes: list[str]) -> None:
    edges = np.array(scores["edges"])
    bottom = np.zeros(edges.size - 1)
    for kind, colour, name in (("negative", ORANGE, classes[0]), ("positive", BLUE, classes[1])):
        counts = np.array(scores[kind], dtype=np.float64)
        axes.bar(edges[:-1], counts, np.diff(edges), bottom, align="edge", color=colour, label=label(name))
        bottom = bottom + counts
    axes.set_xlim(-0.02, 1.02)
    axes.tick_params(labelbottom=False)
    axes.spines["left"].set_color(INK)
    legend(axes, loc="upper right", ncols=2)
