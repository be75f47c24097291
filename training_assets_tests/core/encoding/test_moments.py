"""Dates of any type that rows come with are the same moments."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.encoding.moments import moments
from training_assets.core.errors import InputError

at = datetime.fromisoformat
NOON = at("2026-01-31 12:30")


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("when", [NOON, None]),
        pl.Series("when", [NOON, None], dtype=pl.Datetime("ms")),
        pl.Series("when", [NOON, None], dtype=pl.Datetime("ns")),
        pl.Series("when", [NOON.replace(tzinfo=UTC), None]).dt.convert_time_zone("Asia/Tokyo"),
        pl.Series("when", ["2026-01-31T12:30:00", None]),
        pl.Series("when", ["2026-01-31 12:30", None], dtype=pl.Categorical),
        pl.Series("when", ["2026-01-31T13:30:00+01:00", None]),
    ],
)
def test_any_way_to_write_a_moment_gives_the_same(values: pl.Series) -> None:
    found = moments(values)
    assert (found.name, found.dtype, found.to_list()) == ("when", pl.Datetime("us"), [NOON, None])


@pytest.mark.parametrize("values", [[date(2026, 1, 31), None], ["2026-01-31", None]])
def test_a_day_is_its_midnight(values: list[Any]) -> None:
    assert moments(pl.Series("day", values)).to_list() == [at("2026-01-31"), None]


def test_a_column_of_nothing_has_no_moments() -> None:
    assert moments(pl.Series("day", [None, None])).to_list() == [None, None]


def test_texts_with_and_without_an_offset_are_read_each_by_itself() -> None:
    texts = ["2026-01-31T12:30:00", "2026-01-31T14:30:00+02:00", "2026-01-31T12:30:00Z"]
    assert moments(pl.Series("when", texts)).to_list() == [NOON] * 3


@pytest.mark.parametrize("text", ["31.01.2026", "yesterday", "", "2026-02-30", "2026-01-31T25:00"])
def test_a_text_that_is_no_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"E_TYPE: 'when' has 1 texts that are no date .*2026-01-31"):
        moments(pl.Series("when", ["2026-01-31", text]))


def test_a_text_of_an_impossible_year_has_no_value() -> None:
    texts = ["9999-12-31", "0001-01-01T00:00:00Z", "2261-12-31"]
    assert moments(pl.Series("when", texts)).to_list() == [None, None, at("2261-12-31")]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), st.sampled_from(["ms", "us", "ns"]))
def test_dates_beyond_the_calendar_have_no_value(numbers: list[int], unit: Any) -> None:
    days = moments(pl.Series("day", numbers, dtype=pl.Int32).cast(pl.Date))
    wide = pl.Series("when", [number * 2**32 for number in numbers], dtype=pl.Int64).cast(pl.Datetime(unit))
    for found in (days, moments(wide)):
        years = found.dt.year().drop_nulls()
        assert years.is_between(1678, 2261).all()
        assert len(found) == len(numbers)
