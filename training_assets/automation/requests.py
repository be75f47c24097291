"""How a sensor asks for a run: one of a job at a time, a few attempts for one piece of work, and a reason otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

ATTEMPTS = 3
"""Runs that one piece of work gets before somebody has to look."""
INTERVAL_SECONDS = 10
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]


def request(
    instance: dg.DagsterInstance, job: str, tags: Mapping[str, str], run_config: Mapping[str, Any] | None = None
) -> dg.RunRequest | str:
    """A run for work that these tags name, or why there is none: one of the job at a time, a few attempts in all."""
    busy = running(instance, job)
    if busy is not None:
        return busy
    runs = instance.get_runs(filters=dg.RunsFilter(tags=dict(tags)))
    if len(runs) >= ATTEMPTS:
        newest = runs[0].run_id[:8]
        return f"gave up after {len(runs)} runs (newest: {newest}); see why, mend it, and launch the job by hand"
    key = ":".join([*tags.values(), str(len(runs) + 1)])
    return dg.RunRequest(run_key=key, tags=dict(tags), job_name=job, run_config=dict(run_config or {}))


def running(instance: dg.DagsterInstance, job: str) -> str | None:
    """Which run of a job has not ended yet, in a sentence; none where there is none."""
    busy = instance.get_runs(filters=dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1)
    return f"run {busy[0].run_id[:8]} is at it; what it does not carry comes next" if busy else None


def result(asked: dg.RunRequest | str, cursor: str | None) -> dg.SensorResult:
    """The request, or the reason why there is none."""
    if isinstance(asked, str):
        return dg.SensorResult(skip_reason=asked, cursor=cursor)
    return dg.SensorResult(run_requests=[asked], cursor=cursor)
