"""All features that become quantities: expanded, then scaled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from training_assets.core.encoding.choices import expansion
from training_assets.core.encoding.dates import DateParts
from training_assets.core.encoding.expansion import Columns, Expansion, Itself, Slot
from training_assets.core.encoding.items import Items
from training_assets.core.encoding.layout import scaled_column
from training_assets.core.encoding.levels_as_numbers import Count, Rank
from training_assets.core.encoding.quantities import PLAIN, Quantity, finite
from training_assets.core.encoding.texts import Embedding
from training_assets.spec.encoding import AnyEncoding, AsQuantity, Encoding

PLAINLY = Quantity(impute=0.0, center=0.0, scale=1.0)
EXPANSIONS = {kind.method: kind for kind in (Itself, DateParts, Rank, Count, Items, Embedding)}


@dataclass(frozen=True)
class Expanded:
    """What makes quantities of features, and how those are scaled that the linear family reads."""

    expansions: Mapping[str, Expansion]  # by feature
    indicators: tuple[str, ...]  # features of which a 0/1 quantity says where they are missing
    quantities: Mapping[str, Quantity]  # by the quantity's name; those that trees alone read are not scaled

    @classmethod
    def fit(cls, columns: Columns, methods: Mapping[str, AnyEncoding], encoding: Encoding, seed: int) -> Expanded:
        """Learn from the columns of the training rows."""
        made = {name: expansion(name, own, columns[name], encoding, seed) for name, own in methods.items()}
        unscaled = cls({name: each for name, each in made.items() if each is not None}, (), {})
        indicators: list[str] = []
        quantities: dict[str, Quantity] = {}
        as_they_are = encoding.model_copy(update={"scale": "none"})
        for feature in unscaled.expansions:
            method = methods[feature]
            own = method if isinstance(method, AsQuantity) else PLAIN
            found = list(unscaled._values(feature, columns))
            for slot, values in found:
                if slot.readers != "trees":
                    quantities[slot.name] = Quantity.of(values, encoding if slot.scaled else as_they_are, own)
            _, first = found[0]
            if 0 < first.null_count() < len(first) and (encoding.indicator if own.indicator is None else own.indicator):
                indicators.append(feature)
                quantities[_indicator(feature).name] = PLAINLY
        return replace(unscaled, indicators=tuple(indicators), quantities=quantities)

    def slots(self, feature: str) -> tuple[Slot, ...]:
        """The quantities of a feature, the indicator last."""
        own = self.expansions[feature].slots
        return (*own, _indicator(feature)) if feature in self.indicators else own

    def encoded(self, columns: Columns) -> Iterator[pl.Series]:
        """The quantities of all features (n_rows each): as they are, for trees, and scaled, for the linear family."""
        for feature in self.expansions:
            for slot, values in self._values(feature, columns):
                if slot.readers != "linear":
                    quantity = self.quantities.get(slot.name, PLAINLY)
                    yield quantity.unscaled(values).alias(slot.name)
                if slot.readers != "trees":
                    yield self.quantities[slot.name].scaled(values).alias(scaled_column(slot.name))

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt, as JSON values; a list, where the order is that of the columns."""
        return {
            "expansions": [[each.method, each.to_json()] for each in self.expansions.values()],
            "indicators": list(self.indicators),
            "quantities": {name: quantity.to_json() for name, quantity in self.quantities.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expanded:
        """Read what `to_json` wrote."""
        return cls(
            expansions={each["feature"]: EXPANSIONS[method].from_json(each) for method, each in data["expansions"]},
            indicators=tuple(data["indicators"]),
            quantities={name: Quantity.from_json(each) for name, each in data["quantities"].items()},
        )

    def _values(self, feature: str, columns: Columns) -> Iterator[tuple[Slot, pl.Series]]:
        """The quantities of a feature as finite numbers, and whether the first of them is missing."""
        expanded = self.expansions[feature]
        values = [finite(each) for each in expanded.values(columns)]
        yield from zip(expanded.slots, values, strict=True)
        if feature in self.indicators:
            yield _indicator(feature), values[0].is_null().cast(pl.Float64)


def _indicator(feature: str) -> Slot:
    return Slot(f"{feature}__missing", "linear", scaled=False)
