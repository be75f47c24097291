"""Expansion: the first of two steps, in which a feature becomes quantities; scaling is the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import polars as pl

Columns = Mapping[str, pl.Series]


@dataclass(frozen=True)
class Slot:
    """A quantity that an expansion makes: its name, who reads it, and whether its size means nothing by itself."""

    name: str
    readers: Literal["all", "trees", "linear"] = "all"
    scaled: bool = True  # False where it lies around 0 and 1 already, as a share or a sine does


class Expansion(Protocol):
    """What a feature becomes, learnt from training rows; it gives each row the same, whatever rows are beside it."""

    method: ClassVar[str]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The quantities, at least one; all of them are null where the feature is missing."""

    def values(self, columns: Columns) -> list[pl.Series]:
        """One series a slot (n_rows each), null where there is no value."""

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt, as JSON values."""


@dataclass(frozen=True)
class Itself:
    """A number is a quantity as it is."""

    method: ClassVar[str] = "quantity"
    feature: str

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Itself."""
        return (Slot(self.feature),)

    def values(self, columns: Columns) -> list[pl.Series]:
        """The column."""
        return [columns[self.feature]]

    def to_json(self) -> dict[str, Any]:
        """Its name."""
        return {"feature": self.feature}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Itself:
        """Read what `to_json` wrote."""
        return cls(data["feature"])
