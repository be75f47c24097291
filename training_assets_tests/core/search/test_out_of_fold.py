"""Out-of-fold predictions: when they are worth their time, that they are of rows never learnt from, and their blend."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.families import FAMILIES, Data
from training_assets.core.families.linear import LinearFamily
from training_assets.core.search import out_of_fold
from training_assets.core.search.blending import folds_of
from training_assets.core.search.candidates import Candidate
from training_assets.core.search.finishing import SAVED, Plan
from training_assets.core.search.out_of_fold import FOLDS, seconds_for, suits, within
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS
from training_assets_tests.core.families.fits import fit, splits, usual
from training_assets_tests.core.search.made_trials import trial

PLAN = Plan(refit=True, most=5, cores=2, parallel=2, max_iterations=20, seed=0)
GROWTH = 1.2


def with_labels(data: Data, labels: Any) -> Data:
    kept = data.frame.get_column("_target").dtype
    return Data.of(data.frame.with_columns(_target=pl.Series(labels, dtype=kept)), data.layout)


# When


@pytest.mark.parametrize("task", TASKS)
def test_it_suits_few_rows_that_differ(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation, _ = splits(task)
    assert suits(train, validation)
    monkeypatch.setattr(out_of_fold, "MOST_ROWS", validation.n_rows - 1)
    assert not suits(train, validation)


def test_copies_of_rows_would_be_known_by_heart() -> None:
    train, validation, _ = splits("binary")
    assert not suits(train.and_also(train), validation)


def test_each_fold_must_be_able_to_do_without_the_rows_of_the_rarest_class() -> None:
    train, validation, _ = splits("multiclass")
    labels = np.where(train.labels == 2, 1, train.labels)
    labels[: FOLDS - 1] = 2
    without = with_labels(validation, np.zeros(validation.n_rows, dtype=np.int32))
    assert not suits(with_labels(train, labels), without)
    labels[:FOLDS] = 2
    assert suits(with_labels(train, labels), without)


def test_the_time_is_that_of_as_many_fits_as_there_are_folds_each_without_one() -> None:
    trials = [trial(0, seconds=10.0, best_iteration=30, iterations=100), trial(1, seconds=5.0)]
    assert seconds_for(trials, PLAN, GROWTH) == pytest.approx(SAVED * FOLDS * 0.8 * GROWTH * (3.0 + 5.0) / 2)
    assert seconds_for([], PLAN, GROWTH) == 0


def test_as_many_as_there_is_time_for_but_no_family_is_left_out() -> None:
    order = [trial(4, family="a", seconds=1.0), trial(2, family="b", seconds=1.0), trial(3, family="a", seconds=1.0)]
    one = Plan(**{**vars(PLAN), "parallel": 1})

    def numbers(seconds: float) -> list[int]:
        return [each.number for each in within(order, one, 1.0, SAVED * (FOLDS - 1) * seconds)]

    assert numbers(3.1) == [4, 2, 3]
    assert numbers(2.1) == [4, 2]
    assert numbers(1.1) == numbers(-1.0) == []


# What


def predicted(train: Data, validation: Data, task: Task, late: Any = lambda: False) -> Any:
    said: list[str] = []
    best = trial(7, family="lightgbm", params=FAMILIES["lightgbm"].default_params(), best_iteration=8, iterations=20)
    found = out_of_fold.out_of_fold(
        [7],
        {7: Candidate(best, None, None)},
        FAMILIES,
        train,
        validation,
        usual(task),
        PLAN,
        late=late,
        say=said.append,
    )
    assert said[0] == f"fold 1 of 5: 1 candidates on {train.n_rows + validation.n_rows:,} rows, to choose the blend by"
    return found


@pytest.mark.parametrize("task", TASKS)
def test_each_row_is_predicted_by_a_fit_of_the_best_iterations_without_its_fold(task: Task) -> None:
    train, validation, _ = splits(task)
    found = predicted(train, validation, task)
    assert found is not None
    rows, said = found
    fold = folds_of(rows.labels, FOLDS)
    for part in range(FOLDS):
        expected = fit("lightgbm", rows.where(fold != part), None, max_iterations=8, patience=8)
        np.testing.assert_allclose(said[7][fold == part], expected.predict(rows.where(fold == part)), rtol=1e-6)


def test_the_labels_of_a_fold_do_not_move_what_is_said_of_it() -> None:
    train, validation, _ = splits("regression")
    rows, said = predicted(train, validation, "regression")
    fold = folds_of(rows.labels, FOLDS)  # of a regression they do not depend on the labels
    poisoned = rows.labels + 1e6 * (fold == 3)
    at = train.n_rows
    again = predicted(with_labels(train, poisoned[:at]), with_labels(validation, poisoned[at:]), "regression")[1]
    np.testing.assert_array_equal(said[7][fold == 3], again[7][fold == 3])
    assert not np.allclose(said[7][fold != 3], again[7][fold != 3])


class Failing(LinearFamily):
    """One that cannot learn from the rows without the second fold."""

    made = 0

    def fit(self, *rows: Any, **settings: Any) -> Any:
        Failing.made += 1
        if Failing.made == 2:
            message = "no convergence"
            raise ArithmeticError(message)
        return super().fit(*rows, **settings)


@pytest.mark.parametrize("others", [["linear"], []])
def test_a_candidate_whose_fit_fails_is_left_out_and_said_so(others: list[str]) -> None:
    train, validation, _ = splits("binary")
    families = {**FAMILIES, "failing": Failing()}
    Failing.made = 0
    trials = [trial(number, family=name) for number, name in enumerate(["failing", *others])]
    candidates = {each.number: Candidate(each, None, None) for each in trials}
    one = Plan(**{**vars(PLAN), "parallel": 1})
    said: list[str] = []
    found = out_of_fold.out_of_fold(
        list(candidates), candidates, families, train, validation, usual("binary"), one,
        late=lambda: False, say=said.append,
    )  # fmt: skip
    assert "trial 0 has no say in the blend: ArithmeticError: no convergence" in said
    assert (None if found is None else list(found[1])) == ([1] if others else None)
    assert found is None or np.isfinite(found[1][1]).all()


def test_where_time_is_up_there_are_none() -> None:
    train, validation, _ = splits("binary")
    asked = iter([False] * 30 + [True] * 1000)  # up in the middle of a fit of the second fold
    assert predicted(train, validation, "binary", late=lambda: next(asked)) is None
