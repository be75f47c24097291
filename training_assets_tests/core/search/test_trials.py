"""One trial: its patience, its curve, and how it ends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.families import FAMILIES
from training_assets.core.search.pruning import RUNGS
from training_assets.core.search.sampling import Proposal
from training_assets.core.search.scores import metric
from training_assets.core.search.trials import LEAST_PATIENCE, POINTS, REASON, Job, Outcome, _Watch, patience, run
from training_assets.spec.target import Task
from training_assets_tests.core.families.fits import splits, usual


def job(
    family: str = "hist_gradient_boosting", *, most: int = 150, prune_above: Sequence[float] = (), **params: Any
) -> Job:
    chosen = {**FAMILIES[family].default_params(), **params}
    return Job(3, Proposal(family, chosen, "sampler"), 1, 0, most, most, prune_above)


def tried(
    what: Job,
    task: Task = "binary",
    *,
    late: Callable[[], bool] = lambda: False,
    told: Callable[[int, int, float], None] = lambda *_: None,
    score: str | None = None,
) -> Outcome:
    train, validation, _ = splits(task)
    seconds = itertools.count(10)
    return run(
        what,
        FAMILIES[what.proposal.family],
        train,
        validation,
        usual(task),
        metric(score, task),
        clock=lambda: float(next(seconds)),
        late=late,
        told=told,
    )


# Patience


@pytest.mark.parametrize(
    ("most", "rate", "expected"),
    [(100, 0.05, 100), (100, 0.1, 50), (100, 0.01, 100), (100, 0.5, 20), (100, 1.0, 20), (5, 1.0, 5), (100, None, 100)],
)
def test_patience_is_shorter_where_steps_are_longer(most: int, rate: float | None, expected: int) -> None:
    assert patience(most, {} if rate is None else {"learning_rate": rate}) == expected


@given(most=st.integers(1, 10_000), rate=st.floats(1e-6, 10))
def test_patience_is_never_longer_than_asked_for_nor_too_short_for_noise(most: int, rate: float) -> None:
    assert min(LEAST_PATIENCE, most) <= patience(most, {"learning_rate": rate}) <= most


def test_a_fit_ends_after_its_patience() -> None:
    trial = tried(Job(0, job(learning_rate=0.5).proposal, 1, 0, 3000, 60, ())).trial
    assert trial.best_iteration is not None
    assert trial.iterations == trial.best_iteration + LEAST_PATIENCE


# How a trial ends


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_complete_trial_says_what_was_tried_and_what_came_of_it(task: Task) -> None:
    heard: list[tuple[int, int, float]] = []
    outcome = tried(job(most=40), task, told=lambda *each: heard.append(each))
    trial, validation = outcome.trial, splits(task)[1]
    assert (trial.number, trial.family, trial.origin) == (3, "hist_gradient_boosting", "sampler")
    assert (trial.state, trial.reason, trial.iterations) == ("complete", None, len(heard))
    assert trial.params == job(most=40).proposal.params
    assert (trial.began, trial.seconds) == (10.0, 1.0)
    assert outcome.model is not None
    assert trial.best_iteration == outcome.model.best_iteration
    assert trial.curve_metric == outcome.model.curve_metric
    np.testing.assert_array_equal(outcome.predictions, outcome.model.predict(validation))
    assert trial.score == metric(None, task).score(validation.labels, outcome.predictions)
    assert [(number, made) for number, made, _ in heard] == [(3, made) for made in range(1, len(heard) + 1)]
    assert dict(trial.curve).items() <= {made: loss for _, made, loss in heard}.items()


def test_a_trial_that_is_late_is_stopped_with_the_best_so_far() -> None:
    asked = itertools.count(1)
    outcome = tried(job(), late=lambda: next(asked) >= 12)
    assert (outcome.trial.state, outcome.trial.iterations) == ("stopped", 12)
    assert outcome.trial.score is not None
    assert outcome.trial.best_iteration is not None
    assert outcome.trial.best_iteration <= 12
    assert [at for at, _ in outcome.trial.curve] == list(range(1, 13))


def test_a_hopeless_trial_is_pruned_at_the_rung_and_keeps_its_score() -> None:
    rate = 0.5
    outcome = tried(job(learning_rate=rate, prune_above=[math.inf, 0.0, math.inf]))
    assert outcome.trial.state == "pruned"
    assert outcome.trial.iterations == math.ceil(RUNGS[1] / rate)
    assert outcome.trial.score is not None
    assert outcome.model is not None


@pytest.mark.parametrize("prune_above", [[], [math.inf] * len(RUNGS), [1e9] * len(RUNGS)])
def test_a_trial_as_good_as_others_is_not_pruned(prune_above: list[float]) -> None:
    assert tried(job(learning_rate=0.5, most=60, prune_above=prune_above)).trial.state == "complete"


def test_the_best_loss_so_far_counts_and_not_the_last() -> None:
    watch = _Watch(job(learning_rate=1.0, prune_above=[0.5]), lambda: False, lambda *_: None)
    assert [watch(made, loss) for made, loss in ((1, 0.4), (2, 0.9), (3, 0.9))] == [False, False, False]
    assert watch.state == "complete"


def test_several_rungs_are_passed_in_one_step() -> None:
    watch = _Watch(job(learning_rate=RUNGS[2], prune_above=[math.inf, 0.1, math.inf]), lambda: False, lambda *_: None)
    assert watch(1, 0.4)
    assert watch.state == "pruned"


def test_what_ended_a_fit_first_is_its_state() -> None:
    late = iter([False, True, False, True])
    watch = _Watch(job(learning_rate=1.0, prune_above=[0.1]), lambda: next(late), lambda *_: None)
    assert [watch(1, 1.0), watch(2, 1.0), watch(3, 1.0)] == [False, True, True]
    assert watch.state == "stopped"


def test_whatever_a_library_raises_is_a_failed_trial() -> None:
    outcome = tried(job(max_leaf_nodes=1))
    assert (outcome.trial.state, outcome.trial.score, outcome.model, outcome.predictions) == (
        "failed",
        None,
        None,
        None,
    )
    assert outcome.trial.iterations is None
    assert outcome.trial.curve == []
    assert "max_leaf_nodes" in (outcome.trial.reason or "")


def test_a_model_whose_score_is_no_number_is_a_failed_trial() -> None:
    outcome = tried(job("linear", most=3), "regression", score="rmsle")
    assert outcome.trial.state == "complete"

    def broken(*_: Any) -> float:
        return math.nan

    train, validation, _ = splits("binary")
    scored = metric("log_loss", "binary")
    failed = run(
        job("linear", most=5),
        FAMILIES["linear"],
        train,
        validation,
        usual("binary"),
        type(scored)("of my own", "lower", broken),
        clock=lambda: 0.0,
        late=lambda: False,
        told=lambda *_: None,
    )
    assert failed.trial.state == "failed"
    assert "of my own is nan" in (failed.trial.reason or "")
    assert failed.trial.iterations is not None  # what was made is said all the same


def test_a_refusal_of_ours_is_told_by_its_code_and_in_few_words() -> None:
    """Not as an error of a type that a user never heard of."""

    class Refusing:
        def fit(self, *_: Any, **__: Any) -> Any:
            from training_assets.core.errors import InputError

            raise InputError("E_SIZE", "so many columns " * 100)

    train, validation, _ = splits("binary")
    family: Any = Refusing()
    outcome = run(
        job(),
        family,
        train,
        validation,
        usual("binary"),
        metric(None, "binary"),
        clock=lambda: 0.0,
        late=lambda: False,
        told=lambda *_: None,
    )
    assert (outcome.trial.reason or "").startswith("E_SIZE: so many columns")
    assert len(outcome.trial.reason or "") == REASON


# The curve


@given(made=st.integers(1, 5000), at_a_time=st.sampled_from([1, 7, 10]))
def test_a_curve_is_thinned_and_keeps_true_iterations(made: int, at_a_time: int) -> None:
    watch = _Watch(job(most=100_000), lambda: False, lambda *_: None)
    for step in range(1, made + 1):
        watch(step * at_a_time, 1 / step)
    trial = watch.trial(0.0, 1.0, None, None, "over")
    assert len(trial.curve) <= POINTS
    assert all(loss == at_a_time / at for at, loss in trial.curve)
    at = [iteration for iteration, _ in trial.curve]
    assert at == sorted(set(at))
    assert (at[0], at[-1]) == (at_a_time, made * at_a_time)
    assert trial.iterations == made * at_a_time


def test_losses_that_are_no_numbers_are_left_out_of_the_curve() -> None:
    watch = _Watch(job(), lambda: False, lambda *_: None)
    for made, loss in ((1, 0.9), (2, math.nan), (3, math.inf), (4, 0.5)):
        watch(made, loss)
    assert watch.trial(0.0, 1.0, None, None, "over").curve == [(1, 0.9), (4, 0.5)]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_true_iteration_numbers_are_kept_for_every_family(name: str) -> None:
    heard: dict[int, float] = {}
    outcome = tried(job(name, most=90), told=lambda _, made, loss: heard.update({made: loss}))
    assert outcome.trial.state == "complete"
    assert dict(outcome.trial.curve).items() <= heard.items()
    assert len(outcome.trial.curve) <= POINTS
    assert outcome.trial.curve[-1][0] == outcome.trial.iterations == max(heard)
