"""What a difference between rows and the committed schema is, and the rows that are compared; not the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.spec import Column

Kind = Literal["new", "missing", "type", "value", "null", "range", "domain", "pattern", "unique", "label", "rule"]
SHOWN_VALUES = 5


@dataclass(frozen=True)
class Change:
    """One difference between a column's committed schema and the rows.

    `rows` rows show it, the first of them row `first_row` of `batch`; `share` is that of the batch that shows it most.
    `update` holds the column's keys as they would be after accepting (all of them for a new column, none for one that
    goes); None where no change of the column would answer it.
    """

    column: str
    kind: Kind
    was: str
    now: str
    batch: str
    first_row: int | None
    rows: int
    share: float
    update: Mapping[str, Any] | None = field(default=None, hash=False)

    def to_json(self) -> dict[str, Any]:
        """The difference as JSON values, with `is` for what is now."""
        said = {"column": self.column, "kind": self.kind, "was": self.was, "is": self.now, "batch": self.batch}
        update = None if self.update is None else dict(self.update)
        return {**said, "first_row": self.first_row, "rows": self.rows, "share": self.share, "update": update}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Change:
        """The difference that `to_json` wrote."""
        return cls(now=line["is"], **{name: value for name, value in line.items() if name != "is"})

    def is_stray(self, limit: float) -> bool:
        """Whether so few rows of each batch show it that they go to quarantine, and the batch goes on."""
        return self.kind not in {"new", "missing"} and self.share <= limit

    def __str__(self) -> str:
        """One line for people."""
        where = f"row {self.first_row} of {self.batch}" if self.first_row is not None else self.batch
        return f"{self.column}: was {self.was}, is {self.now} ({self.rows:,} rows, first: {where})"


@dataclass(frozen=True)
class Batches:
    """Raw rows of some batches below each other (`_batch` is their name, `_row` the position in it).

    Where a batch lacks a column, its rows are null there, and `absent` names the batch.
    """

    rows: pl.DataFrame
    absent: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, parts: Mapping[str, pl.DataFrame]) -> Batches:
        """The raw rows of batches by name; each has `_row`, or is numbered from 1."""
        frames = []
        for name, part in parts.items():
            numbered = part if "_row" in part.columns else part.with_columns(_row=pl.int_range(1, pl.len() + 1))
            frames.append(numbered.with_columns(pl.lit(name).alias("_batch"), pl.col("_row").cast(pl.Int64)))
        names = dict.fromkeys(name for frame in frames for name in frame.columns)
        lacking = {
            name: frozenset(batch for batch, part in parts.items() if name not in part.columns)
            for name in names
            if not name.startswith("_")
        }
        stacked = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()
        return cls(stacked, {name: batches for name, batches in lacking.items() if batches})

    @property
    def columns(self) -> list[str]:
        """Columns that at least one batch has."""
        return [name for name in self.rows.columns if not name.startswith("_")]

    def having(self, column: str) -> pl.DataFrame:
        """The rows of the batches that have a column."""
        lacking = self.absent.get(column)
        return self.rows.filter(~pl.col("_batch").is_in(list(lacking))) if lacking else self.rows


def described(column: Column) -> str:
    """A column's type and rules in a few words."""
    words = [column.type if column.format is None else f"{column.type} ({column.format})"]
    if column.min is not None or column.max is not None:
        low, high = ("" if bound is None else number(bound) for bound in (column.min, column.max))
        words.append(f"from {low} to {high}" if low and high else f"from {low}" if low else f"up to {high}")
    if column.values is not None:
        words.append(f"one of {listed(column.values, SHOWN_VALUES)}")
    if column.pattern is not None:
        words.append(f"like {excerpt(column.pattern)}")
    words += [text for said, text in ((not column.nullable, "never empty"), (column.unique, "unique")) if said]
    return ", ".join(words)


def described_type(column: Column) -> str:
    """A column's type, with its format where it has one."""
    return column.type if column.format is None else f"{column.type} ({column.format})"


def number(value: float) -> str:
    """A bound as people write it: `120`, not `120.0`."""
    return f"{value:.15g}"


def accepted(columns: Mapping[str, Column], changes: Sequence[Change]) -> dict[str, Column]:
    """The columns as they are once the differences are accepted; those that no update answers change nothing."""
    said = {name: column.model_dump(mode="json", exclude_defaults=True) for name, column in columns.items()}
    # Another type comes last: it takes away the rules that only the old type has.
    for change in sorted(changes, key=lambda change: change.kind == "type"):
        if change.update is None:
            continue
        if change.kind == "missing":
            said.pop(change.column, None)
        else:
            said[change.column] = {**said.get(change.column, {}), **change.update}
    return {name: Column.model_validate(_without_none(keys)) for name, keys in said.items()}


def _without_none(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if value is not None}
