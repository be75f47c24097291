from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.encoding import Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Data, Learning
from training_assets.core.families.blend import Blend
from training_assets.core.families.linear import LinearFamily
from training_assets.core.learning import learning
from training_assets.core.search import Tuned, out_of_fold, search
from training_assets.core.search.choosing import suitable
from training_assets.core.search.memory import Folder
from training_assets.core.search.scores import metric
from training_assets.spec import Encoding, Search, Training
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made

QUICK = ["linear", "hist_gradient_boosting"]


@cache
def splits(task: Task) -> tuple[Data, Data]:
    train, validation, _ = made(task).data()
    return train, validation


def run(
    task: Task = "binary",
    *,
    cores: int = 2,
    clock: Callable[[], float] = time.monotonic,
    say: Callable[[str], None] = lambda _: None,
    data: tuple[Data, Data] | None = None,
    memory: Folder | None = None,
    warm: Any = (),
    exchangeable: bool = False,
    **settings: Any,
) -> Tuned:
    chosen = {"families": QUICK, "trials": 4, "max_iterations": 30, "patience": 10, "budget_seconds": 300, **settings}
    train, validation = data or splits(task)
    spec = Search(**chosen)
    learnt = learning(Training(), task)
    return search(
        train,
        validation,
        spec,
        learnt,
        metric(spec.metric, task, learnt),
        families={name: FAMILIES[name] for name in spec.families or FAMILIES},
        cores=cores,
        clock=clock,
        memory=memory,
        warm=warm,
        exchangeable=exchangeable,
        say=say,
    )


def facts(tuned: Tuned) -> Any:
    """What must not depend on timing."""
    trials = [(trial.number, trial.family, trial.params, trial.score, trial.state) for trial in tuned.study.trials]
    members = [(member.trial, member.weight, member.iterations) for member in tuned.study.members]
    return trials, tuned.study.best, members, tuned.model.canonical()


class Ticking:
    """A clock that moves by a fixed step each time it is read, whoever reads it."""

    def __init__(self, step: float) -> None:
        self.now, self.step, self.lock = 0.0, step, threading.Lock()

    def __call__(self) -> float:
        with self.lock:
            self.now += self.step
            return self.now


class Wavering:
    """The real clock, read after a random pause, so that trials finish in another order each time."""

    def __init__(self, seed: int) -> None:
        self.rng, self.lock = np.random.default_rng(seed), threading.Lock()

    def __call__(self) -> float:
        with self.lock:
            pause = float(self.rng.exponential(0.002))
        time.sleep(pause)
        return time.monotonic()


# The blend


def test_after_many_trials_on_few_rows_the_blend_is_chosen_out_of_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation = splits("binary")
    assert run(trials=6, exchangeable=True).study.out_of_fold is None
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 6)
    assert run(trials=6).study.out_of_fold is None
    assert run(trials=6, exchangeable=True, ensemble="none").study.out_of_fold is None
    lines: list[str] = []
    tuned = run(trials=6, exchangeable=True, say=lines.append)
    assert tuned.study.out_of_fold == train.n_rows + validation.n_rows
    assert any(line.startswith("fold 5 of 5: 6 candidates") for line in lines)
    again = run(trials=6, exchangeable=True)
    assert facts(tuned) == facts(again)


def test_out_of_fold_the_blend_does_not_follow_chance_on_validation_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 4)
    train, validation = splits("binary")
    flipped = validation.frame.with_columns(_target=(1 - pl.col("_target")).cast(pl.Int32))
    against = Data.of(flipped[:40], validation.layout)  # few rows that say the opposite of all others

    def loss(exchangeable: bool) -> float:
        tuned = run(data=(train, against), trials=4, exchangeable=exchangeable, refit=False)
        return metric("log_loss", "binary").score(validation.labels, tuned.model.predict(validation))

    assert loss(exchangeable=True) < loss(exchangeable=False)


def test_folds_that_do_not_get_done_in_time_leave_the_choice_to_validation_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 4)
    monkeypatch.setattr(out_of_fold, "within", lambda trials, *_: list(trials))  # whatever time there is
    lines: list[str] = []
    clock = Ticking(0.02)
    tuned = run(trials=4, exchangeable=True, budget_seconds=6, clock=clock, cores=1, say=lines.append)
    assert any(line.startswith("fold 1 of 5") for line in lines)
    assert tuned.study.out_of_fold is None
    assert tuned.study.seconds < 6.5
    assert tuned.study.members


# The final model


