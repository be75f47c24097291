"""Any type that a table or an expression gives becomes a logical one, or is no feature."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from training_assets.core.features.logical import as_feature, kind_of, logical
from training_assets.spec import Column

at = datetime.fromisoformat


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        (pl.Series("v", [1, None], dtype=pl.UInt8), [1, None], "numeric"),
        (pl.Series("v", [1.5, math.nan, math.inf, None], dtype=pl.Float32), [1.5, None, None, None], "numeric"),
        (pl.Series("v", [Decimal("1.50")]), [1.5], "numeric"),
        (pl.Series("v", [timedelta(minutes=1, milliseconds=500), None]), [60.5, None], "numeric"),
        (pl.Series("v", [True, False, None]), ["true", "false", None], "categorical"),
        (pl.Series("v", ["e\u0301", None]), ["é", None], "categorical"),
        (pl.Series("v", ["a", "b"], dtype=pl.Enum(["b", "a"])), ["a", "b"], "categorical"),
        (pl.Series("v", [date(2013, 1, 1), None]), [date(2013, 1, 1), None], "date"),
        (pl.Series("v", [at("2013-01-01")], dtype=pl.Datetime("ms", "Asia/Tokyo")), [at("2013-01-01")], "date"),
    ],
)
def test_features_are_quantities_categories_or_dates(values: pl.Series, expected: list[object], kind: str) -> None:
    made = as_feature(values)
    assert made is not None
    assert (made[0].name, made[0].to_list(), made[1]) == ("v", expected, kind)
    numbers, dates = (pl.Int64, pl.Float64), (pl.Date, pl.Datetime("us"))
    assert made[0].dtype in {"numeric": numbers, "categorical": (pl.String,), "date": dates}[kind]


@pytest.mark.parametrize("column", ["integer", "number", "string", "boolean", "date", "datetime"])
@pytest.mark.parametrize("categorical", [None, True, False])
def test_the_kind_of_a_raw_column_is_told_before_there_are_values(column: str, categorical: bool | None) -> None:
    if categorical and column in {"date", "datetime"}:
        return
    wanted = {"integer": "numeric", "number": "numeric", "string": "categorical", "boolean": "categorical"}
    given = {None: wanted.get(column, "date"), True: "categorical", False: "numeric"}[categorical]
    kind = kind_of(Column.model_validate({"type": column, "categorical": categorical}))
    assert kind == ("date" if column in {"date", "datetime"} else given)


@pytest.mark.parametrize("values", [[time(5)], [[1]], [None], [{"a": 1}], [b"x"]])
def test_other_types_are_no_feature(values: list[object]) -> None:
    assert as_feature(pl.Series("v", values)) is None


def test_times_are_naive_utc_in_microseconds() -> None:
    zoned = pl.Series("v", [at("2013-01-01 10:00")], dtype=pl.Datetime("ns")).dt.replace_time_zone("Europe/Berlin")
    found = logical(zoned)
    assert found.dtype == pl.Datetime("us")
    assert found.to_list() == [at("2013-01-01 09:00")]
