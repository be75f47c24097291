"""A row cannot have arisen after it arrived."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from training_assets.core.validation.arrival import TOLERANCE, future_breaks
from training_assets.core.validation.quarantine import sort_rows
from training_assets_tests.core.small_spec import raw_rows, small_spec

ARRIVED = datetime(2026, 6, 1, 12, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_only_times_of_rows_are_compared_and_a_day_is_tolerated(kind: str) -> None:
    spec = small_spec({"when": {"type": kind, "role": "time"}, "ends": kind})
    times = pl.Series([ARRIVED - timedelta(1), ARRIVED + TOLERANCE, ARRIVED + TOLERANCE * 2, None])
    cells = times.cast(pl.Date) if kind == "date" else times
    rows = pl.DataFrame({"when": cells, "ends": cells})
    (broken,) = future_breaks(rows, spec, ARRIVED)
    assert (broken.column, broken.rule) == ("when", "future")
    assert broken.rows.to_list() == [False, False, True, False]


def test_a_row_from_the_future_is_set_aside_with_its_value() -> None:
    spec = small_spec({"when": {"type": "date", "role": "time"}, "n": "integer"})
    raw = raw_rows({"when": ["2026-06-01", "2062-06-01"], "n": ["1", "2"], "y": ["a", "b"]})
    rows = sort_rows(raw, spec, ARRIVED)
    assert rows.rows["when"].to_list() == [date(2026, 6, 1)]
    assert rows.quarantined.select("_row", "column", "rule", "value").rows() == [(2, "when", "future", "2062-06-01")]


def test_without_a_time_of_arrival_nothing_is_compared() -> None:
    spec = small_spec({"when": {"type": "date", "role": "time"}, "n": "integer"})
    assert sort_rows(raw_rows({"when": ["2062-06-01"], "n": ["1"], "y": ["a"]}), spec).counts["kept"] == 1
