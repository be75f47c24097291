"""Categories that are quantities: a level's place in a stated order, or how often it occurred in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from training_assets.core.encoding.expansion import Columns, Slot


@dataclass(frozen=True)
class Rank:
    """A level's place in a stated order, from 0; null for one that is not in it."""

    method: ClassVar[str] = "ordinal"
    feature: str
    order: tuple[str, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The place."""
        return (Slot(f"{self.feature}__rank"),)

    def values(self, columns: Columns) -> list[pl.Series]:
        """Places as Float64."""
        texts = columns[self.feature].cast(pl.String)
        return [texts.cast(pl.Enum(self.order), strict=False).to_physical().cast(pl.Float64)]

    def to_json(self) -> dict[str, Any]:
        """Feature and order."""
        return {"feature": self.feature, "order": list(self.order)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rank:
        """Read what `to_json` wrote."""
        return cls(data["feature"], tuple(data["order"]))


@dataclass(frozen=True)
class Count:
    """How many training rows had a level: 0 for one that none had, null for null."""

    method: ClassVar[str] = "count"
    feature: str
    counts: Mapping[str, int]

    @classmethod
    def fit(cls, feature: str, values: pl.Series) -> Count:
        """Count the levels of the training rows."""
        counted = values.cast(pl.String).drop_nulls().rename("level").value_counts(name="count")
        return cls(feature, dict(sorted(counted.iter_rows())))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The count."""
        return (Slot(f"{self.feature}__count"),)

    def values(self, columns: Columns) -> list[pl.Series]:
        """Counts as Float64."""
        texts = columns[self.feature].cast(pl.String)
        ranks = texts.cast(pl.Enum(list(self.counts)), strict=False).to_physical()
        counts = pl.Series(list(self.counts.values()), dtype=pl.Float64).gather(ranks)
        return [counts.fill_null(0.0).set(texts.is_null(), None)]

    def to_json(self) -> dict[str, Any]:
        """Feature and counts."""
        return {"feature": self.feature, "counts": dict(self.counts)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Count:
        """Read what `to_json` wrote."""
        return cls(data["feature"], dict(data["counts"]))
