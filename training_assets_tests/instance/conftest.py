"""A real instance with the shipped settings, and runs whose processes say what a test wants."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.events.log import EventLogEntry
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from training_assets.instance.home import prepare

MakeRun = Callable[..., dg.DagsterRun]


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def flights_train() -> None:
    """Do nothing, under a job's name."""
    nothing()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance from the shipped dagster.yaml."""
    with dg.DagsterInstance.from_config(str(prepare(tmp_path))) as opened:
        yield opened


@pytest.fixture
def make_run(instance: dg.DagsterInstance) -> MakeRun:
    """Make a run; keywords are those of `DagsterInstance.create_run_for_job`."""

    def made(job: dg.JobDefinition = flights_train, **keywords: Any) -> dg.DagsterRun:
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository"), job.name)
        return instance.create_run_for_job(job, remote_job_origin=origin, **keywords)

    return made


@pytest.fixture
def announce(instance: dg.DagsterInstance) -> Callable[..., None]:
    """Let a run's process say that it started, at a given time."""

    def said(run: dg.DagsterRun, pid: int, at: float | None = None, words: str = "Started process for run") -> None:
        message = f"{words} (pid: {pid})."
        event = DagsterEvent("ENGINE_EVENT", run.job_name, event_specific_data=EngineEventData(), message=message)
        when = time.time() if at is None else at
        entry = EventLogEntry(None, 20, "", run.run_id, when, dagster_event=event)  # type: ignore[no-untyped-call]
        instance.event_log_storage.store_event(entry)

    return said


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until the test ends."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield child
        child.kill()
