"""Dates become parts, sines and cosines, and days elapsed."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest
from skrub import DatetimeEncoder  # type: ignore[import-untyped]  # has no types

from training_assets.core.encoding.dates import DateParts
from training_assets.core.features.encodable import origin
from training_assets.spec.encoding import AsDate

at = datetime.fromisoformat
MOMENTS = pl.Series(
    "when", [at("2024-02-29 05:30"), None, at("2026-12-31 23:59:30"), at("2026-01-01"), at("1999-07-04 12:00")]
)


def parts_of(moments: pl.Series = MOMENTS, others: dict[str, pl.Series] | None = None, **own: object) -> pl.DataFrame:
    fitted = DateParts.fit("when", moments, AsDate.model_validate({"method": "date", **own}))
    columns = {"when": moments, **(others or {})}
    values = fitted.values(columns)
    assert DateParts.from_json(fitted.to_json()) == fitted
    return pl.DataFrame({slot.name: each for slot, each in zip(fitted.slots, values, strict=True)})


def test_parts_are_those_of_skrub() -> None:
    made = parts_of()
    settings = {"resolution": "hour", "add_weekday": True, "add_day_of_year": True}
    expected = DatetimeEncoder(**settings).fit_transform(MOMENTS)
    for part in ("year", "month", "day", "weekday", "day_of_year"):
        np.testing.assert_array_equal(made[f"when__{part}"].to_numpy(), expected[f"when_{part}"].to_numpy(), part)
    np.testing.assert_array_equal(made["when__hour"].floor().to_numpy(), expected["when_hour"].to_numpy())
    assert made["when__hour"][0] == 5.5


def test_what_comes_round_is_the_sine_and_cosine_of_skrub() -> None:
    made = parts_of(MOMENTS.dt.truncate("1h"))
    settings = {"resolution": "hour", "add_weekday": True, "periodic_encoding": "circular"}
    expected = DatetimeEncoder(**settings).fit_transform(MOMENTS.dt.truncate("1h"))
    for part in ("month", "weekday", "hour"):
        for index, wave in enumerate(("sin", "cos")):
            found, wanted = made[f"when__{part}_{wave}"], expected[f"when_{part}_circular_{index}"]
            np.testing.assert_allclose(found.to_numpy(), wanted.to_numpy(), atol=1e-6)


def test_the_linear_family_reads_waves_and_trees_the_parts_behind_them() -> None:
    slots = {slot.name: slot.readers for slot in DateParts.fit("when", MOMENTS, AsDate(method="date")).slots}
    assert slots["when__month"] == slots["when__hour"] == "trees"
    assert slots["when__month_sin"] == slots["when__hour_cos"] == "linear"
    assert slots["when__year"] == slots["when__day"] == slots["when__elapsed"] == "all"


def test_without_waves_all_read_the_parts() -> None:
    own = AsDate(method="date", cyclic=False)
    assert {slot.readers for slot in DateParts.fit("when", MOMENTS, own).slots} == {"all"}


def test_days_elapse_from_the_earliest_moment_of_training() -> None:
    assert parts_of(parts=["elapsed"])["when__elapsed"].to_list() == pytest.approx(
        [9005.729, None, 10042.5, 9677.5, 0.0], abs=0.001
    )


def test_days_elapse_from_a_stated_day_or_another_date() -> None:
    elapsed = parts_of(parts=["elapsed"], since="2026-01-01")["when__elapsed"]
    assert elapsed[3] == 0.0
    assert elapsed[0] < 0 < elapsed[2]
    opened = pl.Series([at("2024-02-28 05:30"), at("2024-01-01"), None, at("2026-01-02"), at("1999-07-04")])
    found = parts_of(others={"opened": opened}, parts=["elapsed"], since="opened")
    assert found["when__elapsed"].to_list() == [1.0, None, None, -1.0, 0.5]


def test_parts_that_never_vary_are_left_out_unless_they_are_asked_for() -> None:
    days = pl.Series("when", [at("2026-01-01"), at("2026-01-02"), None])
    assert [name for name in parts_of(days).columns if not name.endswith(("sin", "cos"))] == [
        "when__day",
        "when__weekday",
        "when__day_of_year",
        "when__elapsed",
    ]
    assert parts_of(days, parts=["hour", "year", "hour"], cyclic=False).columns == ["when__year", "when__hour"]


def test_dates_without_any_value_have_days_elapsed_alone() -> None:
    empty = pl.Series("when", [None, None], dtype=pl.Datetime("us"))
    assert parts_of(empty).to_dict(as_series=False) == {"when__elapsed": [None, None]}


@pytest.mark.parametrize("text", ["2026-13-01", "opened", "2026-01-01T00:00:00+01:00"])
def test_an_origin_is_an_iso_time_in_utc(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin(text)
