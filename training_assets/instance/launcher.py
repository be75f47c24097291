"""A launcher whose runs are watched: a run whose process is gone counts as failed, and not as running for ever."""

from __future__ import annotations

import json
import re
from typing import Any

import psutil
from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.runs.sqlite import SqliteRunStorage
from dagster._core.storage.tags import GRPC_INFO_TAG

# A run's process announces itself by one of these, after it has started: the first under a code server, the second in a
# process that executes the run itself, such as a command.
ANNOUNCED = re.compile(r"^(?:Started process for run|Executing steps in process) \(pid: (\d+)\)")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# The kernel gives a process's start to the second at worst; one that started later than this took over a used pid.
CLOCK_SLACK_SECONDS = 2.0


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher with a health check, which run monitoring asks at every poll.

    Without one, a run whose whole process tree died (power loss, out of memory, `kill -9`) stays STARTED for ever and
    holds its place in the queue. Processes of another machine cannot be seen from here and count as alive.
    """

    def __init__(self, **settings: Any) -> None:
        """Begin without having seen any process."""
        super().__init__(**settings)
        self._seen: dict[str, psutil.Process] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask: always."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the run's own process lives or cannot be judged; FAILED when it is gone."""
        if not self._is_here(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its process is on another machine")
        seen = self._seen.get(run.run_id)
        if seen is None:
            announced = self._announced(run)
            if announced is None:
                return CheckRunHealthResult(WorkerStatus.RUNNING, "its process has not announced itself")
            pid, at = announced
            seen = _process_since(pid, at)
            if seen is None:
                return CheckRunHealthResult(WorkerStatus.FAILED, f"process {pid} is gone")
            # From now on the process itself is compared: a clock that is set forward cannot make it look new.
            self._seen[run.run_id] = seen
        if is_alive(seen):
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=str(seen.pid))
        del self._seen[run.run_id]
        return CheckRunHealthResult(WorkerStatus.FAILED, f"process {seen.pid} is gone")

    def _announced(self, run: DagsterRun) -> tuple[int, float] | None:
        """Pid of the run's process and the time (seconds since 1970) at which it said so."""
        for entry in self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT):
            found = ANNOUNCED.match(entry.message)
            if found:
                return int(found[1]), entry.timestamp
        return None

    def _is_here(self, run: DagsterRun) -> bool:
        """Whether the run's process would be seen from this machine."""
        server = run.tags.get(GRPC_INFO_TAG)
        if server is not None:
            return json.loads(server).get("host") in LOOPBACK
        # Nobody launched it, a command executed it: beside a local database that was here.
        return isinstance(self._instance.run_storage, SqliteRunStorage)


def is_alive(process: psutil.Process) -> bool:
    """Whether this very process still runs: not another one under its pid, not a zombie that nobody has reaped."""
    try:
        return process.is_running() and process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def _process_since(pid: int, at: float) -> psutil.Process | None:
    """The process under a pid, if it had started by that time; one that started later is another one."""
    try:
        process = psutil.Process(pid)
        return process if process.create_time() <= at + CLOCK_SLACK_SECONDS else None
    except psutil.NoSuchProcess:
        return None
