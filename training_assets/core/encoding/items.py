"""Lists in a text, such as `rock, jazz`, as 0/1 quantities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from training_assets.core.encoding.distinct import Floats, by_distinct
from training_assets.core.encoding.expansion import Columns, Slot


@dataclass(frozen=True)
class Items:
    """A 0/1 quantity for each item kept, and how many other items a row has; all null for null."""

    method: ClassVar[str] = "multi_hot"
    feature: str
    separator: str
    items: tuple[str, ...]

    @classmethod
    def fit(cls, feature: str, values: pl.Series, separator: str, max_items: int, min_rows: int) -> Items:
        """Keep the items that most training rows have (at least `min_rows`), at most `max_items`; ties go by name."""
        split = _split(values.cast(pl.String).drop_nulls(), separator)
        counted = split.explode().drop_nulls().rename("item").value_counts(name="count")
        common = [(item, count) for item, count in counted.iter_rows() if count >= min_rows]
        ranked = sorted(common, key=lambda row: (-row[1], row[0]))
        return cls(feature, separator, tuple(item for item, _ in ranked[:max_items]))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """One an item, by falling frequency, and the others."""
        kept = [Slot(f"{self.feature}__item_{index}", scaled=False) for index in range(len(self.items))]
        return (*kept, Slot(f"{self.feature}__other_items"))

    def values(self, columns: Columns) -> list[pl.Series]:
        """0 or 1 for each item, and the number of others."""
        return by_distinct(columns[self.feature].cast(pl.String), len(self.items) + 1, self._numbers)

    def to_json(self) -> dict[str, Any]:
        """Feature, separator and items."""
        return {"feature": self.feature, "separator": self.separator, "items": list(self.items)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Items:
        """Read what `to_json` wrote."""
        return cls(data["feature"], data["separator"], tuple(data["items"]))

    def _numbers(self, texts: pl.Series) -> Floats:
        found = pl.DataFrame({"item": _split(texts, self.separator)}).with_row_index("row").explode("item").drop_nulls()
        ranks = found.get_column("item").cast(pl.Enum(self.items), strict=False).to_physical().cast(pl.Int64)
        places = ranks.fill_null(len(self.items)).to_numpy()
        numbers = np.zeros((len(texts), len(self.items) + 1))
        np.add.at(numbers, (found.get_column("row").to_numpy(), places), 1.0)
        return numbers


def _split(texts: pl.Series, separator: str) -> pl.Series:
    """The items of each text, each once, without spaces around them and without empty ones."""
    items = pl.element().str.strip_chars()
    split = texts.str.split(separator).list.eval(items.filter(items != ""))
    return split.list.unique()
