"""Cells: one system on one deal with one budget, each a process of its own whose outcome is kept as a line of JSON."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.quality.cpu_clock import THREADS
from benchmarks.quality.environments import python_of
from benchmarks.quality.outcomes import outcome
from benchmarks.quality.sets import ROOT
from training_assets.core.code_identity import code_version

LINES = Path(__file__).with_name("cells.jsonl")
WORK = ROOT / ".benchmarks" / "quality"
SYSTEMS = ("ours", "autogluon", "flaml")
TRAINING = "core/training.py"
"""With all that it imports, what decides our errors."""
REASON = 300  # characters of a failure's reason that are kept
# What ends a cell that hangs; a busy machine gives a cell a small share of its cores.
MOST_WALL = 3 * 3600.0
WHY = {"SIGKILL": ", as when memory runs out", "SIGTERM": f", as after {MOST_WALL / 3600:.0f} hours"}
ONE_THREAD = {
    f"{library}_THREADS": str(THREADS)
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "POLARS_MAX", "RAYON_NUM")
}


@dataclass(frozen=True)
class Cell:
    """What is run."""

    set: str
    seed: int
    budget: int
    system: str

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.set}-{self.seed}-{self.budget}-{self.system}"


class Cells:
    """The outcomes that there are, and a folder for deals, logs and predictions."""

    def __init__(self, lines: Path = LINES, folder: Path = WORK) -> None:
        """Open both, or begin them."""
        self.folder = folder
        self._lines = lines
        self._outputs = folder / "cells"
        self._outputs.mkdir(parents=True, exist_ok=True)

    def done(self) -> dict[Cell, dict[str, Any]]:
        """The newest outcome of each cell, where it was run on the rows that its set was last dealt as."""
        lines = self._lines.read_text(encoding="utf-8").splitlines() if self._lines.exists() else []
        found = {Cell(*(line[key] for key in Cell.__dataclass_fields__)): line for line in map(json.loads, lines)}
        newest = {(line["set"], line["seed"]): line["deal"] for line in map(json.loads, lines)}
        newest |= {place: deal for place in newest if (deal := self._deal_of(*place)) is not None}
        return {cell: line for cell, line in found.items() if line["deal"] == newest[cell.set, cell.seed]}

    def deal(self, name: str, seed: int) -> Path:
        """The folder of a set's deal."""
        return self.folder / "deals" / f"{name}-{seed}"

    def make_deals(self, name: str, seeds: Sequence[int], *, again: bool = False) -> None:
        """Deal a set by those seeds, where that is not done, or anew; RuntimeError where it cannot be."""
        missing = [str(seed) for seed in seeds if again or not self.deal(name, seed).exists()]
        if not missing:
            return
        command = [sys.executable, "-m", "benchmarks.quality.deals", name, str(self.folder / "deals"), *missing]
        made = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if made.returncode:
            message = f"{name} cannot be dealt: {made.stderr[-2000:]}"
            raise RuntimeError(message)

    def run(self, cell: Cell) -> dict[str, Any]:
        """Run one, keep its line, and give it; a failure is a line with its reason."""
        out = self._outputs / cell.name
        log = out.with_suffix(".log")
        for path in (out.with_suffix(".json"), out.with_suffix(".parquet")):
            path.unlink(missing_ok=True)
        deal = self.deal(cell.set, cell.seed)
        module = "ours" if cell.system == "ours" else "peers"
        run = [python_of(cell.system), "-m", f"benchmarks.quality.{module}"]
        run += [cell.system] if module == "peers" else []
        run += [str(deal), str(cell.budget), str(cell.seed), str(out)]
        with log.open("wb") as written:
            status = _finished(run, written.fileno())
        line: dict[str, Any] = {
            **asdict(cell),
            "deal": self._deal_of(cell.set, cell.seed),
            "machine": _machine(),
            "date": _today(),
            **({"code": code_version(TRAINING)} if cell.system == "ours" else {}),
        }
        if status == 0 and out.with_suffix(".json").exists():
            spent = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
            line |= {"reason": None, **spent, **outcome(deal, out.with_suffix(".parquet"), cell.seed)}
        else:
            line |= {"reason": _reason(status, log), "cpu": None, "wall": None, "peak_mb": None, "versions": {}}
        with self._lines.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
        return line

    def _deal_of(self, name: str, seed: int) -> str | None:
        meta = self.deal(name, seed) / "meta.json"
        if not meta.exists():
            return None
        deal: str = json.loads(meta.read_text(encoding="utf-8"))["deal"]
        return deal


def in_order(
    sets: Sequence[str], seeds: Sequence[int], budgets: Sequence[int], systems: Sequence[str]
) -> Iterator[Cell]:
    """Cells in the order in which an unfinished benchmark says most: budget by budget, seed by seed, set by set."""
    for budget in budgets:
        for seed in seeds:
            for name in sets:
                for system in systems:
                    yield Cell(name, seed, budget, system)


def _finished(command: Sequence[str], output: int) -> int:
    """Exit status of a process; negative for the signal that ended it. Out of memory, it is the one to go."""
    environment = {**os.environ, **ONE_THREAD}
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    Path(f"/proc/{child.pid}/oom_score_adj").write_text("800", encoding="ascii")
    began = time.monotonic()
    while child.poll() is None:
        if time.monotonic() - began > MOST_WALL:
            child.terminate()
        time.sleep(0.5)
    return child.returncode


def _reason(status: int, log: Path) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        return f"ended by {name}{WHY.get(name, '')}"
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return (lines[-1] if lines else f"ended with {status}")[:REASON]


def _machine() -> str:
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({cpu}), {gib:.0f} GiB"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
