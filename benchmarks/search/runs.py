"""Processes that do one search each and say what they spent."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.quality.sets import ROOT
from benchmarks.search.meter import Spent

Seen = dict[str, Any]


def run(way: str, options: list[str]) -> Seen:
    """What `benchmarks.search.fixed` saw one way."""
    return last_line("benchmarks.search.fixed", way, *options)


def last_line(module: str, *options: str) -> Seen:
    """The last line of a module's output, which is JSON; `RuntimeError` with its output where it fails."""
    command = [sys.executable, "-m", module, *options]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"{' '.join(command[1:])} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
        raise RuntimeError(message)
    seen: Seen = json.loads(done.stdout.strip().splitlines()[-1])
    return seen


def spent(seen: Seen, part: str) -> Spent:
    """What a part of it took."""
    return Spent(**seen[part])


def least_cpu(every: list[Seen], part: str) -> Spent:
    """The run whose part took the fewest CPU seconds: other work on the machine only ever adds."""
    return min((spent(each, part) for each in every), key=lambda each: each.cpu)


__all__ = ["ROOT", "Seen", "last_line", "least_cpu", "run", "spent"]
