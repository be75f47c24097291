"""Dates and times as quantities: parts, those that come round as sine and cosine too, and days elapsed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from training_assets.core.encoding.expansion import Columns, Slot
from training_assets.core.features.encodable import origin
from training_assets.spec.encoding import DATE_PARTS, AsDate, DatePart

MICROSECONDS_A_DAY = 86_400_000_000
EPOCH = "1970-01-01T00:00:00"
# Length of a round; those of month, weekday and hour are those of skrub's DatetimeEncoder.
PERIODS: Mapping[DatePart, float] = {"month": 12, "weekday": 7, "day_of_year": 365.25, "hour": 24}
CALENDAR: Mapping[DatePart, Callable[[pl.Series], pl.Series]] = {
    "year": lambda moments: moments.dt.year(),
    "month": lambda moments: moments.dt.month(),
    "day": lambda moments: moments.dt.day(),
    "weekday": lambda moments: moments.dt.weekday(),
    "day_of_year": lambda moments: moments.dt.ordinal_day(),
    # With its minutes and seconds: half past five is 5.5.
    "hour": lambda moments: moments.dt.hour() + moments.dt.minute() / 60 + moments.dt.second() / 3600,
}


@dataclass(frozen=True)
class DateParts:
    """Trees read parts as numbers; the linear family reads those that come round as sine and cosine."""

    method: ClassVar[str] = "date"
    feature: str
    parts: tuple[DatePart, ...]
    cyclic: bool
    since: str  # another date feature, or an ISO time

    @classmethod
    def fit(cls, feature: str, moments: pl.Series, own: AsDate) -> DateParts:
        """Learn which parts vary, and the earliest moment; `own` may state either."""
        earliest = moments.min()
        since = own.since or (earliest.isoformat() if isinstance(earliest, datetime) else EPOCH)
        wanted = own.parts or [part for part in DATE_PARTS if part == "elapsed" or _varies(CALENDAR[part](moments))]
        # In one order, with the days last: they alone may be missing where the feature is not.
        return cls(feature, tuple(part for part in DATE_PARTS if part in wanted), own.cyclic, since)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The parts, each with sine and cosine behind it where it comes round."""
        return tuple(self._slots())

    def values(self, columns: Columns) -> list[pl.Series]:
        """Parts as Float64: years and so on, weekdays from Monday = 1, days elapsed."""
        moments = columns[self.feature]
        made = []
        for part in self.parts:
            if part == "elapsed":
                made.append(self._elapsed(moments, columns))
                continue
            numbers = CALENDAR[part](moments).cast(pl.Float64)
            made.append(numbers)
            if self._comes_round(part):
                angles = numbers * (2 * math.pi / PERIODS[part])
                made += [angles.sin(), angles.cos()]
        return made

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt."""
        return {"feature": self.feature, "parts": list(self.parts), "cyclic": self.cyclic, "since": self.since}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DateParts:
        """Read what `to_json` wrote."""
        return cls(data["feature"], tuple(data["parts"]), data["cyclic"], data["since"])

    def _slots(self) -> Iterator[Slot]:
        for part in self.parts:
            name = f"{self.feature}__{part}"
            yield Slot(name, "trees" if self._comes_round(part) else "all")
            if self._comes_round(part):
                yield Slot(f"{name}_sin", "linear", scaled=False)
                yield Slot(f"{name}_cos", "linear", scaled=False)

    def _comes_round(self, part: DatePart) -> bool:
        return self.cyclic and part in PERIODS

    def _elapsed(self, moments: pl.Series, columns: Columns) -> pl.Series:
        start = columns[self.since] if self.since in columns else origin(self.since)
        return (moments - start).dt.total_microseconds() / MICROSECONDS_A_DAY


def _varies(numbers: pl.Series) -> bool:
    return numbers.drop_nulls().n_unique() > 1
