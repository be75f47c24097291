"""How far a regression is off, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training_assets.core.plots.canvas import (
    BLUE,
    GREY,
    HEAT,
    ORANGE,
    VERMILION,
    axis_names,
    canvas,
    legend,
    number,
    png,
    round_ticks,
    rows_note,
    with_bounds,
)


def residuals(report: Mapping[str, Any]) -> bytes:
    """Draw the histogram of actual minus predicted, and actual over predicted; ValueError if the report has none."""
    from matplotlib.colors import LogNorm

    data = report.get("residuals")
    if not data:
        message = "the report has no residuals: it is no regression, or has no sound rows"
        raise ValueError(message)
    title = f"Residuals: RMSE {with_bounds(report['metrics']['rmse'])}, mean {number(data['mean'])}"
    figure, (left, right) = canvas(title, size=(8.4, 4.0), widths=(1, 1), note=rows_note(report))

    edges = np.array(data["edges"])
    left.bar(edges[:-1], data["counts"], np.diff(edges), align="edge", color=BLUE)
    left.axvline(0, color=GREY, linewidth=1, linestyle=":")
    left.axvline(data["mean"], color=VERMILION, linewidth=1.5, label=f"mean {number(data['mean'])}")
    legend(left, loc="upper right")
    round_ticks(left, "x", "y")
    round_ticks(right, "x", "y")
    axis_names(left, "actual minus predicted", "rows", grid="y")

    grid, density = np.array(data["grid"]), np.array(data["density"], dtype=np.float64)
    shown = np.ma.masked_equal(density.T, 0)
    right.pcolormesh(
        grid, grid, shown, cmap=HEAT, norm=LogNorm(vmin=0.5, vmax=max(density.max(), 1.0)), rasterized=True
    )
    right.plot(grid[[0, -1]], grid[[0, -1]], color=GREY, linewidth=1, linestyle=":", label="perfect")
    curve = (report.get("curves") or {}).get("calibration")
    if curve:
        right.plot(
            curve["predicted"], curve["observed"], color=ORANGE, marker="o", markersize=4, label="mean by decile"
        )
    right.set(xlim=grid[[0, -1]], ylim=grid[[0, -1]])
    legend(right, loc="upper left")
    axis_names(right, "predicted", "actual (darker: more rows)")
    return png(figure)
