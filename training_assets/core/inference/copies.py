"""Rows that occur again under another key: equal ones must share a split, so such a key is drafted as no key."""

from __future__ import annotations

import numpy as np
import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.roles import ignored
from training_assets.core.leakage.content import shared_content
from training_assets.core.validation.label import class_text
from training_assets.spec import Column, Target

# As the split deals by default; which rows go where matters little to a share of copies.
SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
ENOUGH = 100


def without_copied_keys(
    columns: dict[str, Column], rows: pl.DataFrame, target: Target, notes: Notes
) -> dict[str, Column]:
    """The columns, with a key that tells copies of a row apart as ignored, by the test that the checks apply."""
    label = str(target.column)
    keys = [name for name, column in columns.items() if column.role == "key" and name != label]
    features = [name for name, column in columns.items() if column.role == "feature" and name != label]
    known = rows.filter(pl.col(label).is_not_null())
    if not keys or not features or known.height < ENOUGH:
        return columns
    dealt = np.random.default_rng(0).choice(list(SHARES), known.height, p=list(SHARES.values()))
    table = known.select(*features, class_text(known[label]).alias("_target"))
    splits = {name: table.filter(pl.Series(dealt == name)) for name in SHARES}
    leaks = shared_content(splits, features, keys)
    if not leaks:
        return columns
    changed = dict(columns)
    for name in keys:
        changed[name] = columns[name].model_copy(update=ignored("rows occur again under other values of it"))
        notes.ask(
            f"columns.{name}.role",
            f"{leaks[0].strength:.1%} of the rows repeat another one in every feature and the label, under another "
            f"value of '{name}'. Dealt by '{name}', copies of a training row would be test rows. Are they copies?",
            f"ignored: a row is what it holds, so equal rows share a split; `role: key`, and why under "
            f"validation.leakage.waive.{name}, where they are not",
        )
    return changed
