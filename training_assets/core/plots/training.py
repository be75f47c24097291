"""How training went: learning curves of one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from training_assets.core.plots.canvas import GREY, PALETTE, axis_names, canvas, label, legend, number, png


def learning_curves(
    curves: Mapping[str, Sequence[float]],
    best_iteration: int | None,
    metric: str,
    *,
    iterations: Sequence[float] | None = None,
) -> bytes:
    """Draw a metric over iterations, one line a split, with the kept iteration marked.

    `best_iteration` is the number of iterations kept (from 1), or None. `iterations` are those of each value,
    ascending; default: 1, 2, and so on. ValueError if no curve has a point.
    """
    from matplotlib.ticker import MaxNLocator

    drawn = {name: np.array(values, dtype=np.float64) for name, values in curves.items() if len(values)}
    if not drawn:
        message = "there are no learning curves to draw"
        raise ValueError(message)
    length = max(values.size for values in drawn.values())
    at = np.arange(1, length + 1) if iterations is None else np.array(iterations, dtype=np.float64)
    last = int(at[length - 1])
    kept = best_iteration if best_iteration is not None and 1 <= best_iteration <= last else None
    judge = drawn.get("validation", next(iter(drawn.values())))
    title = f"Learning curves: {metric}"
    if kept is not None and kept <= at[judge.size - 1]:
        title += f" {number(float(judge[np.searchsorted(at, kept)]))} at iteration {kept:,} of {last:,}"
    figure, (axes,) = canvas(title)
    for (name, values), colour in zip(drawn.items(), PALETTE, strict=False):
        single = "o" if values.size == 1 else None  # a line through one point is invisible
        axes.plot(at[: values.size], values, color=colour, linewidth=1.6, marker=single, label=label(name))
    if kept is not None:
        axes.axvline(kept, color=GREY, linewidth=1, linestyle="--", label="kept")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis_names(axes, "iteration", metric, grid="y")
    legend(axes)
    return png(figure)
