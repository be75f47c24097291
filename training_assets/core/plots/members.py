"""The final model: whose predictions it blends, how much each counts, and whether the blend beats them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training_assets.core.plots.canvas import GREY, INK, NOTE_SIZE, axis_names, canvas, label, legend, png
from training_assets.core.plots.trials import colours, limits, named, score_of, score_text

if TYPE_CHECKING:
    from training_assets.core.search.study import Study


def blend(study: Study) -> bytes:
    """Draw the members' weights, and their own scores beside the blend's; ValueError for a study without members."""
    if not study.members:
        message = "the final model has no members to draw"
        raise ValueError(message)
    trials = {trial.number: trial for trial in study.trials}
    members = sorted(study.members, key=lambda member: (-member.weight, member.trial))
    own = [trials[member.trial] for member in members]
    colour = colours(study)
    rows = range(len(members))
    figure, (left, right) = canvas(
        _title(study), size=(7.4, 1.7 + 0.36 * len(members)), widths=(3, 2), note=_note(study)
    )
    bars = left.barh(
        rows, [member.weight for member in members], color=[colour[trial.family] for trial in own], height=0.7
    )
    left.bar_label(bars, [f"{member.weight:.0%}" for member in members], padding=3, size=NOTE_SIZE, color=INK)
    left.set_yticks(rows, [f"{trial.number} · {label(trial.family)}" for trial in own])
    left.set_xlim(0, 1.15 * max(member.weight for member in members))
    left.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axis_names(left, "weight", "trial", grid="x")
    scores = [score_of(trial) for trial in own]
    for row, trial in zip(rows, own, strict=True):
        right.scatter(score_of(trial), row, color=colour[trial.family], s=36, zorder=3)
        right.annotate(
            score_text(score_of(trial)), (score_of(trial), row), (0, 6), textcoords="offset points",
            ha="center", size=NOTE_SIZE, color=INK,
        )  # fmt: skip
    if len(members) > 1:
        right.axvline(study.score, color=INK, linewidth=1, linestyle="--", label="blend")
        legend(right, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)
    ends = limits(scores, higher=study.direction == "higher", also=[study.score])
    room = 0.12 * (ends[1] - ends[0])  # for the numbers
    right.set_xlim(ends[0] - room, ends[1] + room)
    right.locator_params(axis="x", nbins=4)
    right.tick_params(labelleft=False, color=GREY)
    axis_names(right, study.metric, "", grid="x")
    for axes in (left, right):
        axes.set_ylim(len(members) - 0.4, -0.7)
    right.set_yticks([])
    return png(figure)


def _title(study: Study) -> str:
    if len(study.members) == 1:
        return f"Final model: {named(next(t for t in study.trials if t.number == study.members[0].trial))} alone"
    best = score_of(study.best_trial)
    return (
        f"Final model: {len(study.members)} members with {study.metric} {score_text(study.score)}; "
        f"the best trial has {score_text(best)}"
    )


def _note(study: Study) -> str:
    again = sum(member.refitted for member in study.members)
    chosen = "" if study.out_of_fold is None else f"chosen out of fold on {study.out_of_fold:,} rows; "
    return (
        f"{chosen}scores of the trials, on validation rows; "
        f"fitted once more on these as well: {again} of {len(study.members)}"
    )