@pytest.mark.parametrize("task", TASKS)
def test_members_are_fitted_again_on_training_and_validation_rows(task: Task) -> None:
    tuned = run(task, families=["catboost", *QUICK], trials=6)
    study = tuned.study
    assert [trial.number for trial in study.trials] == list(range(6))
    assert {trial.state for trial in study.trials} <= {"complete", "pruned"}
    assert study.metric == {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
    assert sum(member.weight for member in study.members) == pytest.approx(1)
    train, validation = splits(task)
    both = train.and_also(validation)
    heaviest = max(study.members, key=lambda member: member.weight)
    trial = study.trials[heaviest.trial]
    again = FAMILIES[trial.family].fit(
        trial.params,
        both,
        None,
        learning=learning(Training(), task),
        threads=1,
        seed=0,
        max_iterations=heaviest.iterations or 30,
        patience=30,
        stop=lambda _iterations, _loss: False,
    )
    first = tuned.model.members[0][0] if isinstance(tuned.model, Blend) else tuned.model
    assert again.canonical() == first.canonical()  # the study is enough to make the model again


@pytest.mark.parametrize("task", TASKS)
def test_the_score_is_that_of_the_blend_before_it_saw_the_validation_rows(task: Task) -> None:
    tuned = run(task, trials=6, refit=False)
    _, validation = splits(task)
    assert not any(member.refitted for member in tuned.study.members)
    assert np.allclose(tuned.model.predict(validation), tuned.validation_predictions, atol=1e-6)
    score = metric(None, task).score(validation.labels, tuned.model.predict(validation))
    assert tuned.study.score == pytest.approx(score, rel=1e-6)


def test_a_single_model_may_be_asked_for() -> None:
    tuned = run(trials=6, ensemble="none")
    assert [member.trial for member in tuned.study.members] == [tuned.study.best]
    assert tuned.model.family == tuned.study.best_trial.family


def test_iterations_of_the_final_fit_are_a_tenth_more() -> None:
    tuned = run(families=["hist_gradient_boosting"], trials=1, max_iterations=200)
    (trial,), (member,) = tuned.study.trials, tuned.study.members
    assert trial.best_iteration is not None
    assert member.iterations == int(np.ceil(1.1 * trial.best_iteration))


# Trials


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_one_trial_at_a_time_gives_the_same_whatever_the_timing(sampler: str) -> None:
    settings: dict[str, Any] = {"trials": 12, "parallel": 1, "cores": 1, "max_iterations": 6, "sampler": sampler}
    first, second = (facts(run(clock=Wavering(seed), **settings)) for seed in (1, 2))
    assert first == second


def test_another_seed_gives_other_trials() -> None:
    assert facts(run(trials=9, seed=1))[0] != facts(run(trials=9, seed=2))[0]


def test_a_grid_is_searched_whole_and_no_more() -> None:
    grid = {"linear": {"l2": [0.1, 1.0]}, "hist_gradient_boosting": {"max_leaf_nodes": [4]}}
    tuned = run(sampler="grid", grid=grid, trials=100)
    assert [trial.family for trial in tuned.study.trials] == ["linear", "hist_gradient_boosting", "linear"]


def test_equal_proposals_are_tried_once() -> None:
    grid = {"linear": {"l2": [1.0] * 6}}
    tuned = run(sampler="grid", grid=grid, families=["linear"], trials=6)
    assert len(tuned.study.trials) == 1


def test_another_metric_decides() -> None:
    study = run("regression", metric="r2").study
    assert (study.metric, study.direction) == ("r2", "higher")
    assert 0.5 < (study.best_trial.score or 0) <= 1


def test_what_was_best_before_is_tried() -> None:
    params = {**FAMILIES["linear"].default_params(), "l2": 3.25}
    study = run(warm=[("linear", params)]).study
    assert [trial.params for trial in study.trials if trial.origin == "warm start"] == [params]


def test_hopeless_trials_are_pruned_and_only_where_that_is_asked_for() -> None:
    settings: dict[str, Any] = {"families": ["hist_gradient_boosting"], "trials": 25, "max_iterations": 60}
    states = {trial.state for trial in run(**settings, parallel=1).study.trials}
    assert states == {"complete", "pruned"}
    assert {trial.state for trial in run(**settings, pruner="none").study.trials} == {"complete"}


# Resuming


def test_a_killed_search_goes_on_and_repeats_no_finished_trial(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"trials": 9, "parallel": 1, "cores": 1, "max_iterations": 6, "pruner": "none"}
    whole = run(**settings)
    lines: list[str] = []

    def killed(line: str) -> None:
        lines.append(line)
        if len(list(tmp_path.glob("*.trial"))) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(memory=Folder(tmp_path), say=killed, clock=Ticking(0.5), **settings)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.trial")}
    assert len(kept) == 5
    resumed = run(memory=Folder(tmp_path), **settings)
    assert [trial.params for trial in resumed.study.trials[:5]] == [trial.params for trial in whole.study.trials[:5]]
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in kept} == kept
    assert len(list(tmp_path.glob("*.trial"))) == 9
    identities = [(trial.family, str(trial.params)) for trial in resumed.study.trials]
    assert len(set(identities)) == 9


