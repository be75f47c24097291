"""Pictures of a study: each says its number, and can be drawn of any study."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.plots.history import search_history
from training_assets.core.plots.members import blend
from training_assets.core.plots.parameters import importances_of, parameter_shares, parameter_slices
from training_assets.core.plots.study import study_plots
from training_assets.core.plots.trial_curves import score_distribution, trial_curves
from training_assets.core.plots.trials import hidden, limits, score_text
from training_assets.core.search.study import Member, Origin, State, Study, Trial
from training_assets_tests.core.plots.pictures import seen
from training_assets_tests.core.plots.studies import study_of

ALL = {
    "search_history",
    "blend",
    "learning_curves",
    "trial_curves",
    "score_distribution",
    "parameter_importances",
    "parameter_slices",
}
LONG = ("my_package.models.of_some_length:make_an_estimator_that_is_mine", "a$b$c:äö漢字\nx", "linear")
CURVES = {"train": [0.5, 0.4, 0.3], "validation": [0.5, 0.45, 0.46]}


def bare(score: float | None, number: int = 0, state: State = "complete", **more: Any) -> Trial:
    given: dict[str, Any] = {"family": "linear", "params": {}, "origin": "sampler", "seconds": 0.0, "began": 0.0}
    given |= {"best_iteration": None, "iterations": None, **more}
    return Trial(number=number, score=score, state=state, **given)


def only(*trials: Trial, best: int = 0, members: tuple[int, ...] = (0,)) -> Study:
    parts = [Member(number, 1 / len(members), None, 0.0, refitted=False) for number in members]
    return Study("rmse", "lower", list(trials), best, parts, 0.5, 0.0, 60.0)


def test_a_large_study_has_every_picture_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = study_plots(study_of(100), CURVES)
    assert set(pictures) == ALL
    for picture in pictures.values():
        seen(picture)


@pytest.mark.parametrize(
    ("study", "missing"),
    [
        (study_of(1, ("catboost",)), {"score_distribution", "parameter_importances", "parameter_slices"}),
        (study_of(12), {"learning_curves", "parameter_importances", "parameter_slices"}),
        (study_of(40, LONG), {"parameter_importances"}),
        (study_of(30, broken=("lightgbm", "catboost")), {"parameter_importances"}),
        (study_of(2, ("linear",)), ALL - {"search_history", "blend"}),
        (only(bare(0.5)), ALL - {"search_history", "blend"}),
        (only(bare(None, state="failed"), members=()), ALL - {"search_history"}),
        (only(members=()), ALL),
    ],
    ids=["one", "dozen", "long names", "broken families", "linear", "bare", "failed", "empty"],
)
def test_a_study_has_the_pictures_that_it_has_trials_for(study: Study, missing: set[str]) -> None:
    pictures = study_plots(study, {})
    assert set(pictures) == ALL - missing
    for picture in pictures.values():
        assert "\n" not in seen(picture).title


@given(
    trials=st.lists(
        st.tuples(
            st.none() | st.floats(-1e9, 1e9) | st.just(math.nan),
            st.sampled_from(["a", "b:c", "$d$"]),
            st.sampled_from(["complete", "pruned", "stopped", "failed"]),
            st.sampled_from(["portfolio", "warm start", "sampler", "grid"]),
            st.floats(0, 1e5),
            st.floats(0, 1e5),
            st.lists(st.tuples(st.integers(1, 4000), st.floats() | st.just(0.5)), max_size=3),
            st.dictionaries(st.sampled_from("pqr"), st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 1)),
        ),
        min_size=1,
        max_size=15,
    )
)
@settings(max_examples=6, deadline=None)
def test_any_study_can_be_drawn(
    trials: list[tuple[float | None, str, State, Origin, float, float, list[tuple[int, float]], dict[str, Any]]],
) -> None:
    done = [
        bare(
            score, number, state, family=family, origin=origin, began=began, seconds=seconds, curve=curve, params=params
        )
        for number, (score, family, state, origin, began, seconds, curve, params) in enumerate(trials)
    ]
    good = [trial.number for trial in done if trial.score is not None and math.isfinite(trial.score)]
    for picture in study_plots(only(*done, best=good[0] if good else 0, members=tuple(good[:3])), {}).values():
        seen(picture)


# Search history


def test_the_history_says_the_best_trial_and_the_blend() -> None:
    study = study_of(12)
    assert (
        seen(search_history(study)).title == "Search: roc_auc 0.7694 by trial 11 (linear) of 12; 0.7734 by a blend of 3"
    )
    alone = replace(study, members=study.members[:1])
    assert seen(search_history(alone)).title == "Search: roc_auc 0.7694 by trial 11 (linear) of 12"


def test_a_search_without_scores_says_so() -> None:
    failed = only(bare(None, 0, "failed"), bare(math.nan, 1, "failed"), members=())
    assert seen(search_history(failed)).title == "Search: none of 2 trials has a score"


def test_no_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="no trials"):
        search_history(only())


def test_many_trials_at_a_time_still_fit() -> None:
    crowd = [bare(math.sin(number), number, family=f"family {number % 9}", seconds=9.0) for number in range(300)]
    seen(search_history(only(*crowd)))


# Curves and scores


def test_curves_say_the_lowest_loss() -> None:
    trials = [bare(0.5, number, curve=[(1, 0.9), (10, loss)]) for number, loss in enumerate((0.4, 0.3, math.inf))]
    assert (
        seen(trial_curves(only(*trials))).title == "Learning curves of 3 trials: lowest loss 0.3000 by trial 1 (linear)"
    )


def test_no_curve_and_few_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="no learning curves"):
        trial_curves(only(bare(0.5, curve=[(1, math.nan)])))
    with pytest.raises(ValueError, match="no distribution"):
        score_distribution(study_of(6))


def test_the_distribution_says_the_middle_score() -> None:
    trials = [bare(float(number), number) for number in range(11)]
    assert seen(score_distribution(only(*trials))).title == "Scores: half of 11 trials have rmse 5.0000 or less"


def test_the_best_trials_curve_is_drawn_from_what_is_known_of_it() -> None:
    study = study_of(1, ("catboost",))
    best = study.best_trial
    known: list[dict[str, list[float]]] = [{}, {"validation": [0.3]}, {"train": []}]
    for curves in known:
        title = seen(study_plots(study, curves)["learning_curves"]).title
        assert title.endswith(f"at iteration {best.best_iteration:,} of {best.iterations:,}")
    tens = {"train": [0.5] * 7, "validation": [0.4] * 7}
    assert seen(study_plots(study, tens)["learning_curves"]).title.endswith(f"of {best.iterations:,}")


# Parameters


def test_importances_say_what_decides_most() -> None:
    study = study_of(100)
    importances = importances_of(study)
    assert list(importances) == ["catboost", "lightgbm", "hist_gradient_boosting"]
    assert all(sum(shares.values()) == pytest.approx(1) for shares in importances.values())
    share = importances["catboost"]["depth"]
    assert (
        seen(parameter_shares(study, importances)).title == f"Parameters: depth decided {share:.0%} of catboost's score"
    )


def test_nothing_to_say_of_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="15 completed trials"):
        parameter_shares(study_of(20), {})
    with pytest.raises(ValueError, match="5 scored trials"):
        parameter_slices(study_of(8), {})


def test_many_choices_and_missing_parameters_can_be_sliced() -> None:
    odd = [{"kind": f"a rather long name of a choice {place}", "size": 10.0**place} for place in range(12)]
    trials = [bare(place / 10, place, params=params) for place, params in enumerate(odd)]
    assert seen(parameter_slices(only(*trials), {})).title == "Where rmse is low: 12 trials by parameter"


# The blend


def test_the_blend_is_set_beside_its_best_member() -> None:
    study = study_of(12)
    assert seen(blend(study)).title == "Final model: 3 members with roc_auc 0.7734; the best trial has 0.7694"
    assert seen(blend(study_of(12, members=1))).title == "Final model: trial 11 (linear) alone"
    with pytest.raises(ValueError, match="no members"):
        blend(study_of(12, members=0))


# Axes


@pytest.mark.parametrize(("higher", "sign"), [(True, 1), (False, -1)])
def test_one_terrible_score_does_not_hide_the_others(higher: bool, sign: int) -> None:
    scores = [sign * each for each in (0.80, 0.79, 0.78, -1000.0)]
    ends = limits(scores, higher=higher)
    assert ends[1] - ends[0] < 0.1
    assert hidden(scores, ends) == 1
    assert hidden(scores[:3], ends) == 0


@given(st.lists(st.floats(-1e12, 1e12), min_size=1), st.booleans())
def test_the_best_score_and_half_of_all_are_always_shown(scores: list[float], higher: bool) -> None:
    ends = limits(scores, higher=higher)
    assert ends[0] < ends[1]
    assert ends[0] <= (max if higher else min)(scores) <= ends[1]
    assert hidden(scores, ends) <= len(scores) / 2


@pytest.mark.parametrize(
    ("score", "text"), [(0.81234, "0.8123"), (-0.5, "\u22120.5000"), (42_967.1, "42,967"), (0.0, "0.000")]
)
def test_scores_read_well(score: float, text: str) -> None:
    assert score_text(score) == text
