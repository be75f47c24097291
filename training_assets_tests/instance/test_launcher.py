"""A run counts as alive while its own process lives, and as failed when that is gone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import dagster as dg
import psutil
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from training_assets.instance.launcher import ANNOUNCED, CLOCK_SLACK_SECONDS, WatchedRunLauncher, is_alive
from training_assets_tests.instance.conftest import MakeRun

Announce = Callable[..., None]
HOUR = 3600.0


@pytest.fixture
def launcher(instance: dg.DagsterInstance) -> WatchedRunLauncher:
    """The instance's own launcher."""
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    return launcher


def status_of(launcher: WatchedRunLauncher, run: dg.DagsterRun) -> WorkerStatus:
    """What run monitoring would see."""
    return launcher.check_run_worker_health(run).status


def test_run_monitoring_may_ask(launcher: WatchedRunLauncher) -> None:
    assert launcher.supports_check_run_worker_health


def test_a_run_whose_process_lives_is_running(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    run = make_run()
    announce(run, process.pid)
    result = launcher.check_run_worker_health(run)
    assert result.status == WorkerStatus.RUNNING
    assert result.run_worker_id == str(process.pid)


def test_a_run_whose_process_ended_before_anybody_looked_failed(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    run = make_run()
    announce(run, process.pid)
    process.kill()
    process.wait()
    result = launcher.check_run_worker_health(run)
    assert result.status == WorkerStatus.FAILED
    assert result.msg == f"process {process.pid} is gone"


def test_a_run_whose_process_ends_while_watched_failed(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    run = make_run()
    announce(run, process.pid)
    assert status_of(launcher, run) == WorkerStatus.RUNNING
    process.kill()
    process.wait()
    assert status_of(launcher, run) == WorkerStatus.FAILED
    assert status_of(launcher, run) == WorkerStatus.FAILED, "and stays failed, asked again"


@pytest.mark.parametrize("watched", [False, True])
def test_a_zombie_is_gone(
    launcher: WatchedRunLauncher,
    make_run: MakeRun,
    announce: Announce,
    process: subprocess.Popen[bytes],
    watched: bool,
) -> None:
    run = make_run()
    announce(run, process.pid)
    if watched:
        assert status_of(launcher, run) == WorkerStatus.RUNNING
    process.kill()  # and nobody waits for it
    zombie = psutil.Process(process.pid)
    while zombie.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert status_of(launcher, run) == WorkerStatus.FAILED


def test_another_process_under_the_same_pid_is_not_taken_for_the_run_s(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    run = make_run()
    # The announcement is older than the process that has this pid now: the run's own process must have ended.
    announce(run, process.pid, at=psutil.Process(process.pid).create_time() - CLOCK_SLACK_SECONDS - 1)
    assert status_of(launcher, run) == WorkerStatus.FAILED


def test_a_process_older_than_its_announcement_is_the_run_s(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    run = make_run()
    announce(run, process.pid, at=time.time() + HOUR)  # a slow start
    assert status_of(launcher, run) == WorkerStatus.RUNNING


def test_a_clock_set_forward_does_not_kill_a_watched_run(
    launcher: WatchedRunLauncher,
    make_run: MakeRun,
    announce: Announce,
    process: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run()
    announce(run, process.pid)
    assert status_of(launcher, run) == WorkerStatus.RUNNING
    started = psutil.Process(process.pid).create_time()
    # The kernel counts from boot: with the clock an hour ahead, every process seems to have started an hour later.
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: started + HOUR)
    assert status_of(launcher, run) == WorkerStatus.RUNNING


def test_a_run_that_has_not_announced_a_process_is_left_alone(launcher: WatchedRunLauncher, make_run: MakeRun) -> None:
    assert status_of(launcher, make_run()) == WorkerStatus.RUNNING


@dg.asset
def asked(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Ask about the run that asks."""
    result = context.instance.run_launcher.check_run_worker_health(context.run)
    return dg.MaterializeResult(metadata={"seen": str(result.run_worker_id)})


def test_a_run_inside_a_command_is_watched_too(instance: dg.DagsterInstance) -> None:
    (made,) = dg.materialize([asked], instance=instance).get_asset_materialization_events()
    assert made.materialization.metadata["seen"].value == str(os.getpid())


def test_the_command_s_process_is_missed_when_it_dies(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    run = make_run()
    announce(run, process.pid, words="Executing steps in process")
    process.kill()
    process.wait()
    assert status_of(launcher, run) == WorkerStatus.FAILED


@pytest.mark.parametrize(
    ("server", "status"),
    [
        ({"host": "localhost", "socket": "/run/code.sock"}, WorkerStatus.FAILED),
        ({"host": "127.0.0.1", "port": 4000}, WorkerStatus.FAILED),
        ({"host": "code.example", "port": 4000}, WorkerStatus.RUNNING),
    ],
)
def test_only_processes_of_this_machine_are_judged(
    launcher: WatchedRunLauncher,
    make_run: MakeRun,
    announce: Announce,
    process: subprocess.Popen[bytes],
    server: dict[str, Any],
    status: WorkerStatus,
) -> None:
    run = make_run(tags={GRPC_INFO_TAG: json.dumps(server)})
    announce(run, process.pid)
    process.kill()
    process.wait()
    assert status_of(launcher, run) == status


def test_two_runs_are_told_apart(
    launcher: WatchedRunLauncher, make_run: MakeRun, announce: Announce, process: subprocess.Popen[bytes]
) -> None:
    living, dead = make_run(), make_run()
    announce(living, process.pid)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        announce(dead, ended.pid)
    assert status_of(launcher, living) == WorkerStatus.RUNNING
    assert status_of(launcher, dead) == WorkerStatus.FAILED


def test_this_process_is_alive() -> None:
    assert is_alive(psutil.Process())


def test_dagster_still_announces_processes_in_these_words() -> None:
    """Says that Dagster changed, where the health check would say nothing."""
    import inspect

    from dagster._core.executor import in_process
    from dagster._grpc import impl

    assert 'f"Started process for run (pid: {pid})."' in inspect.getsource(impl)
    assert 'f"Executing steps in process (pid: {os.getpid()})"' in inspect.getsource(in_process)
    assert ANNOUNCED.match("Started process for run (pid: 41).")
    assert not ANNOUNCED.match("Finished steps in process (pid: 41) in 2ms")
