"""Small specs and raw rows for the tests of `core`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from training_assets.spec import Column, ModelSpec

CSV = {"path": "rows.csv", "format": "csv"}
LABEL = {"type": "string", "role": "ignored"}


def column(kind: str = "number", **rules: Any) -> Column:
    """A column of a type, with rules."""
    return Column.model_validate({"type": kind, **rules})


def small_spec(columns: Mapping[str, Any], target: Mapping[str, Any] | None = None, **sections: Any) -> ModelSpec:
    """A spec over columns (a bare word is a type); a binary label `y` unless a target is given."""
    full = {name: {"type": rules} if isinstance(rules, str) else dict(rules) for name, rules in columns.items()}
    if target is None:
        full.setdefault("y", dict(LABEL))
        target = {"column": "y", "task": "binary"}
    return ModelSpec.model_validate({"source": CSV, "columns": full, "target": target, **sections})


def raw_rows(cells: Mapping[str, Any], batch: str = "b1", dtype: pl.DataType | None = None) -> pl.DataFrame:
    """Cells as a reader hands them over: text (or the given type, or Polars' own where dtype is Null), numbered."""
    own = isinstance(dtype, pl.Null)
    columns = {name: pl.Series(name, values, None if own else dtype or pl.String()) for name, values in cells.items()}
    rows = pl.DataFrame(columns)
    return rows.with_columns(pl.lit(batch).alias("_batch"), pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"))
