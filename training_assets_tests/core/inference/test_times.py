"""Which date is the rows' own, and what is made from it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.times import free_name, with_time, working
from training_assets.spec import Column

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=at) for at in range(100)]
TIMES = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=at) for at in range(100)]  # noqa: DTZ001 -- naive is UTC here


def timed(**values: list[Any]) -> tuple[dict[str, Column], dict[str, str], Notes]:
    rows = pl.DataFrame({"y": [0, 1] * 50, **values})
    kinds = {pl.Date(): "date", pl.Datetime("us"): "datetime", pl.Int64(): "integer"}
    columns = {name: Column.model_validate({"type": kinds[dtype]}) for name, dtype in rows.schema.items()}
    notes = Notes()
    return *with_time(columns, rows, "y", notes), notes


def test_a_date_gives_weekday_and_month() -> None:
    columns, derived, notes = timed(dteday=DAYS)
    assert columns["dteday"].role == "time"
    assert derived == {
        "dteday_weekday": "EXTRACT(dow FROM dteday)",
        "dteday_month": "EXTRACT(month FROM dteday)",
    }
    said = "'dteday' says when a row arose, but the split is stratified, not by time; to test on the newest rows, set "
    assert notes.assumptions == [said + "split: {method: time, validation_from: '2024-03-10', test_from: '2024-03-25'}"]


def test_a_time_gives_the_hour_and_only_what_varies() -> None:
    _, derived, _ = timed(ts=TIMES)
    assert list(derived) == ["ts_weekday", "ts_hour"]


@pytest.mark.parametrize("name", ["Date", "date", "Order Date", "time", "select", "größe", "a-b"])
def test_names_are_quoted_where_sql_needs_it(name: str) -> None:
    rows = pl.DataFrame({name: DAYS})
    sql = working("EXTRACT(dow FROM {})", name, rows)
    assert sql in {f"EXTRACT(dow FROM {name})", f'EXTRACT(dow FROM "{name}")'}
    assert pl.SQLContext(t=rows).execute(f"SELECT {sql} FROM t", eager=True).to_series().n_unique() == 7  # noqa: S608 -- made here


def test_an_expression_that_fails_or_never_varies_is_none() -> None:
    rows = pl.DataFrame({"x": ["a", "b"], "d": [DAYS[0], DAYS[0]]})
    assert working("EXTRACT(dow FROM {})", "x", rows) is None
    assert working("EXTRACT(dow FROM {})", "d", rows) is None


def test_dates_of_the_outcome_come_last() -> None:
    columns, derived, notes = timed(reservation_status_date=DAYS, arrival_date=DAYS, label_date=DAYS)
    assert {name: column.role for name, column in columns.items()} == {
        "y": "feature",
        "reservation_status_date": "ignored",
        "arrival_date": "time",
        "label_date": "ignored",
    }
    assert all(name.startswith("arrival_date_") for name in derived)
    assert [question.key for question in notes.questions] == ["columns.arrival_date.role"]


def test_a_date_that_never_varies_is_left_out() -> None:
    columns, derived, _ = timed(day=[DAYS[0]] * 100, none=DAYS)
    assert columns["day"].role == "ignored"
    assert columns["none"].role == "time"
    assert derived


def test_no_date_no_time() -> None:
    columns, derived, notes = timed(x=list(range(100)))
    assert (derived, notes.assumptions, columns["x"].role) == ({}, [], "feature")


def test_a_derived_name_is_free() -> None:
    _, derived, _ = timed(day=DAYS, day_month=list(range(100)), Day_Weekday=list(range(100)))
    assert list(derived) == ["day_weekday_2", "day_month_2"]
    assert free_name("a", {"A", "a_2"}) == "a_3"


def test_dates_that_are_never_later_are_features_with_the_days_since_them() -> None:
    before = [day - dt.timedelta(days=at % 7) for at, day in enumerate(DAYS)]
    born = [dt.date(1980, 1, 1) + dt.timedelta(days=31 * at) for at in range(100)]
    late = [*DAYS[:99], DAYS[99] + dt.timedelta(days=1)]
    columns, derived, notes = timed(ordered=DAYS, signed=before, date_of_birth=born, ships=late, closed=before)
    assert {name: column.role for name, column in columns.items()} == {
        "y": "feature",
        "ordered": "time",
        "signed": "feature",
        "date_of_birth": "feature",
        "ships": "ignored",
        "closed": "ignored",
    }
    assert derived["ordered_since_signed"] == '"ordered" - signed'
    assert derived["ordered_since_date_of_birth"] == '"ordered" - date_of_birth'
    assert "never later" in notes.questions[0].proposal
