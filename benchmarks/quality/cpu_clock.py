"""A clock that counts the CPU seconds of this process, so that a busy machine changes no result.

A budget of 60 seconds stands for 60 seconds of two busy cores, of which 1.8 are got in practice: 108 CPU seconds. The
clock runs at one second for every 1.8 CPU seconds, whatever else the machine does meanwhile. They are spent by one
thread: two would wait for each other by spinning, for up to 14 times the CPU seconds where others want the cores, too.
"""

from __future__ import annotations

import asyncio  # noqa: F401
import concurrent.futures  # noqa: F401
import multiprocessing.pool  # noqa: F401
import os
import queue  # noqa: F401
import resource
import signal
import subprocess  # noqa: F401
import threading  # noqa: F401
import time
from pathlib import Path
from typing import Any

# The modules that nothing below uses have taken the real clocks for their waits by the time that others replace them.

CORES = 1.8
THREADS = 1

_wall = time.perf_counter


def cpu_seconds() -> float:
    """User and system seconds of this process, all its threads, and of its children that have ended."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def budget_seconds() -> float:
    """CPU seconds as seconds of a budget, from an arbitrary point on."""
    return cpu_seconds() / CORES


def install() -> None:
    """Put the clock in the place of this process's own ones, and of its alarms; for code that takes no clock."""
    began = time.time() - budget_seconds()
    time.time = lambda: began + budget_seconds()
    time.monotonic = budget_seconds
    time.perf_counter = budget_seconds

    def alarm(seconds: int) -> int:
        """What `signal.alarm` does, after that many seconds of the budget."""
        left, _ = signal.setitimer(signal.ITIMER_PROF, seconds * CORES)
        signal.signal(signal.SIGPROF, signal.getsignal(signal.SIGALRM) or signal.SIG_DFL)
        return round(left / CORES)

    signal.alarm = alarm


class Spent:
    """CPU and wall seconds since it was made, and the process's peak of memory."""

    def __init__(self) -> None:
        """Begin to count."""
        self._cpu, self._wall = cpu_seconds(), _wall()

    def so_far(self) -> dict[str, Any]:
        """CPU seconds, wall seconds, and the peak in MB of this process or its largest child, whichever is more."""
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return {
            "cpu": cpu_seconds() - self._cpu,
            "wall": _wall() - self._wall,
            "peak_mb": max(peak, children) * 1024 / 1e6,
        }
