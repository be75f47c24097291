"""Which parameters of a family decided the score, as Optuna's fANOVA reckons it from a study's trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from training_assets.core.search.study import Trial

Scale = Literal["linear", "log", "choice"]

FEWEST = 15
"""Completed trials of a family that importances are reckoned from: with ten, noise ranks as high as what matters."""
WIDE = 20
"""Largest value over the smallest from which a positive parameter is on a log scale."""


def scale_of(values: Sequence[Any]) -> Scale:
    """How a parameter's values lie: choices unless all are numbers, by order of magnitude where they span one."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "choice"
    return "log" if min(values) > 0 and max(values) / min(values) >= WIDE else "linear"


def varying(trials: Sequence[Trial]) -> list[str]:
    """Parameters that all the trials have, and not all with one value; in the family's order."""
    return [
        name
        for name in (trials[0].params if trials else ())
        if all(name in trial.params for trial in trials) and len({repr(trial.params[name]) for trial in trials}) > 1
    ]


def parameter_importances(trials: Sequence[Trial]) -> dict[str, float]:
    """Share of each varying parameter in the variance of the score over one family's trials, the largest first.

    At least 0, together 1. Empty where it cannot be told: fewer than `FEWEST` completed trials, equal scores, or
    fewer than two parameters that vary. fANOVA: Hutter, Hoos and Leyton-Brown, 2014; seeded, so it repeats.
    """
    own = [trial for trial in trials if trial.state == "complete" and trial.score is not None]
    names = varying(own)
    if len(own) < FEWEST or len(names) < 2 or len({trial.score for trial in own}) < 2:
        return {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # else it says that a study was created
    study = optuna.create_study()
    columns = {name: _column([trial.params[name] for trial in own]) for name in names}
    for place, trial in enumerate(own):
        study.add_trial(
            optuna.trial.create_trial(
                value=trial.score,
                params={name: values[place] for name, (values, _) in columns.items()},
                distributions={name: distribution for name, (_, distribution) in columns.items()},
            )
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in shares.items()}


def _column(values: list[Any]) -> tuple[list[Any], Any]:
    """Values and their distribution; fANOVA weighs by length of the range, so what is on a log scale is made linear."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    scale = scale_of(values)
    if scale == "choice":
        texts = [str(value) for value in values]
        return texts, CategoricalDistribution(sorted(set(texts)))
    numbers = [math.log10(value) if scale == "log" else float(value) for value in values]
    return numbers, FloatDistribution(min(numbers), max(numbers))
