"""Ensemble selection: the time that is kept back for it, and by which rows members are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from training_assets.core.encoding.target_transform import TargetTransform
from training_assets.core.families import FAMILIES, Data
from training_assets.core.learning import learning
from training_assets.core.search import out_of_fold
from training_assets.core.search.budget import Budget
from training_assets.core.search.candidates import Candidate
from training_assets.core.search.finishing import Plan, seconds_for
from training_assets.core.search.scores import metric
from training_assets.core.search.selection import Selection
from training_assets.spec import Training
from training_assets.spec.target import Task
from training_assets_tests.core.families.fits import fit, splits
from training_assets_tests.core.search.made_trials import trial

NAMES = ("linear", "hist_gradient_boosting", "extra_trees")
BUDGET = 100.0


@cache
def candidates(task: Task) -> list[Candidate]:
    train, validation, _ = splits(task)
    scored = metric(None, task)
    found = []
    for number, name in enumerate(NAMES):
        model = fit(name, train, validation, max_iterations=10, patience=10)
        predicted = model.predict(validation)
        score = scored.score(validation.labels, validation.transform.back(predicted))
        said = trial(number, family=name, params=FAMILIES[name].default_params(), score=score, seconds=1.0 + number)
        found.append(Candidate(said, predicted, model))
    return found


def selection(task: Task = "binary", *, exchangeable: bool = True, **planned: Any) -> Selection:
    train, validation, _ = splits(task)
    said = {"refit": True, "most": 5, "cores": 2, "parallel": 2, "max_iterations": 10, "seed": 0, **planned}
    made = Selection(
        train, validation, FAMILIES, learning(Training(), task), metric(None, task), Plan(**said), exchangeable
    )
    for each in candidates(task):
        assert made.add(each)
    return made


def chosen(made: Selection, times: Sequence[float] = (0.0,)) -> tuple[dict[int, float], int | None]:
    """Choose by a clock that shows these times, the last one for ever."""
    shown = list(times)

    def clock() -> float:
        return shown.pop(0) if len(shown) > 1 else shown[0]

    return made.weights(Budget(BUDGET, clock, made.plan.parallel, 0.0), lambda _: None)


def all_rows(task: Task) -> int:
    train, validation, _ = splits(task)
    return train.n_rows + validation.n_rows


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("least", [1, 4])
def test_weights_are_shares_of_at_most_so_many(task: Task, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", least)
    weights, judges = chosen(selection(task, most=2))
    assert sum(weights.values()) == pytest.approx(1)
    assert 1 <= len(weights) <= 2
    assert set(weights) <= {0, 1, 2}
    assert judges == (all_rows(task) if least == 1 else None)


def test_with_a_transform_a_blend_is_judged_as_it_is_served() -> None:
    """In what they learnt, one member errs as far down as the other up; turned back, the mean of both is right."""
    _, validation, _ = splits("regression")
    logarithms = Data.of(validation.frame, validation.layout, transform=TargetTransform("log"))
    made = replace(selection("regression", exchangeable=False), validation=logarithms)
    for number, error in enumerate((-0.5, 0.5)):
        made.add(Candidate(trial(number, family=NAMES[number], score=1.0), logarithms.y + error, None))
    assert chosen(made)[0] == {0: 0.5, 1: 0.5}


def test_a_single_model_is_the_one_that_validation_rows_say_is_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 1)
    made = selection(most=1)
    weights, judges = chosen(made)
    assert weights == {made.candidates.ranked()[0]: 1.0}
    assert judges is None


def test_rows_that_are_not_exchangeable_are_dealt_to_no_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 1)
    assert chosen(selection(exchangeable=False))[1] is None


def test_trials_that_are_no_candidates_any_more_count_among_the_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 30)
    made = selection()
    first = candidates("binary")[0]
    for number in range(3, 29):
        worse = trial(number, family="linear", score=-float(number))
        made.add(Candidate(worse, first.predictions, None))
    assert chosen(made)[1] is None
    assert len(made.candidates.kept) < 29
    made.add(Candidate(trial(29, family="linear", score=-29.0), first.predictions, None))
    judged: list[int] = []
    monkeypatch.setattr(out_of_fold, "out_of_fold", lambda numbers, *_, **__: judged.extend(numbers))
    assert chosen(made)[1] is None  # no fold got done
    assert set(NAMES) == {made.candidates.kept[number].trial.family for number in judged}


def test_time_that_is_up_leaves_the_choice_to_validation_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 1)
    made = selection()
    by_validation_rows, _ = chosen(selection(exchangeable=False))
    assert chosen(made, (BUDGET + 1,)) == (by_validation_rows, None)  # before the first fold
    assert chosen(made, (0.0, 0.0, BUDGET + 1)) == (by_validation_rows, None)  # in the midst of it


def test_time_is_kept_back_for_the_final_fits_and_for_fits_without_a_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    made = selection(exchangeable=False)
    weights, _ = chosen(made)
    members = [made.candidates.kept[number].trial for number in weights]
    final = seconds_for(members, made.plan, made.growth)
    assert made.seconds_to_finish(BUDGET) == pytest.approx(final)
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 1)
    made = selection()
    trials = [each.trial for each in candidates("binary")]
    folds = out_of_fold.seconds_for(trials, made.plan, made.growth)
    assert made.seconds_to_finish(BUDGET) == pytest.approx(final + folds)
    assert made.seconds_to_finish(1.0) == pytest.approx(final)  # a quarter of a second is no time for all families


def test_without_final_fits_no_time_is_kept_back_for_them() -> None:
    assert selection(refit=False).seconds_to_finish(BUDGET) == 0
