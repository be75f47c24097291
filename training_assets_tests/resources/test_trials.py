"""Trials as nested MLflow runs, in a real SQLite store."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training_assets.core.search.study import Study, Trial
from training_assets.resources import trials as nested
from training_assets.resources.trials import MOST, POINTS, log_trials
from training_assets_tests.core.plots.studies import study_of

BEGAN = 1_800_000_000_000


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """MLflow on a store of its own with one experiment; its tables take seconds to make."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import mlflow
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    folder: Path = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.create_experiment("flights", artifact_location=str(folder / "artifacts"))
    yield mlflow
    mlflow.set_tracking_uri(before)


@pytest.fixture
def store(mlflow: Any) -> Any:
    return mlflow.MlflowClient()


@pytest.fixture
def parent(mlflow: Any, store: Any) -> Iterator[str]:
    """The active run of a training."""
    experiment = store.get_experiment_by_name("flights").experiment_id
    run = store.create_run(experiment, BEGAN, {"model": "flights"})
    with mlflow.start_run(run_id=run.info.run_id):
        yield str(run.info.run_id)


def below(store: Any, parent: str) -> dict[int, Any]:
    """Nested runs by number of trial, each once."""
    experiment = store.get_run(parent).info.experiment_id
    found = [run for run in store.search_runs([experiment]) if run.data.tags.get("mlflow.parentRunId") == parent]
    runs = {int(run.data.tags["trial"]): run for run in found}
    assert len(runs) == len(found)
    return runs


STUDY = study_of(10)
KEPT = STUDY.members[0].trial


def test_each_trial_is_a_nested_run_with_all_that_is_known_of_it(mlflow: Any, store: Any, parent: str) -> None:
    assert log_trials(mlflow, STUDY) == 10
    runs = below(store, parent)
    assert sorted(runs) == list(range(10))
    trial = next(trial for trial in STUDY.trials if trial.curve and trial.number == 0)
    run = runs[0]
    assert run.info.run_name == "trial 0 · catboost"
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == pytest.approx(1000 * trial.seconds, abs=1)
    assert run.info.end_time <= BEGAN
    assert run.data.params == {name: str(value) for name, value in trial.params.items()}
    assert run.data.metrics["roc_auc"] == trial.score
    assert run.data.metrics["best_iteration"] == trial.best_iteration
    assert {"family": "catboost", "origin": "portfolio", "state": "complete", "model": "flights"}.items() <= (
        run.data.tags.items()
    )
    assert runs[KEPT].data.metrics["weight"] == pytest.approx(STUDY.members[0].weight)
    assert "weight" not in runs[4].data.metrics


def test_the_curve_keeps_its_ends(mlflow: Any, store: Any, parent: str) -> None:
    log_trials(mlflow, STUDY)
    logged = store.get_metric_history(below(store, parent)[0].info.run_id, "validation_log_loss")
    points = sorted((point.step, point.value) for point in logged)
    curve = STUDY.trials[0].curve
    assert len(curve) > POINTS == len(points)
    assert (points[0], points[-1]) == (curve[0], curve[-1])
    assert set(points) <= set(curve)


def test_a_run_ends_as_its_trial_did(mlflow: Any, store: Any, parent: str) -> None:
    log_trials(mlflow, STUDY)
    ended = {number: run.info.status for number, run in below(store, parent).items()}
    states = {trial.number: trial.state for trial in STUDY.trials}
    assert set(states.values()) == {"complete", "pruned", "stopped", "failed"}
    words = {"complete": "FINISHED", "pruned": "KILLED", "stopped": "KILLED", "failed": "FAILED"}
    assert ended == {number: words[state] for number, state in states.items()}
    failed = next(run for number, run in below(store, parent).items() if states[number] == "failed")
    assert failed.data.tags["reason"] == "ValueError: two lines\nof it"
    assert "roc_auc" not in failed.data.metrics


def test_a_second_call_adds_nothing(mlflow: Any, store: Any, parent: str) -> None:
    assert log_trials(mlflow, STUDY) == 10
    first = {number: run.info.run_id for number, run in below(store, parent).items()}
    assert log_trials(mlflow, STUDY) == 0
    assert {number: run.info.run_id for number, run in below(store, parent).items()} == first


@pytest.mark.parametrize("dies_in", ["create_run", "log_batch", "set_terminated"])
@pytest.mark.parametrize("then_killed", [False, True])
def test_what_a_crash_left_is_completed(
    mlflow: Any, store: Any, parent: str, monkeypatch: pytest.MonkeyPatch, dies_in: str, then_killed: bool
) -> None:
    whole = getattr(type(store), dies_in)
    calls = iter(range(100))

    def dying(*arguments: Any, **named: Any) -> Any:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return whole(*arguments, **named)

    monkeypatch.setattr(type(store), dies_in, dying)
    with pytest.raises(KeyboardInterrupt):
        log_trials(mlflow, STUDY)
    monkeypatch.undo()
    for run in below(store, parent).values():
        if then_killed and run.info.status == "RUNNING":
            store.set_terminated(run.info.run_id, "KILLED")
    assert log_trials(mlflow, STUDY) == 7
    assert log_trials(mlflow, STUDY) == 0
    runs = below(store, parent)
    assert sorted(runs) == list(range(10))
    assert all(
        runs[trial.number].data.metrics.get("roc_auc") == trial.score
        and runs[trial.number].data.params.keys() == trial.params.keys()
        for trial in STUDY.trials
    )


def test_two_trainings_keep_their_trials_apart(mlflow: Any, store: Any, parent: str) -> None:
    other = store.create_run(store.get_run(parent).info.experiment_id, BEGAN).info.run_id
    assert log_trials(mlflow, study_of(3)) == 3
    with mlflow.start_run(run_id=other, nested=True):
        assert log_trials(mlflow, study_of(2)) == 2
    assert len(below(store, parent)) == 3
    assert len(below(store, other)) == 2


def test_of_very_many_trials_the_best_are_kept() -> None:
    study = study_of(3 * MOST)
    kept = nested._best(study)
    assert [trial.number for trial in kept] == sorted(trial.number for trial in kept)
    assert len(kept) == MOST
    assert {member.trial for member in study.members} <= {trial.number for trial in kept}
    lower = replace(study, direction="lower")
    worst = min((trial for trial in study.trials if trial.score is not None), key=lambda trial: trial.score or 0)
    assert worst in nested._best(lower)
    assert worst not in kept
    blended = replace(study, members=[*study.members, replace(study.members[0], trial=worst.number)])
    assert worst in nested._best(blended)


def test_names_and_values_that_mlflow_refuses_are_made_fit(mlflow: Any, store: Any, parent: str) -> None:
    odd = {"a(b)=c": "x" * 10_000, "list": [1, 2], "none": None, "ä": True}
    trial = Trial(0, "my.own:make", odd, "grid", 0.5, "complete", 1.0, 0.0, None, None, None, [(1, float("nan"))])
    study = Study("my.own:metric", "higher", [trial], 0, [], 0.5, 1.0, 60.0)
    assert log_trials(mlflow, study) == 1
    run = below(store, parent)[0]
    assert run.data.params["a_b__c"] == "x" * 500
    assert run.data.params["list"] == "[1, 2]"
    assert run.data.metrics == {"my.own:metric": 0.5, "seconds": 1.0}
