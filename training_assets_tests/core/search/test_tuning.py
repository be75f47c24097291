from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.encoding import Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families import Data
from training_assets.core.search import Tuned, search
from training_assets.spec import Encoding, Search
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
    progress: Callable[[str], None] = lambda _: None,
    data: tuple[Data, Data] | None = None,
    **settings: Any,
) -> Tuned:
    chosen = {"families": QUICK, "trials": 4, "max_iterations": 30, "patience": 10, "budget_seconds": 300, **settings}
    train, validation = data or splits(task)
    return search(train, validation, Search(**chosen), task, cores=cores, clock=clock, progress=progress)


def facts(tuned: Tuned) -> Any:
    """What must not depend on timing."""
    trials = [(trial.number, trial.family, trial.params, trial.score, trial.state) for trial in tuned.study.trials]
    return trials, tuned.study.best, tuned.model.canonical()


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


@pytest.mark.parametrize("task", TASKS)
def test_the_best_trials_model_is_given(task: Task) -> None:
    tuned = run(task, families=["catboost", *QUICK], trials=5)
    study = tuned.study
    assert [trial.number for trial in study.trials] == list(range(5))
    assert {trial.state for trial in study.trials} == {"complete"}
    scores = [trial.score for trial in study.trials if trial.score is not None]
    assert study.best_trial.score == (max(scores) if study.direction == "higher" else min(scores))
    assert tuned.model.family == study.best_trial.family
    assert tuned.model.best_iteration == study.best_trial.best_iteration
    _, validation = splits(task)
    assert study.metric == {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
    if task == "regression":
        misses = tuned.model.predict(validation) - validation.y
        assert study.best_trial.score == pytest.approx(np.sqrt(np.mean(misses**2)))


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_the_same_seed_gives_the_same_trials_and_model_whatever_the_timing(parallel: int) -> None:
    settings: dict[str, Any] = {"trials": 14, "parallel": parallel, "cores": parallel, "max_iterations": 4}
    first, second = (facts(run(clock=Wavering(seed), **settings)) for seed in (1, 2))
    assert first == second


def test_another_seed_gives_other_trials() -> None:
    assert facts(run(trials=6, seed=1))[0] != facts(run(trials=6, seed=2))[0]


def test_a_grid_is_searched_whole_and_no_more() -> None:
    grid = {"linear": {"l2": [0.1, 1.0]}, "hist_gradient_boosting": {"max_leaf_nodes": [4]}}
    tuned = run(sampler="grid", grid=grid, trials=100)
    assert len(tuned.study.trials) == 3
    assert run(sampler="grid", grid=grid, trials=2).study.trials[1].family == "hist_gradient_boosting"


def test_of_equal_scores_the_first_wins() -> None:
    grid = {"linear": {"l2": [1.0] * 6}}
    tuned = run(sampler="grid", grid=grid, families=["linear"], trials=6, clock=Wavering(0))
    assert len({trial.score for trial in tuned.study.trials}) == 1
    assert tuned.study.best == 0


def test_another_metric_decides() -> None:
    study = run("regression", metric="r2").study
    assert (study.metric, study.direction) == ("r2", "higher")
    assert 0.5 < (study.best_trial.score or 0) <= 1


# Progress


def test_each_trial_has_a_line() -> None:
    lines: list[str] = []
    run(trials=3, parallel=1, budget_seconds=60, progress=lines.append)
    pattern = r"trial (\d) of 3 · (linear|hist_gradient_boosting) · roc_auc 0\.\d{4} \(best 0\.\d{4}\) · \d+ s of 60 s"
    found = [re.fullmatch(pattern, line) for line in lines]
    assert [match and match[1] for match in found] == ["1", "2", "3"]


def test_a_failed_trial_has_its_reason_in_its_line() -> None:
    lines: list[str] = []
    run(data=constant_features(), families=["catboost", "linear"], trials=2, progress=lines.append)
    assert any(
        re.match(r"trial 2 of 2 · catboost · failed: CatBoostError: .*constant.* · \d+ s of", line) for line in lines
    )


# Budget


def test_trials_stop_when_time_is_up() -> None:
    tuned = run(clock=Ticking(1.0), budget_seconds=60, parallel=1, trials=1000, max_iterations=1000, patience=1000)
    assert len(tuned.study.trials) < 20
    last = tuned.study.trials[-1]
    assert last.state == "stopped"
    assert last.score is not None
    assert tuned.study.seconds < 60 + 15  # what a trial still reads of the clock after the deadline


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


def test_real_time_is_kept() -> None:
    began = time.monotonic()
    tuned = run("multiclass", budget_seconds=1.0, trials=10_000, max_iterations=100_000, patience=100_000)
    assert time.monotonic() - began < 10  # of which 9 are for busy machines: the deadline itself is met within a tree
    assert tuned.study.trials[-1].state == "stopped"


# Failure


def constant_features() -> tuple[Data, Data]:
    """Rows that CatBoost refuses, and the others learn nothing from."""
    split = made("binary")
    fitted = Preprocessor.fit(split.train, {"flat": "numeric"}, Encoding(), "binary", split.classes, 0)
    train, validation = (Data.of(fitted.encode(rows), fitted.layout) for rows in (split.train, split.validation))
    return train, validation


def test_a_failed_trial_is_recorded_and_the_search_goes_on() -> None:
    study = run(data=constant_features(), families=["catboost", "linear"], trials=6).study
    failed = [trial for trial in study.trials if trial.state == "failed"]
    assert {trial.family for trial in failed} == {"catboost"}
    assert all(trial.score is None and trial.reason and "constant" in trial.reason for trial in failed)
    assert study.best_trial.family == "linear"


def test_where_all_trials_fail_the_reasons_are_told() -> None:
    with pytest.raises(
        InputError, match=r"E_SEARCH: all 3 trials failed: catboost: CatBoostError: .*constant"
    ) as caught:
        run(data=constant_features(), families=["catboost"], trials=3)
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


def test_an_unknown_metric_is_refused_before_any_trial() -> None:
    with pytest.raises(InputError, match="E_METRIC"):
        run(metric="rmse")


def test_an_interrupted_search_leaves_no_fit_running() -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(
            "multiclass",
            families=["linear", "hist_gradient_boosting"],
            max_iterations=100_000,
            patience=100_000,
            progress=interrupt,
        )
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

    grid = {"linear": {"l2": [1.0] * 6}}
    settings: dict[str, Any] = {"families": ["linear"], "sampler": "grid", "grid": grid, "trials": 6}
    run(clock=clock, cores=cores, parallel=parallel, max_iterations=2, **settings)
    assert len([name for name in seen if name.startswith("trial")]) == most
