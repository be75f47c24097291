"""Killed anywhere or run twice at once: nothing is half-written, and the next run finishes the work once."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from training_assets.resources.places import Places
from training_assets_tests.project_copy import Copy
from training_assets_tests.workplace import customers

MODEL = "churn"


@pytest.fixture
def command(tmp_path: Path) -> Copy:
    made = Copy(tmp_path)
    customers(2000, seed=1).drop("left_on").write_csv(made.root / "churn.csv")
    made("init", "churn.csv", "--target", "churned")
    made.edit(MODEL, search={"families": ["linear"], "trials": 2})
    return made


def whole(command: Copy) -> None:
    """One version, each row once, a ledger without a break."""
    from mlflow import MlflowClient

    places = Places(command.root, command.root / "home")
    client = MlflowClient(tracking_uri=places.mlflow_uri, registry_uri=places.mlflow_uri)
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 1
    (raw,) = (places.home / "tables" / MODEL).glob("raw_data-*")
    assert places.tables.rows(MODEL, raw.name) == 2000
    assert places.ledger.first_broken() is None
    for kind in ("registered", "verdict", "staging_moved", "batch_ingested"):
        assert len(places.ledger.events(MODEL, kind)) == 1, kind
    assert places.ledger.pointer(MODEL, "staging") == "1"
    aliases = client.get_registered_model(MODEL).aliases
    assert {alias: str(version) for alias, version in aliases.items()} == {"challenger": "1"}


@pytest.mark.slow
def test_killed_at_any_moment_the_next_run_finishes_once(command: Copy) -> None:
    started = time.monotonic()
    quick = command("run", MODEL, "--json")
    seconds = time.monotonic() - started
    assert json.loads(quick)["version"] == "1"
    for path in sorted((command.root / "home").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for moment in range(1, 13):
        process = command.start("run", MODEL)
        time.sleep(seconds * moment / 12)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    outcome = json.loads(command("run", MODEL, "--json"))
    assert (outcome["verdict"], outcome["version"], outcome["staged"]) == ("PASS", "1", "1")
    whole(command)


def test_two_runs_at_once_register_one_version(command: Copy) -> None:
    processes = [command.start("run", MODEL, "--json") for _ in range(2)]
    said = [(*process.communicate(), process.returncode) for process in processes]
    assert [status for *_, status in said] == [0, 0], said
    outcomes = [json.loads(output) for output, *_ in said]
    assert [outcome["version"] for outcome in outcomes] == ["1", "1"]
    whole(command)
