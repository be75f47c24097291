"""A search that is killed in the middle and begun again: what is repeated, what is lost, what is saved."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.search.runs import ROOT, Seen, run

LONGEST = 1800.0  # seconds that a search may take until it has made the trials that are waited for


@dataclass(frozen=True)
class Crashed:
    """What was seen."""

    before: int  # trials that were finished when the process was killed
    lost: int  # of these, those that the second search had not, or whose files it wrote again
    resumed: Seen


def crash(folder: Path, after: int, options: list[str]) -> Crashed:
    """Kill a search once it has finished that many trials, and begin it again in the same folder."""
    command = [sys.executable, "-m", "benchmarks.search.fixed", "search", "--memory", str(folder), *options]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + LONGEST
    try:
        while len(list(folder.glob("*.trial"))) < after:
            if child.poll() is not None or time.monotonic() > deadline:
                message = f"the search ended before it had made {after} trials"
                raise RuntimeError(message)
            time.sleep(0.02)
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait()
    files = _files(folder)
    resumed = run("search", ["--memory", str(folder), *options])
    kept = set(files.items()) & set(_files(folder).items())
    return Crashed(len(files), len(files) - len(kept), resumed)


def _files(folder: Path) -> dict[str, tuple[int, str]]:
    """When each trial's file was written, and the digest of its content."""
    return {
        path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.glob("*.trial")
    }
