"""Measure both sides in turn, as whole processes, in CPU seconds, and write what was seen."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.overhead.flights import ROOT

RESULTS = Path(__file__).with_name("RESULTS.md")


def cpu_seconds(*command: str) -> tuple[float, float, str]:
    """CPU seconds (user and system) and peak MiB of a process with its children, and its last line."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    output = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        message = f"{' '.join(command)} failed:\n{output[-2000:]}"
        raise RuntimeError(message)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.strip().splitlines()[-1] if output else ""


def main() -> None:
    """Pairs of runs, one after the other, so that a machine that slows down slows both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--trials", type=int, default=6)
    asked = parser.parse_args()
    python, trials = sys.executable, str(asked.trials)
    bare, graph, idle, imports, stages = [], [], [], [], []
    peaks = {"bare": 0.0, "graph": 0.0}
    for pair in range(asked.pairs):
        seconds, peak, _ = cpu_seconds(python, "-m", "benchmarks.overhead.bare", trials)
        bare.append(seconds)
        peaks["bare"] = max(peaks["bare"], peak)
        with tempfile.TemporaryDirectory() as home:
            run = (python, "-m", "benchmarks.overhead.graph", home, trials)
            seconds, peak, last = cpu_seconds(*run)
            graph.append(seconds)
            peaks["graph"] = max(peaks["graph"], peak)
            stages.append(json.loads(last))
            idle.append(cpu_seconds(*run)[0])
        imports.append(cpu_seconds(python, "-c", "import dagster")[0])
        seen = f"bare {bare[-1]:.1f}, graph {graph[-1]:.1f}, nothing new {idle[-1]:.2f}, import {imports[-1]:.2f}"
        print(f"pair {pair + 1}: {seen}")
    ratios = [ours / theirs for ours, theirs in zip(graph, bare, strict=True)]
    beyond = [ours - theirs for ours, theirs in zip(idle, imports, strict=True)]
    lines = [
        f"# Seen: {asked.pairs} pairs, {asked.trials} trials, three months of flights, {os.cpu_count()} cores",
        "",
        "| whole process | CPU seconds (median; all) | peak MiB |",
        "|---|---|---|",
        _line("bare script", bare, peaks["bare"]),
        _line("graph", graph, peaks["graph"]),
        _line("graph, nothing new", idle, None),
        _line("import dagster", imports, None),
        "",
        f"graph / bare: median {statistics.median(ratios):.3f} (wanted: at most 1.10)",
        "",
        f"nothing new beyond import: median {statistics.median(beyond):.2f} CPU seconds (wanted: at most 3)",
        "",
        "| step (assets and their checks) | wall seconds (median) |",
        "|---|---|",
        *(f"| {name} | {statistics.median(each[name] for each in stages):.2f} |" for name in stages[0]),
        "",
    ]
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


def _line(name: str, seconds: list[float], peak: float | None) -> str:
    seen = ", ".join(f"{value:.2f}" for value in seconds)
    return f"| {name} | {statistics.median(seconds):.2f} ({seen}) | {'' if peak is None else f'{peak:.0f}'} |"


if __name__ == "__main__":
    main()