def test_the_time_of_the_attempt_before_counts(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"budget_seconds": 60, "parallel": 1, "trials": 1000, "max_iterations": 1000}
    first = run(clock=Ticking(1.0), memory=Folder(tmp_path), **settings)
    again = run(clock=Ticking(1.0), memory=Folder(tmp_path), **settings)
    assert len(again.study.trials) <= len(first.study.trials) + 1
    assert again.study.seconds >= first.study.trials[-1].began


class OnceOutOfMemory(LinearFamily):
    """Fails until there is room again."""

    room = False

    def fit(self, params: Any, train: Data, validation: Data | None, **how: Any) -> Any:
        if not self.room:
            message = "no room"
            raise MemoryError(message)
        return super().fit(params, train, validation, **how)


def test_what_failed_is_tried_anew_when_the_search_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = OnceOutOfMemory()
    monkeypatch.setitem(FAMILIES, "linear", family)
    with pytest.raises(InputError, match="no room"):
        run(memory=Folder(tmp_path), families=["linear"], trials=1)
    family.room = True
    tuned = run(memory=Folder(tmp_path), families=["linear"], trials=1)
    assert [trial.state for trial in tuned.study.trials] == ["complete"]


# Budget


def test_trials_stop_when_time_is_up() -> None:
    tuned = run(clock=Ticking(1.0), budget_seconds=60, parallel=1, trials=1000, max_iterations=1000, patience=1000)
    assert len(tuned.study.trials) < 20
    assert "stopped" in {trial.state for trial in tuned.study.trials}
    assert all(trial.score is not None for trial in tuned.study.trials)
    assert tuned.study.seconds < 60 + 25  # what is still read of the clock after the deadline


def test_the_best_that_was_cut_off_gets_more_time_and_leaves_some_for_its_final_fit() -> None:
    settings: dict[str, Any] = {"families": ["hist_gradient_boosting"], "max_iterations": 5000, "patience": 5000}
    tuned = run(clock=Ticking(0.05), budget_seconds=60, parallel=1, trials=4, **settings)
    first, longer = tuned.study.trials[:2]
    assert [first.state, first.origin, longer.origin] == ["stopped", "portfolio", "longer"]
    assert longer.params == first.params
    assert 2 * first.seconds < longer.seconds < 3 * first.seconds
    assert tuned.study.seconds < 62


def test_however_short_the_budget_one_model_is_fitted() -> None:
    tuned = run(clock=Ticking(1.0), budget_seconds=1e-9, families=["linear", "catboost", "hist_gradient_boosting"])
    assert [trial.state for trial in tuned.study.trials] == ["stopped"]
    assert tuned.study.best == 0
    assert tuned.study.trials[0].score is not None


def test_a_first_trial_that_fails_does_not_count_as_the_one() -> None:
    tuned = run(
        clock=Ticking(1.0),
        budget_seconds=1e-9,
        data=constant_features(),
        sampler="grid",
        families=["catboost", "linear"],
        grid={"catboost": {}, "linear": {}},
    )
    assert [trial.state for trial in tuned.study.trials] == ["failed", "stopped"]
    assert tuned.study.best == 1


def test_a_final_fit_that_runs_out_of_time_is_given_up_for_what_its_trial_left() -> None:
    """Time runs faster in the final fit than trials said: the members are the trials' own models."""
    clock = Ticking(0.01)

    def say(line: str) -> None:
        if line.startswith("final fit"):
            clock.step = 1000.0

    settings: dict[str, Any] = {"families": ["hist_gradient_boosting"], "max_iterations": 60, "patience": 60}
    tuned = run(clock=clock, say=say, budget_seconds=60, trials=3, **settings)
    _, validation = splits("binary")
    assert not any(member.refitted for member in tuned.study.members)
    assert np.allclose(tuned.model.predict(validation), tuned.validation_predictions, atol=1e-6)


class FailsAtLast(LinearFamily):
    """Fits a trial, and breaks in the final fit, as one that runs out of memory does."""

    def fit(self, params: Any, train: Data, validation: Data | None, **how: Any) -> Any:
        if validation is None:
            message = "no room for all rows"
            raise MemoryError(message)
        return super().fit(params, train, validation, **how)


