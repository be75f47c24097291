"""Runs whose processes are killed end as failed and run again, with a real daemon, code server and run process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import psutil
import pytest

from training_assets.instance.coordinator import MODEL_TAG
from training_assets.instance.home import prepare
from training_assets.instance.launcher import is_alive

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 90
TERMINAL = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
CODE = """
import os, time
from pathlib import Path
import dagster as dg

HERE = Path(__file__).parent

def note(file, text):
    with (HERE / file).open("a") as notes:
        notes.write(f"{text}\\n")

@dg.asset(key_prefix="throwaway")
def finished() -> None:
    note("finished", os.getpid())

@dg.asset(key_prefix="throwaway", deps=[finished])
def patient() -> None:
    note("pids", os.getpid())
    while not (HERE / "go").exists():
        time.sleep(0.1)

@dg.asset(key_prefix="throwaway")
def broken() -> None:
    note("broken", os.getpid())
    raise ValueError("a gate")

defs = dg.Definitions(
    assets=[finished, patient, broken],
    jobs=[
        dg.define_asset_job("throwaway_train", dg.AssetSelection.assets(finished, patient)),
        dg.define_asset_job("throwaway_stage", dg.AssetSelection.assets(broken)),
    ],
    executor=dg.in_process_executor,
)
"""
WORKSPACE = """
load_from:
  - python_file: {relative_path: throwaway.py, working_directory: FOLDER, location_name: throwaway}
"""


@dataclass
class House:
    """A folder with a code location and an instance, and the daemon that serves it."""

    folder: Path
    home: Path
    instance: dg.DagsterInstance
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The daemon's environment: quick to consume events."""
        quick = {"DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1"}
        return {**os.environ, **quick, "DAGSTER_HOME": str(self.home)}

    def command(self, *words: str) -> list[str]:
        """A dagster command over this code location."""
        return [sys.executable, "-m", *words, "-w", str(self.folder / "workspace.yaml")]

    def start(self) -> None:
        """Start the daemon, which starts its code server."""
        with (self.folder / "daemon.log").open("ab") as log:
            command = self.command("dagster._daemon", "run")
            self.daemons.append(
                subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=log, stderr=log)
            )

    def launch(self, job: str) -> str:
        """Queue a run of a job; gives its id."""
        known = {run.run_id for run in self.instance.get_runs()}
        command = self.command("dagster", "job", "launch", "-j", job)
        subprocess.run(command, env=self.environment, cwd=self.folder, check=True, capture_output=True)
        (new,) = {run.run_id for run in self.instance.get_runs()} - known
        return new

    def lose_power(self) -> None:
        """Kill the daemon and whatever it started, at once."""
        tree = [psutil.Process(self.daemons[-1].pid)]
        tree += tree[0].children(recursive=True)
        for process in tree:
            process.suspend()  # nobody gets to notice that another one died
        for process in tree:
            process.kill()
        self.daemons[-1].wait()
        self.wait_until(lambda: not any(is_alive(process) for process in tree))

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        """A run's status."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def retries(self, run_id: str) -> list[dg.DagsterRun]:
        """Runs that retry a run."""
        return [run for run in self.instance.get_runs() if run.parent_run_id == run_id]

    def pids(self, file: str = "pids") -> list[int]:
        """The processes that reached an asset's body, in order."""
        noted = self.folder / file
        return [int(line) for line in noted.read_text().split()] if noted.exists() else []

    def wait_until(self, happened: Callable[[], bool]) -> float:
        """Seconds until something happened; fails when patience ends."""
        start = time.monotonic()
        while not happened():
            if time.monotonic() - start > PATIENCE_SECONDS:
                pytest.fail((self.folder / "daemon.log").read_text()[-4000:])
            time.sleep(0.1)
        return time.monotonic() - start

    def finish(self) -> None:
        """Let the asset that waits end."""
        (self.folder / "go").touch()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose daemon runs; everything that it started is gone afterwards."""
    (tmp_path / "throwaway.py").write_text(CODE)
    (tmp_path / "workspace.yaml").write_text(WORKSPACE.replace("FOLDER", str(tmp_path)))
    home = prepare(tmp_path / "home")
    settings = home / "dagster.yaml"
    quick = re.sub(r"poll_interval_seconds: \d+", "poll_interval_seconds: 1", settings.read_text())
    settings.write_text(quick)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        made = House(tmp_path, home, instance)
        made.start()
        yield made
        if made.daemons[-1].poll() is None:
            made.lose_power()


def test_a_killed_run_fails_and_is_retried_while_the_code_server_lives(house: House) -> None:
    run_id = house.launch("throwaway_train")
    house.wait_until(lambda: len(house.pids()) == 1)
    psutil.Process(house.pids()[0]).kill()
    seconds = house.wait_until(lambda: house.status(run_id) == dg.DagsterRunStatus.FAILURE)
    assert seconds < 30
    house.wait_until(lambda: len(house.pids()) == 2)
    house.finish()
    (retry,) = house.retries(run_id)
    house.wait_until(lambda: house.status(retry.run_id) in TERMINAL)
    assert house.status(retry.run_id) == dg.DagsterRunStatus.SUCCESS
    assert len(house.pids("finished")) == 1, "only what was unfinished ran again"


def test_a_run_that_lost_its_whole_tree_fails_and_is_retried(house: House) -> None:
    run_id = house.launch("throwaway_train")
    house.wait_until(lambda: len(house.pids()) == 1)
    house.lose_power()
    assert house.status(run_id) == dg.DagsterRunStatus.STARTED, "nobody was left to say that it failed"
    house.start()
    house.wait_until(lambda: house.status(run_id) == dg.DagsterRunStatus.FAILURE)
    house.wait_until(lambda: len(house.pids()) == 2)
    house.finish()
    (retry,) = house.retries(run_id)
    house.wait_until(lambda: house.status(retry.run_id) in TERMINAL)
    assert house.status(retry.run_id) == dg.DagsterRunStatus.SUCCESS


def test_a_run_that_fails_by_itself_is_not_retried(house: House) -> None:
    run_id = house.launch("throwaway_stage")
    house.wait_until(lambda: house.status(run_id) == dg.DagsterRunStatus.FAILURE)
    time.sleep(5)  # five rounds of the consumer that retries
    assert house.retries(run_id) == []
    assert len(house.pids("broken")) == 1


def test_runs_of_one_model_take_turns_and_the_dead_free_their_place(house: House) -> None:
    first = house.launch("throwaway_train")
    house.wait_until(lambda: len(house.pids()) == 1)
    second = house.launch("throwaway_stage")
    time.sleep(6)  # three rounds of the queue
    assert house.status(second) == dg.DagsterRunStatus.QUEUED
    queued = house.instance.get_run_by_id(second)
    assert queued is not None
    assert queued.tags[MODEL_TAG] == "throwaway"
    psutil.Process(house.pids()[0]).kill()
    house.wait_until(lambda: house.status(first) == dg.DagsterRunStatus.FAILURE)
    house.finish()  # for the retry, which may be next in the queue
    house.wait_until(lambda: house.status(second) in TERMINAL)
