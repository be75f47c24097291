"""How training went: learning curves of one model, and the trials of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from training_assets.core.plots.canvas import GREY, INK, PALETTE, axis_names, canvas, label, legend, number, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes


Direction = Literal["higher", "lower", "maximize", "minimize"]
HIGHER = ("higher", "maximize")


def learning_curves(curves: Mapping[str, Sequence[float]], best_iteration: int | None, metric: str) -> bytes:
    """Draw a metric over iterations, one line a split, with the kept iteration marked.

    `best_iteration` is the number of iterations kept (from 1), or None. ValueError if no curve has a point.
    """
    from matplotlib.ticker import MaxNLocator

    drawn = {name: np.array(values, dtype=np.float64) for name, values in curves.items() if len(values)}
    if not drawn:
        message = "there are no learning curves to draw"
        raise ValueError(message)
    length = max(values.size for values in drawn.values())
    kept = best_iteration if best_iteration is not None and 1 <= best_iteration <= length else None
    judge = drawn.get("validation", next(iter(drawn.values())))
    title = f"Learning curves: {metric}"
    if kept is not None and kept <= judge.size:
        title += f" {number(float(judge[kept - 1]))} at iteration {kept:,} of {length:,}"
    figure, (axes,) = canvas(title)
    for (name, values), colour in zip(drawn.items(), PALETTE, strict=False):
        single = "o" if values.size == 1 else None  # a line through one point is invisible
        axes.plot(np.arange(1, values.size + 1), values, color=colour, linewidth=1.6, marker=single, label=label(name))
    if kept is not None:
        axes.axvline(kept, color=GREY, linewidth=1, linestyle="--", label="kept")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis_names(axes, "iteration", metric, grid="y")
    legend(axes)
    return png(figure)


def search_history(trials: Sequence[Mapping[str, Any]], metric: str, direction: Direction) -> bytes:
    """Draw the score of each trial with the best so far, and its seconds below; ValueError without trials.

    A trial has `number`, `family`, `score` (None where it failed or was stopped) and `seconds`.
    """
    from matplotlib.ticker import MaxNLocator

    if not trials:
        message = "there are no trials to draw"
        raise ValueError(message)
    ordered = sorted(trials, key=lambda trial: trial["number"])
    scores = np.array([_score(trial.get("score")) for trial in ordered])
    figure, (upper, lower) = canvas(_search_title(ordered, scores, metric, direction), size=(7.4, 4.4), heights=(3, 1))
    families = list(dict.fromkeys(str(trial["family"]) for trial in ordered))
    for place, family in enumerate(families):
        colour = PALETTE[place % len(PALETTE)]
        own = [trial for trial in ordered if str(trial["family"]) == family]
        numbers = [trial["number"] for trial in own]
        own_scores = [_score(trial.get("score")) for trial in own]
        upper.scatter(numbers, own_scores, color=colour, s=26, zorder=3, label=label(family))
        lower.bar(numbers, [_score(trial.get("seconds")) for trial in own], color=colour)
    lost = [trial["number"] for trial, score in zip(ordered, scores, strict=True) if not np.isfinite(score)]
    if lost:
        upper.scatter(
            lost,
            [0.03] * len(lost),
            marker="x",
            s=20,
            color=GREY,
            transform=upper.get_xaxis_transform(),
            label="no score",
        )
    _best_so_far(upper, ordered, scores, direction)
    axis_names(upper, "", metric, grid="y")
    axis_names(lower, "trial", "seconds", grid="y")
    lower.sharex(upper)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(upper, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return png(figure)


def _best_so_far(
    axes: Axes, trials: Sequence[Mapping[str, Any]], scores: np.ndarray[Any, np.dtype[np.float64]], direction: str
) -> None:
    finite = np.isfinite(scores)
    if not finite.any():
        axes.text(0.5, 0.5, "no trial has a score", transform=axes.transAxes, ha="center", color=INK)
        return
    sign = 1 if direction in HIGHER else -1
    best = sign * np.maximum.accumulate(np.where(finite, sign * scores, -np.inf))
    seen = np.isfinite(best)
    numbers = np.array([trial["number"] for trial in trials])
    axes.step(numbers[seen], best[seen], where="post", color=GREY, linewidth=1.2, label="best so far")


def _search_title(trials: Sequence[Mapping[str, Any]], scores: Any, metric: str, direction: str) -> str:
    finite = np.isfinite(scores)
    if not finite.any():
        return f"Search: none of {len(trials)} trials has a score"
    place = int(np.nanargmax(scores) if direction in HIGHER else np.nanargmin(scores))
    best = trials[place]
    return (
        f"Search: {metric} {number(float(scores[place]))}, "
        f"trial {best['number']} ({label(str(best['family']))}); {int(finite.sum())} of {len(trials)} scored"
    )


def _score(value: object) -> float:
    known = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if known else math.nan  # type: ignore[arg-type]  # `known` says so