def test_a_final_fit_that_fails_leaves_the_trials_model_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "linear", FailsAtLast())
    tuned = run(families=["linear"], trials=2)
    assert [(member.refitted, member.reason) for member in tuned.study.members] == [
        (False, "MemoryError: no room for all rows")
    ]
    assert np.allclose(tuned.model.predict(splits("binary")[1]), tuned.validation_predictions, atol=1e-6)


def test_real_time_is_kept() -> None:
    began = time.monotonic()
    tuned = run("multiclass", budget_seconds=2.0, trials=10_000, max_iterations=100_000, patience=100_000)
    assert time.monotonic() - began < 12  # of which 10 are for busy machines
    assert len(tuned.study.trials) < 10_000


# Failure


def constant_features() -> tuple[Data, Data]:
    """Rows that CatBoost refuses, and the others learn nothing from."""
    split = made("binary")
    fitted = Preprocessor.fit(split.train, {"flat": "numeric"}, Encoding(), "binary", split.classes, 0)
    train, validation = (Data.of(fitted.encode(rows), fitted.layout) for rows in (split.train, split.validation))
    return train, validation


def test_a_failed_trial_is_recorded_and_the_search_goes_on() -> None:
    lines: list[str] = []
    study = run(data=constant_features(), families=["catboost", "linear"], trials=6, say=lines.append).study
    failed = [trial for trial in study.trials if trial.state == "failed"]
    assert {trial.family for trial in failed} == {"catboost"}
    assert all(trial.score is None and trial.reason and "constant" in trial.reason for trial in failed)
    assert study.best_trial.family == "linear"
    assert any("catboost failed: CatBoostError" in line for line in lines)


def test_where_all_trials_fail_the_reasons_are_told() -> None:
    with pytest.raises(
        InputError, match=r"E_SEARCH: all 2 trials failed: catboost: CatBoostError: .*constant"
    ) as caught:
        run(data=constant_features(), families=["catboost"], trials=2)
    assert str(caught.value).count("constant") == 1  # each reason once


def test_a_parameter_out_of_range_fails_its_own_trial() -> None:
    grid = {"hist_gradient_boosting": {"max_leaf_nodes": [1, 8]}}
    study = run(sampler="grid", grid=grid, families=["hist_gradient_boosting"], trials=2).study
    assert [trial.state for trial in study.trials] == ["failed", "complete"]
    assert "max_leaf_nodes" in (study.trials[0].reason or "")


@pytest.mark.parametrize("split", ["training", "validation"])
def test_rows_of_one_class_are_refused_before_any_trial(split: str) -> None:
    train, validation = splits("binary")
    chosen = train if split == "training" else validation
    one = Data.of(chosen.frame.filter(pl.col("_target") == 1), chosen.layout)
    pair = (one, validation) if split == "training" else (train, one)
    with pytest.raises(InputError, match=f"E_LABEL_CONST: .*{split} rows"):
        run(data=pair)


def test_rows_are_needed() -> None:
    train, validation = splits("binary")
    with pytest.raises(InputError, match=r"E_NO_ROWS: .*validation"):
        run(data=(train, Data.of(validation.frame[:0], validation.layout)))


def test_an_interrupted_search_leaves_no_fit_running() -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run("multiclass", families=QUICK, max_iterations=100_000, patience=100_000, say=interrupt)
    assert time.monotonic() - began < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("trial")]


# Cores


@pytest.mark.parametrize(("cores", "parallel", "most"), [(1, None, 1), (2, None, 2), (4, 2, 2), (2, 3, 3)])
def test_trials_run_side_by_side_as_the_spec_says(cores: int, parallel: int | None, most: int) -> None:
    seen: set[str] = set()

    def clock() -> float:
        seen.add(threading.current_thread().name)
        time.sleep(0.02)  # long enough that no trial ends before the others have begun
        return time.monotonic()

    grid = {"linear": {"l2": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}}
    settings: dict[str, Any] = {"families": ["linear"], "sampler": "grid", "grid": grid, "trials": 6}
    run(clock=clock, cores=cores, parallel=parallel, max_iterations=2, **settings)
    assert len([name for name in seen if name.startswith("trial")]) == most


# Families


def test_families_that_cannot_learn_what_is_asked_are_left_out_or_refused(tmp_path: Path) -> None:
    layout = splits("regression")[0].layout
    quantile = Learning("quantile", 0.9)
    able = suitable(None, layout, quantile, tmp_path)
    assert "linear" not in able
    assert {"catboost", "hist_gradient_boosting", "lightgbm"} <= set(able)
    with pytest.raises(InputError, match=r"E_FAMILY: search.families names linear, but"):
        suitable(["catboost", "linear"], layout, quantile, tmp_path)
