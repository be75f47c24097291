"""Learning curves of all trials, and how their scores are distributed, family by family."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from training_assets.core.plots.canvas import INK, TEXT_SIZE, axis_names, canvas, label, legend, png
from training_assets.core.plots.trials import colours, families_of, limits, score_of, score_text, scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from training_assets.core.search.study import Study, Trial

MOST_FAMILIES = 6
FEWEST_SCORES = 10  # of which a distribution says more than their list
STYLES = {"complete": "-", "stopped": "--", "pruned": ":"}


def has_curves(study: Study) -> bool:
    """Whether there is something to draw for `trial_curves`."""
    return any(_finite(trial) for trial in study.trials)


def trial_curves(study: Study) -> bytes:
    """Draw each trial's validation loss over its iterations, a panel a family, those of the final model in bold.

    ValueError if no trial has a curve; of more than six families, those that were tried first.
    """
    from matplotlib.ticker import NullLocator

    drawn = [trial for trial in study.trials if _finite(trial)]
    if not drawn:
        message = "there are no learning curves to draw"
        raise ValueError(message)
    families = families_of(drawn)[:MOST_FAMILIES]
    shown = [trial for trial in drawn if trial.family in families]
    across = min(len(families), 3)
    down = math.ceil(len(families) / across)
    best = min(shown, key=_lowest)
    metric = best.curve_metric or "loss"
    many = "1 trial" if len(shown) == 1 else f"{len(shown):,} trials"
    figure, panels = canvas(
        f"Learning curves of {many}: lowest {metric} {score_text(_lowest(best))} by trial {best.number} "
        f"({label(best.family)})",
        size=(max(2.7 * across, 5.2), 0.9 + 2.4 * down),
        heights=(1,) * down,
        widths=(1,) * across,
        note="on validation rows; bold: in the final model; dotted: pruned; dashed: stopped by the clock",
    )
    kept = {member.trial for member in study.members}
    colour = colours(study)
    ends = _ends(shown)
    for panel, family in zip(panels, families, strict=False):
        own = [trial for trial in shown if trial.family == family]
        for trial in sorted(own, key=lambda each: each.number in kept):
            _curve(panel, trial, colour[family], bold=trial.number in kept)
        panel.set_title(f"{label(family, 22)}: {len(own)}", size=TEXT_SIZE, color=INK, loc="left")
        panel.set_xscale("log")
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(lambda iteration, _: f"{iteration:,.0f}")
        panel.set_ylim(*ends)
        axis_names(panel, "iteration", metric if panel in panels[::across] else "", grid="y")
    for panel in panels[len(families) :]:
        panel.set_visible(False)
    return png(figure)


def score_distribution(study: Study) -> bytes:
    """Draw, for each family, the share of its trials that score at least as well.

    ValueError with fewer than ten scores.
    """
    good = scored(study.trials)
    if len(good) < FEWEST_SCORES:
        message = f"{len(good)} scores are no distribution"
        raise ValueError(message)
    higher = study.direction == "higher"
    scores = [score_of(trial) for trial in good]
    middle = float(np.median(scores))
    better = "more" if higher else "less"
    title = f"Scores: half of {len(good):,} trials have {study.metric} {score_text(middle)} or {better}"
    figure, (axes,) = canvas(title, size=(8, 3.4))
    for family, colour in colours(study).items():
        own = sorted((score_of(trial) for trial in good if trial.family == family), reverse=higher)
        if own:
            share = np.arange(1, len(own) + 1) / len(own)
            axes.step(own, share, where="post", color=colour, marker=".", label=f"{label(family, 20)}: {len(own)}")
    axes.set_xlim(*limits(scores, higher=higher))
    axes.set_ylim(0, 1.03)
    axis_names(axes, study.metric, f"share at least as {'high' if higher else 'low'}", grid="both")
    legend(axes, loc="upper left", bbox_to_anchor=(1.01, 1.03), borderaxespad=0)
    return png(figure)


def _curve(axes: Axes, trial: Trial, colour: str, *, bold: bool) -> None:
    at, losses = zip(*_finite(trial), strict=True)
    axes.plot(
        at,
        losses,
        color=INK if bold else colour,
        linestyle=STYLES.get(trial.state, "-"),
        linewidth=2 if bold else 0.9,
        alpha=1 if bold else 0.55,
        marker="." if len(at) == 1 else None,
    )
    place = int(np.argmin(losses))
    axes.plot(at[place], losses[place], ".", color=INK if bold else colour, markersize=7 if bold else 3)


def _finite(trial: Trial) -> list[tuple[int, float]]:
    return [(at, loss) for at, loss in trial.curve if math.isfinite(loss)]


def _lowest(trial: Trial) -> float:
    return min(loss for _, loss in _finite(trial))


def _ends(trials: list[Trial]) -> tuple[float, float]:
    """Ends of the loss axis: all that any trial came to, and of what it came from as much again."""
    reached = [_lowest(trial) for trial in trials]
    began = [loss for trial in trials for _, loss in _finite(trial)]
    low, high = min(reached), max(began)
    spread = float(np.quantile(reached, 0.9)) - low
    top = min(high, low + 3 * spread) if spread > 0 else high
    room = 0.05 * (top - low) or 0.02 * abs(low) or 0.1
    return low - room, top + room
