"""What pictures of a study share: a family's colour, how a score reads, and which scores are worth an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from training_assets.core.plots.canvas import PALETTE, label, number

if TYPE_CHECKING:
    from training_assets.core.search.study import Study, Trial

WORST_SHOWN = 4  # times the distance from the best score to the median


def families_of(trials: Iterable[Trial]) -> list[str]:
    """Families in order of their first trials."""
    return list(dict.fromkeys(trial.family for trial in trials))


def colours(study: Study) -> dict[str, str]:
    """A colour for each family, the same in all pictures of a study; a seventh family has the first one's."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(families_of(study.trials))}


def scored(trials: Iterable[Trial]) -> list[Trial]:
    """Trials with a finite score."""
    return [trial for trial in trials if trial.score is not None and math.isfinite(trial.score)]


def score_of(trial: Trial) -> float:
    """A trial's score; NaN, which no picture shows, where it has none."""
    return math.nan if trial.score is None else trial.score


def named(trial: Trial) -> str:
    """A trial for a title."""
    return f"trial {trial.number} ({label(trial.family)})"


def score_text(score: float) -> str:
    """A score with the digits that tell two models apart."""
    return f"{score:.4f}".replace("-", "\u2212") if 1e-3 <= abs(score) < 10 else number(score)


def limits(scores: Sequence[float], *, higher: bool, also: Sequence[float] = ()) -> tuple[float, float]:
    """Ends of a score axis: from the best (or `also`) to the worst, but not so far that the good ones lie together."""
    values = np.array(scores, dtype=np.float64)
    sign = 1 if higher else -1
    best, middle, worst = (
        sign * float(each) for each in (max(sign * values), np.median(sign * values), min(sign * values))
    )
    reach = WORST_SHOWN * abs(best - middle)
    end = sign * max(sign * worst, sign * best - reach) if reach > 0 else worst
    ends = [best, end, *also]
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or 0.02 * abs(high) or 0.1
    return low - room, high + room


def hidden(scores: Sequence[float], ends: tuple[float, float]) -> int:
    """How many scores lie beyond the ends of the axis."""
    return sum(not ends[0] <= score <= ends[1] for score in scores)
