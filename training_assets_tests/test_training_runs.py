"""What a run shows of its search, how the next run learns from it, and what a killed one leaves to the next."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import mlflow
import pytest

from training_assets.core.search import Study
from training_assets.resources.places import Places
from training_assets_tests.project_copy import Copy
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, metadata_of, workplace

OWN = "own_family_of_a_run"
SOURCE = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

class Bolder(LogisticRegression):
    def predict_proba(self, X):
        raised = super().predict_proba(X) ** 1.25
        return raised / raised.sum(axis=1, keepdims=True)

def factory():
    return make_pipeline(StandardScaler(), Bolder())

def factory_space(trial):
    return {"bolder__C": trial.suggest_float("C", 0.01, 10.0, log=True)}
"""


class Runs(NamedTuple):
    """Two runs of one place: the second one with more rows."""

    place: Workplace
    first: dg.ExecuteInProcessResult
    staged: dg.ExecuteInProcessResult
    second: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with workplace(tmp_path_factory.mktemp("runs")) as plain:
        (plain.root / f"{OWN}.py").write_text(SOURCE)
        search = {**SPEC["search"], "families": [f"{OWN}:factory", "linear"], "trials": 6}
        place = plain.with_spec(search=search)
        place.land("2026-01.csv", customers(500, seed=1))
        first, staged = place.train(), place.stage()
        place.land("2026-02.csv", customers(400, seed=2))
        yield Runs(place, first, staged, place.train())


def tuned(runs: Runs, result: dg.ExecuteInProcessResult) -> tuple[dict[str, Any], Study]:
    """Facts and study of a run's tuned model."""
    artifacts: Any = (runs.place.definitions().resources or {})["artifacts"]
    artifact = artifacts.of_run(MODEL, result.run_id, "tuned_model").artifact
    return artifact.facts, Study.from_json(artifact.json("study.json"))


def test_an_estimator_of_the_users_own_goes_all_the_way_to_staging(runs: Runs) -> None:
    assert runs.first.success, failures(runs.first)
    assert runs.staged.success, failures(runs.staged)
    _, study = tuned(runs, runs.first)
    own = [trial for trial in study.trials if trial.family == f"{OWN}:factory"]
    assert {trial.state for trial in own} == {"complete"}
    assert len({trial.params["bolder__C"] for trial in own}) > 1
    assert any(study.trials[member.trial].family == f"{OWN}:factory" for member in study.members)
    assert metadata_of(runs.staged, "staged_version")["version"] == 1
    assert metadata_of(runs.staged, "staged_version")["largest_difference"] <= 1e-9
    assert runs.place.places.ledger.pointer(MODEL, "staging") == "1"


def test_every_trial_is_a_run_below_the_trainings_run(runs: Runs) -> None:
    client = mlflow.MlflowClient(tracking_uri=runs.place.places.mlflow_uri)
    found = client.get_experiment_by_name(MODEL)
    assert found is not None
    experiment = found.experiment_id
    for result in (runs.first, runs.second):
        (above,) = client.search_runs([experiment], f"tags.dagster_run_id = '{result.run_id}'")
        below = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{above.info.run_id}'")
        _, study = tuned(runs, result)
        assert {int(run.data.tags["trial"]) for run in below} == {trial.number for trial in study.trials}
        for run in below:
            trial = study.trials[int(run.data.tags["trial"])]
            assert run.data.tags["family"] == trial.family
            assert run.data.metrics[study.metric] == pytest.approx(trial.score)
            assert run.info.status == "FINISHED"
        heaviest = max(study.members, key=lambda member: member.weight)
        weights = {int(run.data.tags["trial"]): run.data.metrics.get("weight") for run in below}
        assert weights[heaviest.trial] == pytest.approx(heaviest.weight)


