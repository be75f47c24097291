"""A format is named only where every value obeys it, and where two do, both are named."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.inference.dates import Dates, dates_in


def found(*texts: str, name: str = "x") -> Dates | None:
    return dates_in(pl.Series(name, texts, dtype=pl.String), name)


@pytest.mark.parametrize(
    ("texts", "kind", "spelling"),
    [
        (["2024-02-29", "1999-12-31"], "date", "%Y-%m-%d"),
        (["2024/2/29"], "date", "%Y/%m/%d"),
        (["29.02.2024"], "date", "%d.%m.%Y"),
        (["29/02/2024", "01/02/2024"], "date", "%d/%m/%Y"),
        (["02/29/2024", "01/02/2024"], "date", "%m/%d/%Y"),
        (["29-Feb-2024"], "date", "%d-%b-%Y"),
        (["29 February 2024"], "date", "%d %B %Y"),
        (["Feb 29, 2024"], "date", "%b %d, %Y"),
        (["2024-02-29 12:30", "2024-02-29 09:05"], "datetime", "%Y-%m-%d %H:%M"),
        (["2024-02-29 12:30:01"], "datetime", "%Y-%m-%d %H:%M:%S"),
        (["2024-02-29T12:30:01", "2024-02-29T12:30:01.5"], "datetime", "%Y-%m-%dT%H:%M:%S%.f"),
        (["2013-01-01T10:00:00Z"], "datetime", "%Y-%m-%dT%H:%M:%SZ"),
        (["2013-01-01 10:00:00+01:00"], "datetime", "%Y-%m-%d %H:%M:%S%#z"),
        (["31/01/2018 00:15"], "datetime", "%d/%m/%Y %H:%M"),
        (["1/31/2018 1:05 PM"], "datetime", "%m/%d/%Y %I:%M %p"),
    ],
)
def test_formats_of_real_files_are_found(texts: list[str], kind: str, spelling: str) -> None:
    assert found(*texts) == Dates(kind, spelling)  # type: ignore[arg-type]  # a literal


@pytest.mark.parametrize("texts", [["01/02/2024", "03/04/2024"], ["1-2-2024"], ["01/02/24"]])
def test_day_and_month_that_may_change_places_are_both_named(texts: list[str]) -> None:
    dates = found(*texts)
    assert dates is not None
    assert dates.format.startswith("%d")
    assert dates.alternative is not None
    assert dates.alternative.startswith("%m")


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["2024-02-30"],
        ["2024-02-29", "soon"],
        ["2024-02-29", "29.02.2024"],
        ["2024-02-29", "2024-02-29 12:00"],
        ["18.00.00"],
        ["10:30"],
        ["Mar-2018"],
        ["2024"],
        ["1.5"],
        ["99-01-01"],
        ["2024-02-29 25:00"],
    ],
)
def test_what_is_no_date_throughout_is_none(texts: list[str]) -> None:
    assert found(*texts) is None


def test_eight_digits_are_a_date_only_by_name() -> None:
    assert found("20240229", "20231231", name="ymd") == Dates("date", "%Y%m%d")
    assert found("20240229", "20231231", name="order_date") == Dates("date", "%Y%m%d")
    assert found("20240229", "20231231", name="amount") is None
    assert found("20240229", "20231331", name="date") is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2050, 1, 1)), min_size=1, max_size=20, unique=True),  # noqa: DTZ001 -- naive is UTC here
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M", "%d %B %Y"]),
)
def test_written_dates_are_read_back(times: list[dt.datetime], spelling: str) -> None:
    texts = [time.strftime(spelling) for time in times]
    dates = found(*texts)
    if spelling == "%d %B %Y" and {time.month for time in times} & {5}:
        return  # `May` is its own abbreviation
    assert dates is not None
    assert spelling in {dates.format, dates.alternative}
