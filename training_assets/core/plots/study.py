"""The pictures of a study that have something to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from training_assets.core.plots.history import search_history
from training_assets.core.plots.members import blend
from training_assets.core.plots.parameters import can_slice, importances_of, parameter_shares, parameter_slices
from training_assets.core.plots.training import learning_curves
from training_assets.core.plots.trial_curves import FEWEST_SCORES, has_curves, score_distribution, trial_curves
from training_assets.core.plots.trials import scored

if TYPE_CHECKING:
    from training_assets.core.search.study import Study


def study_plots(study: Study, curves: Mapping[str, Sequence[float]]) -> dict[str, bytes]:
    """Each picture that the study has enough trials for, by name, as PNG bytes; a study without trials has none.

    `curves` are the best trial's, as its model has them: loss after each iteration on "train" and "validation" rows.
    Without those of "train", the points that the trial itself kept are drawn.
    """
    if not study.trials:
        return {}
    pictures = {"search_history": search_history(study)}
    if study.members:
        pictures["blend"] = blend(study)
    if scored(study.trials):
        pictures |= _best(study, curves)
    if has_curves(study):
        pictures["trial_curves"] = trial_curves(study)
    if len(scored(study.trials)) >= FEWEST_SCORES:
        pictures["score_distribution"] = score_distribution(study)
    importances = importances_of(study)
    if importances:
        pictures["parameter_importances"] = parameter_shares(study, importances)
    if can_slice(study):
        pictures["parameter_slices"] = parameter_slices(study, importances)
    return pictures


def _best(study: Study, curves: Mapping[str, Sequence[float]]) -> dict[str, bytes]:
    """Learning curves of the best trial, if it has any."""
    best = study.best_trial
    made = max((len(values) for values in curves.values()), default=0)
    if curves.get("train"):
        at = np.linspace((best.iterations or made) / made, best.iterations or made, made).tolist()
        drawn = curves
    elif best.curve:
        at = [float(iteration) for iteration, _ in best.curve]
        drawn = {"validation": [loss for _, loss in best.curve]}
    else:
        return {}
    picture = learning_curves(drawn, best.best_iteration, best.curve_metric or "loss", iterations=at)
    return {"learning_curves": picture}
