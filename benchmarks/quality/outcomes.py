"""What a cell's predictions of the test rows are worth: all that its line keeps of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.quality.scores import Task, error, replicates

DIGITS = 6


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


def outcome(folder: Path, predictions: Path, seed: int) -> dict[str, Any]:
    """Task, error, and the error's bootstrap replicates, by which systems on the same deal are compared in pairs."""
    deal = Deal.of(folder)
    found = pl.read_parquet(predictions).to_numpy().astype(np.float64)
    said = found if deal.task == "multiclass" else found[:, 0]
    drawn = replicates(deal.task, deal.labels, said, seed=seed)
    return {
        "task": deal.task,
        "error": error(deal.task, deal.labels, said),
        "replicates": [float(f"{each:.{DIGITS}g}") for each in drawn],
    }
