"""The cells that are done: their errors, and our error through the better peer's."""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from functools import cached_property
from typing import Any

from benchmarks.quality.cells import Cell, Cells
from benchmarks.quality.environments import PEERS
from benchmarks.quality.scores import Drawn, Ratio, ratio

OURS = "ours"


class Seen:
    """The cells that are done, with their errors."""

    def __init__(self, cells: Cells) -> None:
        """Read every cell's line."""
        self.lines: dict[Cell, dict[str, Any]] = dict(
            sorted(cells.done().items(), key=lambda each: (each[0].budget, each[0].set, each[0].seed, each[0].system))
        )
        self.errors: dict[Cell, float | None] = {cell: line.get("error") for cell, line in self.lines.items()}

    @cached_property
    def budgets(self) -> list[int]:
        """The budgets that there are."""
        return sorted({cell.budget for cell in self.lines})

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
        whole: dict[str, list[tuple[Drawn, Drawn]]] = {peer: [] for peer in PEERS}
        for peer, place in itertools.product(PEERS, places):
            mine, its = (self._drawn(Cell(*place, budget, system)) for system in (OURS, peer))
            if mine is not None and its is not None:
                whole[peer].append((mine, its))
        peers = [peer for peer in PEERS if places and len(whole[peer]) == len(places)]
        if not peers:
            return None
        peer = min(peers, key=lambda each: statistics.mean(its.error for _, its in whole[each]))
        return peer, ratio(whole[peer])

    def _drawn(self, cell: Cell) -> Drawn | None:
        line = self.lines.get(cell)
        return None if line is None or line["reason"] is not None else Drawn(line["error"], line["replicates"])
