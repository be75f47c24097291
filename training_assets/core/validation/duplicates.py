"""Rows of the same key, inside a batch and across batches: which of them counts, and where the others are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import listed
from training_assets.spec import ModelSpec

# Enough to find them in the file by; more is a table.
SHOWN_PAIRS = 20
NAMED_PAIRS = 3


@dataclass(frozen=True)
class Kept:
    """The rows that count, in their order, and those that were left out because another row of their key counts."""

    rows: pl.DataFrame
    left_out: pl.DataFrame


@dataclass(frozen=True)
class Repeats:
    """How many rows repeat the key of an earlier one, and the first of them with the row that they repeat.

    Each pair is (batch, row, batch of the earlier row, its row); rows count from 1, below the header.
    """

    keys: tuple[str, ...]
    count: int
    pairs: tuple[tuple[str, int, str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """The repeats as JSON values."""
        return {"keys": list(self.keys), "count": self.count, "pairs": [list(pair) for pair in self.pairs]}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Repeats:
        """The repeats that `to_json` wrote."""
        pairs = tuple((str(one), int(row), str(other), int(at)) for one, row, other, at in line["pairs"])
        return cls(tuple(line["keys"]), int(line["count"]), pairs)

    def refusal(self, name: str) -> InputError:
        """Why a batch that repeats its own keys is refused: how many rows, the first ones, and what to do."""
        first = "; ".join(f"row {row} repeats row {earlier}" for _, row, _, earlier in self.pairs[:NAMED_PAIRS])
        message = (
            f"{name}: {self.count:,} row(s) repeat the key ({listed(self.keys, 5)}) of another row of the batch: "
            f"{first}. Mend the file, or set validation.duplicates.keep to first or last"
        )
        return InputError("E_DUP_KEY", message)


def key_columns(spec: ModelSpec) -> list[str]:
    """The columns that identify a row: those declared, else those with role key; none where there are neither."""
    return list(spec.validation.duplicates.keys) or spec.with_role("key")


def check_keys(spec: ModelSpec) -> None:
    """Refuse (InputError `E_KEY`) keys that are no raw columns, and a choice among rows that nothing identifies."""
    keep, keys = spec.validation.duplicates.keep, key_columns(spec)
    made = [name for name in keys if name not in spec.columns]
    if made:
        message = f"validation.duplicates.keys names '{made[0]}', which is made later; name columns of the raw rows"
        raise InputError("E_KEY", message)
    if keep != "all" and not keys:
        message = (
            f"validation.duplicates.keep is {keep}, and nothing identifies a row; name columns under "
            "validation.duplicates.keys, or give one `role: key`"
        )
        raise InputError("E_KEY", message)


def counting(rows: pl.DataFrame, spec: ModelSpec) -> Kept:
    """The typed rows (n_rows, in the order of batches and rows) that count by `validation.duplicates.keep`.

    `first` and `last` leave one row of each key; `all` and `refuse` leave every row. Keys are compared by their values;
    a key of which a part is null equals no other.
    """
    keep = spec.validation.duplicates.keep
    if keep not in {"first", "last"}:
        return Kept(rows, rows.clear())
    counts = _counts(rows, key_columns(spec), "first" if keep == "first" else "last")
    return Kept(rows.filter(counts), rows.filter(~counts))


def _counts(rows: pl.DataFrame, keys: Sequence[str], keep: Literal["first", "last"]) -> pl.Series:
    """Whether each row (n) is the first, or the last, of its key."""
    key = pl.struct(*keys)
    distinct = key.is_first_distinct() if keep == "first" else key.is_last_distinct()
    partial = pl.any_horizontal(pl.col(name).is_null() for name in keys)
    return rows.select((distinct | partial).alias("_counts")).to_series()


def repeats(rows: pl.DataFrame, keys: Sequence[str]) -> Repeats:
    """The rows (`_batch`, `_row` and the key columns, in the order of batches and rows) whose key came before."""
    keyed = rows.select("_batch", "_row", *(name for name in keys)).drop_nulls(list(keys))
    again = keyed.filter(~pl.struct(*keys).is_first_distinct())
    shown = again.head(SHOWN_PAIRS)
    firsts = keyed.unique(list(keys), keep="first", maintain_order=True)
    earlier = firsts.rename({"_batch": "_first_batch", "_row": "_first_row"})
    pairs = shown.join(earlier, on=list(keys), how="left", maintain_order="left")
    found = pairs.select("_batch", "_row", "_first_batch", "_first_row").rows()
    return Repeats(tuple(keys), again.height, tuple((one, row, other, at) for one, row, other, at in found))
