"""Splits made up for tests: every kind of column that a spec allows, with a label that the columns explain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.families import Data
from training_assets.spec import Encoding
from training_assets.spec.target import Task

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CITIES = 40  # more than are one-hot by default

KINDS: FeatureKinds = {
    "amount": "numeric",
    "colour": "categorical",
    "count (n)": "numeric",
    "city": "categorical",
    "noise": "numeric",
    "empty": "numeric",
    "flat": "numeric",
    "only": "categorical",
    "nothing": "categorical",
}


@dataclass(frozen=True)
class Made:
    """Three splits of one data set, and what a spec would say about them."""

    task: Task
    classes: list[str]
    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    kinds: FeatureKinds

    def preprocessor(self, encoding: Encoding | None = None, seed: int = 0) -> Preprocessor:
        """Fitted on the training split."""
        return Preprocessor.fit(self.train, self.kinds, encoding or Encoding(), self.task, self.classes, seed)

    def data(self, encoding: Encoding | None = None) -> tuple[Data, Data, Data]:
        """The three splits encoded."""
        fitted = self.preprocessor(encoding)
        encoded = (fitted.encode_training(self.train), fitted.encode(self.validation), fitted.encode(self.test))
        train, validation, test = (Data.of(frame, fitted.layout) for frame in encoded)
        return train, validation, test


def classes_of(task: Task) -> list[str]:
    return {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "regression": []}[task]


@cache
def made(task: Task, rows: int = 600, seed: int = 0) -> Made:
    """Splits of 4 : 1 : 1, the same for the same arguments."""
    rng = np.random.default_rng(seed)
    amount, noise, count = rng.gamma(2, 50, rows), rng.normal(size=rows), rng.integers(0, 30, rows)
    colour, city = rng.integers(0, 3, rows), np.minimum(rng.geometric(0.08, rows) - 1, CITIES - 1)
    value = amount / 50 + count / 10 + 1.5 * colour + np.sin(city) + 0.3 * rng.normal(size=rows)
    if task == "regression":
        label = pl.Series("_target", 1000 + 100 * value)
    else:
        classes = classes_of(task)
        cuts = np.quantile(value, np.linspace(0, 1, len(classes) + 1)[1:-1])
        label = pl.Series("_target", [classes[code] for code in np.searchsorted(cuts, value)])
    frame = pl.DataFrame(
        {
            "_batch": ["b" * 64] * rows,
            "_row": np.arange(1, rows + 1),
            "_key": rng.integers(-(2**62), 2**62, rows),
            "_target": label,
            "when": ["2026-01-01"] * rows,  # a time column, which no model reads
            "amount": holed(pl.Series(amount), rng),
            "colour": holed(pl.Series([("red", "green", "blue")[code] for code in colour]), rng),
            "count (n)": pl.Series(count, dtype=pl.Int64),
            "city": pl.Series([f"city {code}" for code in city]),
            "noise": noise,
            "empty": pl.Series([None] * rows, dtype=pl.Float64),
            "flat": [0.1] * rows,
            "only": ["one"] * rows,
            "nothing": pl.Series([None] * rows, dtype=pl.String),
        }
    )
    cut, end = rows * 4 // 6, rows * 5 // 6
    return Made(task, classes_of(task), frame[:cut], frame[cut:end], frame[end:], KINDS)


def holed(values: pl.Series, rng: np.random.Generator, share: float = 0.1) -> pl.Series:
    """The values with some of them missing."""
    return values.set(pl.Series(rng.random(len(values)) < share), None)


def strange(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with what training never saw: unknown levels, missing cells, infinities."""
    halves = pl.Series(np.arange(rows.height) % 2 == 0)
    changed = {
        "city": rows["city"].set(halves, "Atlantis"),
        "colour": rows["colour"].set(halves, None),
        "noise": rows["noise"].set(halves, None),
        "amount": rows["amount"].set(~halves, float("inf")),
        "nothing": pl.Series(["something"] * rows.height),
        "empty": pl.Series([1.0] * rows.height),
    }
    return rows.with_columns(**changed)
