"""What a test for a leak looks at, and what it says of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from training_assets.core.features.logical import Kind
from training_assets.core.validation.label import class_text
from training_assets.spec.target import Task

# Enough rows that chance does not order two columns alike, nor part two classes.
LEAST_ROWS = 100
# More rows tell nothing new about one column, and cost seconds where there are hundreds of columns.
SAMPLE = 50_000


@dataclass(frozen=True)
class Leak:
    """A suspicion: the columns, what was seen in numbers, and what to do; only a strong one blocks."""

    kind: str
    columns: tuple[str, ...]
    text: str
    strength: float
    strong: bool
    remedy: str = "give it `role: leaking` where it is known only after the outcome"


@dataclass(frozen=True)
class Evidence:
    """Labelled rows, of which the features in `kinds` are judged; `label` is a quantity or a class text.

    Dates are quantities here: seconds since 1970.
    """

    rows: pl.DataFrame
    label: str
    task: Task
    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, rows: pl.DataFrame, label: str, task: Task, kinds: Mapping[str, Kind]) -> Evidence:
        """The rows that have a label, at most `SAMPLE` of them, the same ones each time."""
        labels = rows[label].cast(pl.Float64) if task == "regression" else class_text(rows[label]).alias(label)
        columns = [_plain(rows[name], kind) for name, kind in kinds.items()]
        known = pl.DataFrame([*columns, labels]).filter(pl.col(label).is_not_null())
        plain: dict[str, Kind] = {name: "numeric" if kind == "date" else kind for name, kind in kinds.items()}
        return cls(known if known.height <= SAMPLE else known.sample(SAMPLE, seed=0), label, task, plain)

    @cached_property
    def numeric(self) -> list[str]:
        """Features that are quantities."""
        return [name for name, kind in self.kinds.items() if kind == "numeric"]

    @cached_property
    def categories(self) -> list[str]:
        """Features that are categories."""
        return [name for name, kind in self.kinds.items() if kind == "categorical"]

    @property
    def y(self) -> pl.Series:
        """The labels."""
        return self.rows[self.label]


def _plain(values: pl.Series, kind: Kind) -> pl.Series:
    if kind == "date":
        return (values.cast(pl.Datetime("us")).to_physical() / 1e6).alias(values.name)
    return class_text(values) if kind == "categorical" else values


def shown(name: str) -> str:
    """A column's name for a sentence, short and without what does not print."""
    return name[:60].encode("unicode_escape").decode()
