"""How much of the model's decisions rests on each column, through whatever is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from training_assets.core.features.declared import row_columns
from training_assets.core.features.sql_words import words
from training_assets.spec import ModelSpec


def weights(importances: Mapping[str, float], spec: ModelSpec) -> dict[str, float]:
    """Importance of each column: its own, and that of each derived or joined feature that is made from it."""
    read: dict[str, set[str]] = {}
    for name, sql in spec.features.derived.items():
        read[name] = {word.text for word in words(sql) if word.kind == "name"}
    for join in spec.features.joins:
        read |= {join.prefix + name: set(row_columns(join)) for name in join.columns}
    total: dict[str, float] = {}
    for name, importance in importances.items():
        for column in _made_from(name, read):
            total[column] = total.get(column, 0.0) + importance
    return total


def _made_from(name: str, read: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [name]
    while left:
        column = left.pop()
        if column not in found:
            found.add(column)
            left += read.get(column, ())
    return found
