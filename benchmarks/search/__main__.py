"""Run each search as a process of its own, one way after the other, and write what was seen."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.search.crash import crash
from benchmarks.search.fixed import TRIALS
from benchmarks.search.report import report
from benchmarks.search.runs import Seen, last_line, run
from training_assets.core.families import FAMILIES

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Pairs of runs in turn, so that a machine that slows down slows all ways."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--rows", type=int, help="of each split of flights; default: all")
    parser.add_argument("--iterations", type=int, default=100, help="of each trial at most")
    parser.add_argument("--made-rows", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, nargs="+", default=[75.0, 200.0], help="budgets on made rows")
    asked = parser.parse_args()
    options = ["--iterations", str(asked.iterations), *([] if asked.rows is None else ["--rows", str(asked.rows)])]
    ways: dict[str, list[Seen]] = {"search": [], "hand": [], "one": []}
    for pair in range(asked.pairs):
        ways["search"].append(run("search", options))
        members = ["--members", json.dumps(ways["search"][-1]["members"])]
        ways["hand"].append(run("hand", [*options, *members]))
        ways["one"].append(run("search", [*options, "--parallel", "1", "--cores", "1"]))
        for way, seen in ways.items():
            print(f"pair {pair + 1}, {way}: {seen[-1]['whole']}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        crashed = crash(Path(folder) / "trials", TRIALS // 2, options)
    print(f"crash: {crashed.before} trials before, {crashed.lost} lost, {crashed.resumed['new']} new", flush=True)
    rows = ["--rows", str(asked.made_rows)]
    made = [last_line("benchmarks.search.made", *rows, "--seconds", str(seconds)) for seconds in asked.seconds]
    alone = {name: last_line("benchmarks.search.made", *rows, "--family", name) for name in FAMILIES}
    text = report(ways, crashed, made, alone, asked.made_rows)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
