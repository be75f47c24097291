"""Which strptime format all texts of a column obey, if any: a date, or a date with a time."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

# Pattern and the formats that can be meant by it: where day and month can change places, both.
_DAYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d{4}-\d{2}-\d{2}", ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y",)),
    (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y", "%m/%d/%Y")),
    (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
    (r"\d{1,2}/\d{1,2}/\d{2}", ("%d/%m/%y", "%m/%d/%y")),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", ("%d.%m.%y",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", ("%d-%b-%Y",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", ("%d-%b-%y",)),
    (r"\d{1,2} [A-Za-z]{3} \d{4}", ("%d %b %Y",)),
    (r"\d{1,2} [A-Za-z]{4,9} \d{4}", ("%d %B %Y",)),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", ("%b %d, %Y",)),
    (r"[A-Za-z]{4,9} \d{1,2}, \d{4}", ("%B %d, %Y",)),
)
_CLOCKS = (
    (r"\d{1,2}:\d{2}", "%H:%M"),
    (r"\d{1,2}:\d{2}:\d{2}", "%H:%M:%S"),
    # `%.f` is Polars's way to say: a fraction, or none.
    (r"\d{1,2}:\d{2}:\d{2}(\.\d{1,9})?", "%H:%M:%S%.f"),
    (r"\d{1,2}:\d{2} [AaPp][Mm]", "%I:%M %p"),
    (r"\d{1,2}:\d{2}:\d{2} [AaPp][Mm]", "%I:%M:%S %p"),
)
_ZONES = (("", ""), ("Z", "Z"), (r" ?([+-]\d{2}:?\d{2}|Z)", "%#z"))
COMPACT = (r"(19|20)\d{6}", "%Y%m%d")
DATE_WORDS = re.compile(r"(^|[^a-z])(date|day|dt|ymd)([^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Dates:
    """A format, and another one that fits every value as well, where there is one."""

    type: Literal["date", "datetime"]
    format: str
    alternative: str | None = None


def dates_in(texts: pl.Series, name: str) -> Dates | None:
    """The format that every text obeys; none where there is no such format, or no text."""
    if not texts.len():
        return None
    first = str(texts[0])
    if re.fullmatch(COMPACT[0], first):
        return Dates("date", COMPACT[1]) if DATE_WORDS.search(name) and _fits(texts, *COMPACT, "date") else None
    for day, formats in _DAYS:
        if re.match(day, first) is None:
            continue
        fitting = [each for each in formats if _fits(texts, day, each, "date")]
        if fitting:
            return Dates("date", fitting[0], *fitting[1:])
        for separator, (clock, time), (zone, offset) in itertools.product(("T", " "), _CLOCKS, _ZONES):
            pattern = day + separator + clock + zone
            if re.fullmatch(pattern, first) is None:
                continue
            spelt = [each + separator + time + offset for each in formats]
            fitting = [each for each in spelt if _fits(texts, pattern, each, "datetime")]
            if fitting:
                return Dates("datetime", fitting[0], *fitting[1:])
    return None


def _fits(texts: pl.Series, pattern: str, spelling: str, kind: Literal["date", "datetime"]) -> bool:
    if not texts.str.contains(f"^{pattern}$").all():
        return False
    try:
        if kind == "date":
            return not texts.str.to_date(spelling, strict=False).null_count()
        return not texts.str.to_datetime(spelling, strict=False).null_count()
    except pl.exceptions.PolarsError:
        return False
