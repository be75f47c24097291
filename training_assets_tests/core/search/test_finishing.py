"""The final model: how long its fits take, which there is time for, and what they are fitted on."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.encoding import Preprocessor
from training_assets.core.families import FAMILIES, Data, FittedModel
from training_assets.core.families.blend import Blend
from training_assets.core.search.candidates import Candidate
from training_assets.core.search.finishing import (
    MORE_ITERATIONS,
    SAVED,
    Plan,
    fit_members,
    seconds_for,
    worth_refitting,
)
from training_assets.core.search.study import Member, Trial
from training_assets.spec import Encoding
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import made
from training_assets_tests.core.families.fits import fit, splits, usual
from training_assets_tests.core.search.made_trials import trial

PLAN = Plan(refit=True, most=5, cores=2, parallel=2, max_iterations=40, seed=0)
GROWTH = 1.25


def plan(**said: Any) -> Plan:
    return Plan(**{**vars(PLAN), **said})


# Time


@pytest.mark.parametrize(
    ("parallel", "seconds", "expected"),
    [
        (1, [3.0, 2.0, 1.0], 6.0),
        (2, [3.0, 2.0, 1.0], 3.0),
        (2, [3.0, 3.0, 2.0, 2.0, 2.0], 7.0),  # longest first: 3 + 2 + 2 beside 3 + 2
        (3, [5.0, 1.0, 1.0], 5.0),
        (8, [5.0], 5.0),
    ],
)
def test_fits_run_side_by_side_the_longest_first(parallel: int, seconds: list[float], expected: float) -> None:
    trials = [trial(number, seconds=each) for number, each in enumerate(seconds)]
    assert seconds_for(trials, plan(parallel=parallel), GROWTH) == pytest.approx(SAVED * GROWTH * expected)


def test_a_final_fit_takes_its_share_of_the_trials_iterations() -> None:
    boosted = trial(seconds=10.0, best_iteration=30, iterations=100)
    assert seconds_for([boosted], PLAN, 1.0) == pytest.approx(SAVED * 10 * 0.3 * MORE_ITERATIONS)
    assert seconds_for([trial(seconds=10.0)], PLAN, 1.0) == pytest.approx(SAVED * 10)


def test_nothing_takes_no_time() -> None:
    assert seconds_for([trial(seconds=10.0)], plan(refit=False), GROWTH) == 0
    assert seconds_for([], PLAN, GROWTH) == 0


@given(seconds=st.lists(st.floats(0.01, 100), min_size=1, max_size=6), parallel=st.integers(1, 4))
def test_the_time_lies_between_the_longest_fit_and_all_of_them(seconds: list[float], parallel: int) -> None:
    found = seconds_for(
        [trial(number, seconds=each) for number, each in enumerate(seconds)], plan(parallel=parallel), 1
    )
    assert found <= SAVED * sum(seconds) * (1 + 1e-9)
    assert found >= SAVED * max(*seconds, sum(seconds) / parallel, 0) * (1 - 1e-9)


# What there is time for


def candidates_of(seconds: Mapping[int, float], gone: Collection[int] = ()) -> dict[int, Candidate]:
    model: Any = "a model"
    return {
        number: Candidate(trial(number, seconds=each), None, None if number in gone else model)
        for number, each in seconds.items()
    }


def test_the_heaviest_that_fit_are_refitted() -> None:
    weights = {0: 0.2, 4: 0.5, 7: 0.3}
    candidates = candidates_of({0: 1.0, 4: 10.0, 7: 100.0})
    one_at_a_time = plan(parallel=1)

    def worth(left: float) -> set[int]:
        return worth_refitting(weights, candidates, one_at_a_time, 1.0, SAVED * left)

    assert worth(111.1) == {0, 4, 7}
    assert worth(110.9) == {4, 7}
    assert worth(109.9) == {0, 4}  # 7 takes too long, and the lightest still fits
    assert worth(10.5) == {4}
    assert worth(9.9) == {0}
    assert worth(0.5) == worth(-3.0) == set()


def test_of_equal_weights_the_earlier_trial_comes_first() -> None:
    weights = {3: 0.5, 1: 0.5}
    assert worth_refitting(weights, candidates_of({3: 5.0, 1: 5.0}), plan(parallel=1), 1.0, SAVED * 6) == {1}


def test_one_whose_model_is_gone_is_refitted_whatever_the_time() -> None:
    weights = {0: 0.6, 1: 0.4}
    candidates = candidates_of({0: 50.0, 1: 50.0}, gone={1})
    assert worth_refitting(weights, candidates, PLAN, 1.0, 0.0) == {1}


def test_without_refit_none_is() -> None:
    assert worth_refitting({0: 1.0}, candidates_of({0: 1.0}, gone={0}), plan(refit=False), 1.0, 100.0) == set()


# The fits


@cache
def tried(name: str, task: Task) -> tuple[Trial, FittedModel, Any]:
    train, validation, _ = splits(task)
    model = fit(name, train, validation, max_iterations=PLAN.max_iterations, patience=PLAN.max_iterations)
    made = len(model.curves["validation"])
    said = trial(
        family=name, params=FAMILIES[name].default_params(), best_iteration=model.best_iteration, iterations=made
    )
    return said, model, model.predict(validation)


def candidates(task: Task, *names: str, gone: Collection[str] = ()) -> dict[int, Candidate]:
    return {
        number: Candidate(
            trial(**{**vars(tried(name, task)[0]), "number": number}),
            tried(name, task)[2],
            None if name in gone else tried(name, task)[1],
        )
        for number, name in enumerate(names)
    }


def finished(
    task: Task,
    found: Mapping[int, Candidate],
    refit: Collection[int],
    *,
    late: Callable[[], bool] = lambda: False,
    rows: tuple[Data, Data] | None = None,
    heard: Callable[[int, int, float], None] = lambda *_: None,
    **said: Any,
) -> tuple[FittedModel, list[Member]]:
    train, validation = rows or splits(task)[:2]
    weights = {number: (number + 1) / sum(range(len(found) + 1)) for number in found}
    return fit_members(
        weights,
        refit,
        found,
        FAMILIES,
        train,
        validation,
        usual(task),
        plan(**said),
        clock=lambda: 0.0,
        late=late,
        told=heard,
    )


def parts(model: FittedModel) -> dict[str, FittedModel]:
    return {one.family: one for one, _ in model.members} if isinstance(model, Blend) else {model.family: model}


PAIR = ("linear", "hist_gradient_boosting")


def test_a_member_is_fitted_on_all_rows_with_a_tenth_more_iterations() -> None:
    train, validation, _ = splits("regression")
    heard: list[tuple[int, int]] = []
    model, members = finished(
        "regression",
        candidates("regression", *PAIR),
        {0, 1},
        heard=lambda number, made, _: heard.append((number, made)),
    )
    best = tried(PAIR[1], "regression")[0].best_iteration or 0
    wanted = math.ceil(MORE_ITERATIONS * best)
    again = fit(PAIR[1], train.and_also(validation), None, max_iterations=wanted)
    assert parts(model)[PAIR[1]].canonical() == again.canonical()
    assert [(member.trial, member.iterations, member.refitted) for member in members] == [
        (0, None, True),
        (1, wanted, True),
    ]
    assert [made for number, made in heard if number == 1] == list(range(1, wanted + 1))
    assert sum(member.weight for member in members) == pytest.approx(1)


def test_a_member_that_there_is_no_time_for_stays_as_its_trial_left_it() -> None:
    model, members = finished("binary", candidates("binary", *PAIR), {0})
    assert parts(model)[PAIR[1]] is tried(PAIR[1], "binary")[1]
    assert [member.refitted for member in members] == [True, False]
    assert members[1].iterations == tried(PAIR[1], "binary")[0].best_iteration
    assert members[1].seconds == 0


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_member_whose_model_is_gone_is_fitted_as_its_trial_was(name: str, task: Task) -> None:
    """As after a resumed search: validation rows, which its early stopping was judged on, are not learnt from."""
    model, (member,) = finished(task, candidates(task, name, gone={name}), set())
    as_it_was, test = tried(name, task)[1], splits(task)[2]
    assert not member.refitted
    np.testing.assert_allclose(model.predict(test), as_it_was.predict(test), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", PAIR)
def test_a_final_fit_that_is_late_is_given_up_where_the_trial_left_a_model(name: str) -> None:
    found = candidates("binary", name)
    model, (member,) = finished("binary", found, {0}, late=lambda: True)
    assert model is found[0].model
    assert not member.refitted
    assert member.iterations == found[0].trial.best_iteration
    assert "time was up after 1 of" in str(member.reason)


@pytest.mark.parametrize("name", PAIR)
def test_a_late_final_fit_of_a_member_whose_model_is_gone_makes_its_trials_best_iteration(name: str) -> None:
    """As after a resumed search: there is nothing to fall back upon."""
    found = candidates("binary", name, gone={name})
    model, (member,) = finished("binary", found, {0}, late=lambda: True)
    train, validation, test = splits("binary")
    best = found[0].trial.best_iteration
    assert member.refitted
    assert member.iterations == best
    expected = fit(name, train.and_also(validation), None, max_iterations=best or PLAN.max_iterations)
    np.testing.assert_allclose(model.predict(test), expected.predict(test), rtol=1e-6)
    wanted = math.ceil(MORE_ITERATIONS * (best or 0))
    assert member.reason == (None if best is None else f"time was up after {best} of {wanted} iterations")


def test_a_final_fit_that_ends_early_by_itself_was_not_cut_by_the_clock() -> None:
    """LightGBM ends where it can grow no tree."""
    split = made("binary")
    fitted = Preprocessor.fit(split.train, {"flat": "numeric"}, Encoding(), "binary", split.classes, 0)
    train, validation = (Data.of(fitted.encode(rows), fitted.layout) for rows in (split.train, split.validation))
    left = fit("lightgbm", train, validation, max_iterations=10)
    said = trial(family="lightgbm", params=FAMILIES["lightgbm"].default_params(), best_iteration=1, iterations=1)
    candidate = Candidate(said, left.predict(validation), left)
    _, (member,) = finished("binary", {0: candidate}, {0}, rows=(train, validation))
    assert member.refitted
    assert member.reason is None


@pytest.mark.parametrize(("parallel", "cores"), [(1, 1), (1, 4), (4, 3)])
def test_how_many_fits_run_at_a_time_changes_nothing(parallel: int, cores: int) -> None:
    found = candidates("multiclass", *PAIR)
    model, members = finished("multiclass", found, {0, 1}, parallel=parallel, cores=cores)
    expected, expected_members = finished("multiclass", found, {0, 1})
    assert model.canonical() == expected.canonical()
    assert members == expected_members
