"""What the parameters did: how much of the score each decided, and where the good values lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from training_assets.core.plots.canvas import (
    GREY,
    INK,
    NOTE_SIZE,
    TEXT_SIZE,
    axis_names,
    canvas,
    label,
    png,
    round_ticks,
)
from training_assets.core.plots.trials import colours, families_of, hidden, limits, score_of, scored
from training_assets.core.search.importances import FEWEST, parameter_importances, scale_of, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from training_assets.core.search.study import Study, Trial

MOST_BARS = 8  # parameters of a family
MOST_ROWS, MOST_COLUMNS = 3, 4  # families and parameters in the grid
FEWEST_POINTS = 5  # scored trials of a family in which a pattern could be seen
NARROW = 100  # largest value over the smallest up to which whole powers of ten are too few ticks
MOST_CHOICES, CHOICE_WIDTH = 6, 10


def importances_of(study: Study) -> dict[str, dict[str, float]]:
    """Importances of parameters for each family that has enough trials, in order of their first trials."""
    found = {family: parameter_importances(_own(study, family)) for family in families_of(study.trials)}
    return {family: shares for family, shares in found.items() if shares}


def parameter_shares(study: Study, importances: dict[str, dict[str, float]]) -> bytes:
    """Draw what `importances_of` gives, a panel a family; ValueError for none."""
    if not importances:
        message = f"no family has importances; they need {FEWEST} completed trials and two parameters that vary"
        raise ValueError(message)
    shown = {family: list(shares.items())[:MOST_BARS] for family, shares in importances.items()}
    leads = {family: shares[0] for family, shares in shown.items()}
    family, (name, share) = max(leads.items(), key=lambda item: item[1][1])
    bars = sum(len(shares) for shares in shown.values())
    figure, panels = canvas(
        f"Parameters: {label(name)} decided {share:.0%} of {label(family)}'s score",
        size=(6.4, 1.0 + 0.55 * len(shown) + 0.22 * bars),
        heights=[len(shares) + 0.6 for shares in shown.values()],
        note=f"share of the score's variance over completed trials (fANOVA); families with at least {FEWEST} of them",
    )
    colour = colours(study)
    for panel, (family, shares) in zip(panels, shown.items(), strict=True):
        names, values = zip(*shares, strict=True)
        drawn = panel.barh(range(len(values)), values, color=colour[family], height=0.7)
        panel.bar_label(drawn, [f"{value:.0%}" for value in values], padding=3, size=NOTE_SIZE, color=INK)
        panel.set_yticks(range(len(names)), [label(name) for name in names])
        panel.set_ylim(len(names) - 0.4, -0.6)
        panel.set_xlim(0, 1.08)
        panel.xaxis.set_major_formatter(lambda part, _: f"{part:.0%}")
        panel.tick_params(labelbottom=panel is panels[-1])
        panel.set_title(f"{label(family)}: {_completed(study, family)} trials", size=TEXT_SIZE, color=INK, loc="left")
        axis_names(panel, "", "", grid="x")
    return png(figure)


def can_slice(study: Study) -> bool:
    """Whether there is a family for `parameter_slices`."""
    return bool(_sliced(study))


def parameter_slices(study: Study, importances: dict[str, dict[str, float]]) -> bytes:
    """Draw scores over the values of parameters: the best families by row, their most important parameters by column.

    Later trials are darker, pruned ones hollow, those of the final model ringed. ValueError where no family has five
    scored trials and a parameter that varies.
    """
    families = _sliced(study)[:MOST_ROWS]
    if not families:
        message = f"no family has {FEWEST_POINTS} scored trials and a parameter that varies"
        raise ValueError(message)
    columns = {family: _ranked(study, family, importances)[:MOST_COLUMNS] for family in families}
    across = max(len(names) for names in columns.values())
    shown = [trial for family in families for trial in scored(_own(study, family))]
    scores = [score_of(trial) for trial in shown]
    ends = limits(scores, higher=study.direction == "higher")
    beyond = hidden(scores, ends)
    good = "high" if study.direction == "higher" else "low"
    figure, panels = canvas(
        f"Where {study.metric} is {good}: {len(shown):,} trials by parameter",
        size=(max(1.0 + 1.9 * across, 6.4), 1.0 + 1.9 * len(families)),
        heights=(1,) * len(families),
        widths=(1,) * across,
        note="dark: late; hollow: pruned; ringed: in the final model; in brackets: share of the score's variance"
        + (f"; {beyond:,} worse than is shown" if beyond else ""),
    )
    colour = colours(study)
    kept = {member.trial for member in study.members}
    for row, family in enumerate(families):
        line = panels[row * across : (row + 1) * across]
        for panel, name in zip(line, columns[family], strict=False):
            _slice(panel, scored(_own(study, family)), name, colour[family], kept)
            panel.set_ylim(*ends)
            panel.tick_params(labelleft=panel is line[0])
            share = importances.get(family, {}).get(name)
            text = label(name, 18) if share is None else f"{label(name, 18)} ({share:.0%})"
            axis_names(panel, text, study.metric if panel is line[0] else "", grid="y")
        line[0].set_title(label(family), size=TEXT_SIZE, color=INK, loc="left")
        for panel in line[len(columns[family]) :]:
            panel.set_visible(False)
    return png(figure)


def _slice(axes: Axes, trials: list[Trial], name: str, colour: str, kept: set[int]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    values = [trial.params[name] for trial in trials]
    scale = scale_of(values)
    at: Any = values
    if scale == "choice":
        texts = [str(value) for value in values]
        known = sorted(set(texts))
        at = [known.index(text) for text in texts]
        ticks = range(len(known))[:: math.ceil(len(known) / MOST_CHOICES)]
        axes.set_xticks(list(ticks), [label(known[tick], CHOICE_WIDTH) for tick in ticks], rotation=20, ha="right")
        axes.set_xlim(-0.5, len(known) - 0.5)
    elif scale == "log":
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        if max(values) < NARROW * min(values):
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        round_ticks(axes, "x")
    at = np.asarray(at, dtype=np.float64)
    scores = np.array([trial.score for trial in trials])
    age = np.linspace(0.3, 1, len(trials))
    hollow = np.array([trial.state == "pruned" for trial in trials])
    chosen = np.array([trial.number in kept for trial in trials])
    axes.scatter(at[~hollow], scores[~hollow], c=colour, alpha=age[~hollow], s=18, zorder=3)
    axes.scatter(at[hollow], scores[hollow], facecolors="none", edgecolors=colour, alpha=0.7, s=16, zorder=3)
    axes.scatter(at[chosen], scores[chosen], facecolors="none", edgecolors=INK, s=60, linewidths=1.3, zorder=4)
    axes.tick_params(labelsize=NOTE_SIZE, color=GREY)


def _sliced(study: Study) -> list[str]:
    """Families for the grid, the one with the best trial first."""
    sign = -1 if study.direction == "higher" else 1
    own = {family: scored(_own(study, family)) for family in families_of(study.trials)}
    fit = {family: trials for family, trials in own.items() if len(trials) >= FEWEST_POINTS and varying(trials)}
    return sorted(fit, key=lambda family: min(sign * (score_of(trial)) for trial in fit[family]))


def _ranked(study: Study, family: str, importances: dict[str, dict[str, float]]) -> list[str]:
    names = varying(scored(_own(study, family)))
    shares = importances.get(family, {})
    return sorted(names, key=lambda name: -shares.get(name, 0.0))


def _own(study: Study, family: str) -> list[Trial]:
    return [trial for trial in study.trials if trial.family == family]


def _completed(study: Study, family: str) -> int:
    return sum(trial.state == "complete" for trial in _own(study, family))
