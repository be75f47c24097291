from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

from training_assets.core.encoding.features import feature_columns, refuse_colliding_names
from training_assets.core.encoding.layout import FeatureKinds, Layout
from training_assets.core.errors import InputError

KINDS: FeatureKinds = {"size": "numeric", "colour": "categorical"}


def test_columns_are_found_by_name_in_the_order_of_the_kinds() -> None:
    rows = pl.DataFrame({"other": [1], "colour": ["red"], "size": [2.0]})
    columns = feature_columns(rows, KINDS)
    assert list(columns) == ["size", "colour"]
    assert columns["size"].to_list() == [2.0]


def test_a_name_that_reads_as_a_pattern_is_a_name() -> None:
    rows = pl.DataFrame({"^.*$": [1.0], "x": [2.0]})
    assert feature_columns(rows, {"^.*$": "numeric"})["^.*$"].to_list() == [1.0]


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="E_SCHEMA: rows lack 1 of 2 features: colour; add them"):
        feature_columns(pl.DataFrame({"size": [1.0]}), KINDS)


def test_a_message_about_many_columns_stays_short() -> None:
    kinds: FeatureKinds = {f"{'long' * 30} {index}": "numeric" for index in range(500)}
    with pytest.raises(InputError, match="and 480 more") as caught:
        feature_columns(pl.DataFrame({"size": [1.0]}), kinds)
    assert len(str(caught.value)) < 2048


@pytest.mark.parametrize("dtype", [pl.String, pl.Date, pl.List(pl.Int64)])
def test_what_is_no_number_is_refused_as_a_quantity(dtype: Any) -> None:
    rows = pl.DataFrame({"size": pl.Series([None], dtype=dtype), "colour": ["red"]})
    with pytest.raises(InputError, match=r"E_TYPE: .*size \(.*not numeric\)"):
        feature_columns(rows, KINDS)


def test_dates_come_as_moments() -> None:
    rows = pl.DataFrame({"when": ["2026-01-31", None]})
    columns = feature_columns(rows, {"when": "date"})
    assert columns["when"].to_list() == [datetime.fromisoformat("2026-01-31"), None]


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Int64, pl.Time])
def test_what_is_no_date_is_refused_as_one(dtype: Any) -> None:
    rows = pl.DataFrame({"when": pl.Series([None], dtype=dtype)})
    with pytest.raises(InputError, match=r"E_TYPE: .*when \(.*not date\)"):
        feature_columns(rows, {"when": "date"})


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Date])
def test_what_has_no_sure_text_is_refused_as_a_category(dtype: Any) -> None:
    rows = pl.DataFrame({"size": [1.0], "colour": pl.Series([None], dtype=dtype)})
    with pytest.raises(InputError, match=r"E_TYPE: .*colour \(.*not categorical\)"):
        feature_columns(rows, KINDS)


@pytest.mark.parametrize(
    ("quantities", "codes"),
    [
        (("x", "x__scaled"), {}),
        (("c__code",), {"c": 3}),
        (("c__target",), {"c": 3}),
        (("_row",), {}),
        (("c",), {"c": 3}),
    ],
)
def test_names_that_would_collide_are_refused(quantities: tuple[str, ...], codes: dict[str, int]) -> None:
    layout = Layout("binary", 2, quantities, codes, (), {name: (f"{name}__target",) for name in codes})
    with pytest.raises(InputError, match="E_NAME"):
        refuse_colliding_names(layout)


def test_names_that_merely_look_alike_are_fine() -> None:
    refuse_colliding_names(Layout("binary", 2, ("x", "x_", "scaled"), {"c": 3, "c_code": 3}, ("c",), {}))
