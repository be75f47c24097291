"""Declared rules across columns: an SQL expression that is true of a sound row; false puts the row into quarantine."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.expressions import Expression, compile_expression
from training_assets.core.validation.casting import POLARS_TYPES
from training_assets.core.validation.schema import Broken
from training_assets.spec import ModelSpec

# What the rules of single columns are called in the quarantine; a declared rule of that name could not be told apart.
TAKEN = (
    *("control", "date", "domain", "future", "label", "nonfinite"),
    *("null", "pattern", "range", "type", "unicode", "unique"),
)


def check_rules(spec: ModelSpec) -> None:
    """Refuse a declared rule that cannot work, before any row is read.

    Raises InputError: those of `compile_expression`, `E_EXPRESSION` for one that is not true or false, and `E_NAME` for
    a name that column rules have.
    """
    for name, rule in compiled(spec).items():
        if name in TAKEN:
            message = f"validation.rules.{name}: column rules are called so; choose another name"
            raise InputError("E_NAME", message)
        if rule.dtype is not None and rule.dtype not in (pl.Boolean, pl.Null):
            message = (
                f"{rule.where}: it gives {rule.dtype}, and a rule is true or false; compare it with something, e.g. "
                f"`{rule.sql[:80]} >= 0`"
            )
            raise InputError("E_EXPRESSION", message)


def compiled(spec: ModelSpec) -> dict[str, Expression]:
    """The declared rules by name, over all raw columns: a rule may read what no feature may."""
    types = {name: POLARS_TYPES[column.type] for name, column in spec.columns.items()}
    rules = spec.validation.rules
    return {name: compile_expression(sql, types, {}, f"validation.rules.{name}") for name, sql in rules.items()}


def cross_breaks(rows: pl.DataFrame, spec: ModelSpec, broken: Sequence[Broken]) -> list[Broken]:
    """The typed rows (n_rows) of which a declared rule is false; unknown, for want of a value, is sound.

    A row that is broken already in a column which the rule reads is not named again: its value there is none.
    """
    found = []
    for name, rule in compiled(spec).items():
        false = ~rule.values(rows).cast(pl.Boolean).fill_null(value=True)
        for item in broken:
            if item.column in rule.columns:
                false &= ~item.rows
        if false.any():
            found.append(Broken(", ".join(rule.columns), name, false, rule.columns))
    return found
