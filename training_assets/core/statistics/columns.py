"""Statistics of one column."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training_assets.core.statistics import distinct as distinct_values
from training_assets.core.statistics.levels import Levels
from training_assets.core.statistics.moments import Moments
from training_assets.core.statistics.quantiles import Quantiles
from training_assets.core.validation.label import class_text

StatisticsKind = Literal["numeric", "categorical", "time"]
"""`time` is a quantity too: seconds since 1970."""
SHOWN_VALUES = 20


@dataclass(frozen=True)
class ColumnStatistics:
    """A column of `count` rows, `nulls` of them without a value; quantities have a range, moments and quantiles."""

    kind: StatisticsKind
    count: int
    nulls: int
    distinct_sketch: bytes
    low: float | None = None
    high: float | None = None
    moments: Moments | None = None
    quantiles: Quantiles | None = None
    levels: Levels | None = None

    @classmethod
    def of(cls, values: pl.Series, kind: StatisticsKind) -> ColumnStatistics:
        """The statistics of a column (n_rows); NaN and infinities count as nulls."""
        if kind == "categorical":
            text = class_text(values).alias("level")
            counts = list(text.drop_nulls().value_counts().iter_rows())
            sketch = distinct_values.sketched(sorted(level for level, _ in counts))
            return cls(kind, text.len(), text.null_count(), sketch, levels=Levels.of(counts))
        numbers = _numbers(values)
        quantiles = Quantiles.of(numbers)
        sketch = distinct_values.sketched(np.unique(numbers + 0.0).tolist())
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (None, None)
        nulls = values.len() - numbers.size
        return cls(kind, values.len(), nulls, sketch, low, high, Moments.of(np.sort(numbers)), quantiles)

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.count - self.nulls

    @property
    def null_share(self) -> float:
        """Rows without a value per row."""
        return self.nulls / self.count if self.count else 0.0

    @property
    def distinct(self) -> int:
        """Distinct values: exact where all are counted, else an estimate (1.5 % standard error)."""
        if self.quantiles is not None and self.quantiles.values is not None:
            return self.quantiles.values.size
        if self.levels is not None and not self.levels.error:
            return len(self.levels.counts)
        return distinct_values.estimate(self.distinct_sketch)

    @property
    def top(self) -> dict[str, int]:
        """The commonest values with their counts, most first; none for a quantity of too many values to count."""
        if self.levels is not None:
            return dict(list(self.levels.counts.items())[:SHOWN_VALUES])
        quantiles = self.quantiles
        if quantiles is None or quantiles.values is None or quantiles.counts is None:
            return {}
        most = np.argsort(-quantiles.counts, kind="stable")[:SHOWN_VALUES]
        return {f"{quantiles.values[place]:.15g}": int(quantiles.counts[place]) for place in most}

    def to_json(self) -> dict[str, Any]:
        """The statistics as JSON values."""
        line: dict[str, Any] = {"kind": self.kind, "count": self.count, "nulls": self.nulls}
        line["distinct"] = base64.b64encode(self.distinct_sketch).decode()
        if self.levels is not None:
            return {**line, "levels": self.levels.to_json()}
        moments = (self.moments or Moments()).to_json()
        quantiles = (self.quantiles or Quantiles.of(np.empty(0))).to_json()
        return {**line, "low": self.low, "high": self.high, "moments": moments, "quantiles": quantiles}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> ColumnStatistics:
        """The statistics that `to_json` wrote."""
        known = (line["kind"], line["count"], line["nulls"], base64.b64decode(line["distinct"]))
        if line["kind"] == "categorical":
            return cls(*known, levels=Levels.from_json(line["levels"]))
        moments, quantiles = Moments.from_json(line["moments"]), Quantiles.from_json(line["quantiles"])
        return cls(*known, line["low"], line["high"], moments, quantiles)


def merged(parts: Sequence[ColumnStatistics]) -> ColumnStatistics:
    """The statistics of all parts together (at least one, all of a kind)."""
    first = parts[0]
    if len(parts) == 1:
        return first
    count, nulls = sum(part.count for part in parts), sum(part.nulls for part in parts)
    sketch = distinct_values.merged(part.distinct_sketch for part in parts)
    if first.kind == "categorical":
        levels = reduce(Levels.merged, (part.levels for part in parts if part.levels is not None))
        return ColumnStatistics(first.kind, count, nulls, sketch, levels=levels)
    lows = [part.low for part in parts if part.low is not None]
    highs = [part.high for part in parts if part.high is not None]

    moments = reduce(Moments.merged, (part.moments for part in parts if part.moments is not None))
    quantiles = reduce(Quantiles.merged, (part.quantiles for part in parts if part.quantiles is not None))
    low, high = min(lows, default=None), max(highs, default=None)
    return ColumnStatistics(first.kind, count, nulls, sketch, low, high, moments, quantiles)


def _numbers(values: pl.Series) -> NDArray[np.float64]:
    """The finite values of a quantity; seconds since 1970 for dates and times."""
    if isinstance(values.dtype, pl.Date | pl.Datetime):
        values = values.cast(pl.Datetime("us")).dt.timestamp("us") / 1e6
    numbers: NDArray[np.float64] = values.drop_nulls().cast(pl.Float64).to_numpy()
    return numbers[np.isfinite(numbers)]
