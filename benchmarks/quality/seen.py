"""The cells that are done: their errors on the test rows, and our error through the better peer's."""

from __future__ import annotations

import itertools
import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.quality.cells import Cell, Cells
from benchmarks.quality.environments import PEERS
from benchmarks.quality.scores import Floats, Ratio, Task, error, ratio, replicates

OURS = "ours"


@dataclass(frozen=True)
class Deal:
    """A deal's task and the labels of its test rows: values, or codes of classes with 1 for the positive one."""

    task: Task
    labels: npt.NDArray[Any]

    @classmethod
    def of(cls, folder: Path) -> Deal:
        """Read a deal."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        target = pl.read_parquet(folder / "test.parquet", columns=["_target"])["_target"]
        task: Task = meta["task"]
        if task == "regression":
            return cls(task, target.to_numpy())
        classes = meta["classes"] if task == "multiclass" else [None, meta["positive"]]
        codes = [classes.index(label) if label in classes else 0 for label in target.cast(pl.String)]
        return cls(task, np.array(codes))


class Seen:
    """The cells that are done, with their errors."""

    def __init__(self, cells: Cells) -> None:
        """Read every cell's predictions once."""
        self.cells = cells
        self.lines: dict[Cell, dict[str, Any]] = dict(
            sorted(cells.done().items(), key=lambda each: (each[0].budget, each[0].set, each[0].seed, each[0].system))
        )
        places = {(cell.set, cell.seed) for cell in self.lines}
        self.deals = {place: Deal.of(cells.deal(*place)) for place in places}
        self.errors = {cell: self._error(cell) for cell in self.lines}

    @cached_property
    def budgets(self) -> list[int]:
        """The budgets that there are."""
        return sorted({cell.budget for cell in self.lines})

    def predictions(self, cell: Cell) -> Floats:
        """A cell's predictions: (n,), or (n, k) for a multiclass task."""
        found = pl.read_parquet(self.cells.predictions(cell)).to_numpy().astype(np.float64)
        return found if self.deals[cell.set, cell.seed].task == "multiclass" else found[:, 0]

    def _error(self, cell: Cell) -> float | None:
        if self.lines[cell]["reason"] is not None:
            return None
        deal = self.deals[cell.set, cell.seed]
        return error(deal.task, deal.labels, self.predictions(cell))

    def rows(self, budget: int) -> dict[tuple[str, int], dict[str, float | None]]:
        """Errors by system of each (set, seed) where every system that ran at this budget has run."""
        found: dict[tuple[str, int], dict[str, float | None]] = defaultdict(dict)
        for cell, value in self.errors.items():
            if cell.budget == budget:
                found[cell.set, cell.seed][cell.system] = value
        present = {system for errors in found.values() for system in errors}
        return {place: errors for place, errors in found.items() if set(errors) == present}

    def ratio(self, budget: int, name: str) -> tuple[str, Ratio] | None:
        """The peer that is better on a set, and our error through its; None where either is missing."""
        places = [place for place in self.rows(budget) if place[0] == name]
        whole: dict[str, list[tuple[tuple[str, int], float, float]]] = {peer: [] for peer in PEERS}
        for peer, place in itertools.product(PEERS, places):
            mine, its = (self.errors.get(Cell(*place, budget, system)) for system in (OURS, peer))
            if mine is not None and its is not None:
                whole[peer].append((place, mine, its))
        peers = [peer for peer in PEERS if places and len(whole[peer]) == len(places)]
        if not peers:
            return None
        peer = min(peers, key=lambda each: statistics.mean(its for _, _, its in whole[each]))
        drawn = [
            replicates(
                deal.task, deal.labels, self.predictions(Cell(*place, budget, OURS)),
                self.predictions(Cell(*place, budget, peer)), seed=place[1],
            )
            for place, _, _ in whole[peer]
            for deal in [self.deals[place]]
        ]  # fmt: skip
        return peer, ratio([(mine, its) for _, mine, its in whole[peer]], drawn)
