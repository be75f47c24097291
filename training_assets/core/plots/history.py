"""The search over time: every trial's score as it came in, and what ran when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training_assets.core.plots.canvas import GREY, INK, NOTE_SIZE, axis_names, canvas, label, legend, png, round_ticks
from training_assets.core.plots.trials import colours, hidden, limits, named, score_of, score_text, scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from training_assets.core.search.study import Origin, Study, Trial

SHAPES: dict[Origin, str] = {"portfolio": "s", "warm start": "D", "longer": "P", "sampler": "o", "grid": "o"}
TOLD_APART: tuple[Origin, ...] = ("portfolio", "warm start", "longer")
MANY = 60  # trials whose bars have no room for an edge
MOST_LANES = 32  # trials at a time that have a line each; of more, the others are left out


def search_history(study: Study) -> bytes:
    """Draw scores over seconds with the best so far and the blend's, and below which trials ran when.

    The shape of a point says where its trial came from, hollow ones were pruned; ValueError without trials.
    """
    if not study.trials:
        message = "there are no trials to draw"
        raise ValueError(message)
    good = scored(study.trials)
    scores = [score_of(trial) for trial in good]
    blended = [study.score] if len(study.members) > 1 else []
    ends = limits(scores, higher=study.direction == "higher", also=blended) if scores else (0.0, 1.0)
    figure, (upper, lower) = canvas(_title(study, good), size=(8, 4.8), heights=(3, 1), note=_note(study, scores, ends))
    colour = colours(study)
    _points(upper, study, colour)
    if good:
        _best_so_far(upper, study, good)
    else:
        upper.text(0.5, 0.5, "no trial has a score", transform=upper.transAxes, ha="center", color=INK)
    if blended:
        upper.axhline(study.score, color=INK, linewidth=1, linestyle="--", label=f"blend of {len(study.members)}")
    upper.set_ylim(*ends)
    _timeline(lower, study, colour)
    lower.sharex(upper)
    upper.set_xlim(left=0)
    upper.tick_params(labelbottom=False)
    axis_names(upper, "", study.metric, grid="y")
    axis_names(lower, "seconds", "at a time")
    round_ticks(lower, "x")
    legend(upper, loc="upper left", bbox_to_anchor=(1.01, 1.03), borderaxespad=0, labelspacing=0.35)
    return png(figure)


def _points(axes: Axes, study: Study, colour: dict[str, str]) -> None:
    good = {id(trial) for trial in scored(study.trials)}
    for family, own_colour in colour.items():
        axes.scatter([], [], color=own_colour, s=26, label=label(family, 20))
        for origin, shape in SHAPES.items():
            own = [t for t in study.trials if t.family == family and t.origin == origin and id(t) in good]
            for hollow in (True, False):
                some = [trial for trial in own if (trial.state == "pruned") is hollow]
                face = "none" if hollow else own_colour
                at, height = [_end(trial) for trial in some], [score_of(trial) for trial in some]
                axes.scatter(at, height, facecolors=face, edgecolors=own_colour, marker=shape, s=24, zorder=3)
    for origin in TOLD_APART:
        if any(trial.origin == origin for trial in study.trials):
            axes.scatter([], [], color=GREY, marker=SHAPES[origin], s=24, label=origin)
    if any(trial.state == "pruned" for trial in study.trials):
        axes.scatter([], [], facecolors="none", edgecolors=GREY, s=24, label="pruned")
    stopped = [trial for trial in scored(study.trials) if trial.state == "stopped"]
    if stopped:
        at, height = [_end(trial) for trial in stopped], [score_of(trial) for trial in stopped]
        axes.scatter(at, height, marker="|", color=INK, s=90, linewidths=1.4, zorder=4, label="stopped by the clock")
    lost = [trial for trial in study.trials if id(trial) not in good]
    if lost:
        floor = axes.get_xaxis_transform()
        axes.scatter(
            [_end(trial) for trial in lost],
            [0.03] * len(lost),
            marker="x",
            s=20,
            c=[colour[trial.family] for trial in lost],
            transform=floor,
            zorder=3,
        )
        axes.scatter([], [], marker="x", color=GREY, s=20, label="failed")


def _best_so_far(axes: Axes, study: Study, good: list[Trial]) -> None:
    record = np.maximum if study.direction == "higher" else np.minimum
    ordered = sorted(good, key=_end)
    best = record.accumulate([score_of(trial) for trial in ordered])
    at = [_end(trial) for trial in ordered]
    at.append(max(study.seconds, at[-1]))
    axes.step(at, [*best, best[-1]], where="post", color=GREY, linewidth=1.2, label="best so far")


def _timeline(axes: Axes, study: Study, colour: dict[str, str]) -> None:
    lanes = _lanes(study.trials)
    many = min(max(lanes.values(), default=0) + 1, MOST_LANES)
    drawn = [trial for trial in study.trials if lanes[trial.number] < many]
    axes.barh(
        [lanes[trial.number] + 0.5 for trial in drawn],
        [trial.seconds for trial in drawn],
        left=[trial.began for trial in drawn],
        height=0.84,
        color=[(colour[trial.family], 1.0 if trial.state in {"complete", "stopped"} else 0.35) for trial in drawn],
        edgecolor="white",
        linewidth=0.4 if len(drawn) < MANY else 0,
    )
    ended = max(_end(trial) for trial in study.trials)
    axes.axvspan(ended, max(study.seconds, ended), color=GREY, alpha=0.25, linewidth=0)
    if study.seconds - ended > 0.15 * study.seconds:  # where the words have room
        middle = (ended + study.seconds) / 2
        axes.text(
            middle,
            many / 2,
            _afterwards(study).replace(", ", ",\n"),
            ha="center",
            va="center",
            size=NOTE_SIZE,
            color=INK,
        )
    if study.budget_seconds < 1.2 * max(study.seconds, ended):
        axes.axvline(study.budget_seconds, color=INK, linewidth=1, linestyle=":")
    axes.set_ylim(0, many)
    axes.set_yticks([])


def _afterwards(study: Study) -> str:
    return "final fit" if study.out_of_fold is None else "choice out of fold, final fit"


def _lanes(trials: list[Trial]) -> dict[int, int]:
    """A line for each trial, by number, so that no two on a line ran at once."""
    free: list[float] = []
    lanes = {}
    for trial in sorted(trials, key=lambda each: (each.began, each.number)):
        lane = next((place for place, end in enumerate(free) if end <= trial.began), len(free))
        if lane == len(free):
            free.append(0.0)
        free[lane] = _end(trial)
        lanes[trial.number] = lane
    return lanes


def _end(trial: Trial) -> float:
    return trial.began + trial.seconds


def _title(study: Study, good: list[Trial]) -> str:
    if not good:
        return f"Search: none of {len(study.trials)} trials has a score"
    best = study.best_trial
    title = f"Search: {study.metric} {score_text(score_of(best))} by {named(best)} of {len(study.trials):,}"
    return title if len(study.members) < 2 else f"{title}; {score_text(study.score)} by a blend of {len(study.members)}"


def _note(study: Study, scores: list[float], ends: tuple[float, float]) -> str:
    states = [trial.state for trial in study.trials]
    counted = [f"{states.count(state):,} {state}" for state in ("pruned", "stopped", "failed") if state in states]
    beyond = hidden(scores, ends)
    counted += [f"{beyond:,} scored worse than is shown"] if beyond else []
    many = "1 trial" if len(states) == 1 else f"{len(states):,} trials"
    return (
        f"{many} in {study.seconds:,.0f} s" + "".join(f", {each}" for each in counted) + f"; grey: {_afterwards(study)}"
    )