def test_the_materialisation_shows_pictures_and_tables_of_the_search(runs: Runs) -> None:
    shown = metadata_of(runs.first, "tuned_model")
    _, study = tuned(runs, runs.first)
    for picture in ("search_history", "learning_curves"):
        assert shown[picture].startswith("!["), picture
        assert "data:image/png;base64" in shown[picture]
    for table in ("final_model", "best_trials", "best_parameters", "families"):
        assert shown[table].startswith("| "), table
    assert shown["members"] == len(study.members) == shown["final_model"].count("\n") - 1
    assert shown["trials"] == len(study.trials) == 6
    assert f"{OWN}:factory" in shown["families"]
    assert shown["roc_auc"] == pytest.approx(study.score)


def test_the_next_run_tries_first_what_was_best_before(runs: Runs) -> None:
    assert runs.second.success, failures(runs.second)
    (facts, study), (before, earlier) = tuned(runs, runs.second), tuned(runs, runs.first)
    assert before["warm_start"] is None
    assert facts["warm_start"] == metadata_of(runs.first, "tuned_model")["candidate"]
    members = [(earlier.trials[member.trial].family, earlier.trials[member.trial].params) for member in earlier.members]
    warm = [(trial.family, trial.params) for trial in study.trials if trial.origin == "warm start"]
    assert warm
    assert all(each in members for each in warm)
    assert sorted(runs.place.versions()) == ["1", "2"]


# Killed

TRIALS = 6
KILLED_AFTER = 2  # trials


@pytest.mark.slow
def test_a_run_killed_in_its_search_leaves_finished_trials_to_the_next(tmp_path: Path) -> None:
    command = Copy(tmp_path)
    customers(2000, seed=1).drop("left_on").write_csv(command.root / "churn.csv")
    command("init", "churn.csv", "--target", "churned")
    search = {"families": ["hist_gradient_boosting"], "trials": TRIALS, "max_iterations": 300, "patience": 300}
    command.edit(MODEL, search={**search, "parallel": 1, "pruner": "none"})
    home = command.root / "home"
    process = command.start("run", MODEL)
    deadline = time.monotonic() + 60
    while len(list(home.rglob("*.trial"))) < KILLED_AFTER and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    said, _ = process.communicate()
    kept = {path.name: path.read_bytes() for path in home.rglob("*.trial")}
    assert KILLED_AFTER <= len(kept) < TRIALS, said
    lines = command("run", MODEL)
    assert f"{len(kept)} finished trials of the attempt before are taken up" in lines
    assert list(home.rglob("*.trial")) == [], "what is finished leaves nothing unfinished behind"
    (path,) = (home / "artifacts").rglob("tuned_model/study.json")
    trials = Study.from_json(json.loads(path.read_bytes())).trials
    finished = [json.loads(content.partition(b"\n")[0])["trial"] for _, content in sorted(kept.items())]
    assert [(trial.params, trial.score, trial.seconds) for trial in trials[: len(kept)]] == [
        (each["params"], each["score"], each["seconds"]) for each in finished
    ]
    assert len(trials) == TRIALS
    assert len({json.dumps(trial.params, sort_keys=True) for trial in trials}) == TRIALS
    places = Places(command.root, home)
    assert places.ledger.first_broken() is None
    assert len(places.ledger.events(MODEL, "registered")) == 1


def test_a_deleted_experiment_is_refused_with_the_command_that_brings_it_back(tmp_path: Path) -> None:
    with workplace(tmp_path / "place") as place:
        place.land("2026-01.csv", customers(300, seed=1))
        assert place.train().success
        client = mlflow.MlflowClient(tracking_uri=place.places.mlflow_uri)
        number = client.get_experiment_by_name(MODEL).experiment_id
        client.delete_experiment(number)
        place.land("2026-02.csv", customers(300, seed=2))
        refused = place.train()
        assert not refused.success
        assert f"mlflow experiments restore -x {number}" in " ".join(failures(refused))
        client.restore_experiment(number)
        assert place.train().success
