"""Golden rows: the real ones, and those that serving gets wrong first."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from training_assets.core.golden import EXACT, REAL, UNSEEN, golden_rows

ROWS = pl.DataFrame(
    {
        "amount": [1.5, None, -200.0, float("nan")],
        "count": [3, None, 7, 1],
        "huge": [2**60, 1, None, 0],
        "plan": ["basic", "pro", None, ""],
        "yes": [True, None, False, True],
        "day": [date(2026, 1, 1), None, date(2026, 2, 1), date(2026, 3, 1)],
        "at": [datetime(2026, 1, 1, 12), None, datetime(2026, 1, 2), datetime(2026, 1, 3)],  # noqa: DTZ001 - as rows have them
        "zoned": [datetime(2026, 1, 1, tzinfo=UTC)] * 4,
        "nothing": pl.Series([None] * 4, dtype=pl.Float64),
    }
)


def test_real_rows_come_first_and_awkward_ones_last() -> None:
    found = golden_rows(ROWS)
    assert found.schema == ROWS.schema
    assert found.height == ROWS.height + 4
    assert sorted(found.head(4)["count"].to_list(), key=str) == sorted(ROWS["count"].to_list(), key=str)
    empty, high, low, zeros = found.tail(4).to_dicts()
    assert set(empty.values()) == {None}
    assert (high["plan"], low["plan"], zeros["plan"]) == (UNSEEN, UNSEEN, "")
    assert (high["amount"], low["amount"]) == (2010.0, -2010.0)
    assert (high["count"], low["count"], zeros["count"]) == (80, -80, 0)
    assert (high["huge"], low["huge"]) == (EXACT, -EXACT)
    assert (high["yes"], low["yes"], zeros["yes"]) == (True, False, False)
    assert low["day"] < ROWS["day"].min() < ROWS["day"].max() < high["day"]
    assert low["at"] < ROWS["at"].min() < ROWS["at"].max() < high["at"]
    assert low["zoned"] < ROWS["zoned"].min() < high["zoned"]
    assert high["nothing"] == 10


def test_they_are_the_same_each_time_and_at_most_so_many() -> None:
    many = pl.DataFrame({"n": range(1000)})
    assert golden_rows(many).height == REAL + 4
    assert golden_rows(many).equals(golden_rows(many))
