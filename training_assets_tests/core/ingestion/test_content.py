"""The digest of rows is what they are: any order of them is the same, any other value is not."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.ingestion.content import PIECE, content_digest

SCHEMA = {
    "n": pl.Int64,
    "x": pl.Float64,
    "s": pl.String,
    "b": pl.Boolean,
    "d": pl.Date,
    "t": pl.Datetime("us"),
}
GOLDEN = "3651a04e695cda07d6bbf92a6b3b718787daf8fcb2f6a5db5a9a5617e83706a6"
cells = st.tuples(
    st.none() | st.integers(-2, 2) | st.sampled_from([2**63 - 1, -(2**63)]),
    st.none() | st.sampled_from([0.0, 1.5, -1.5, 1e300, math.inf]),
    st.none() | st.sampled_from(["", "a", "b", "ab", "é", "a\x00"]),
    st.none() | st.booleans(),
    st.none() | st.dates(date(1960, 1, 1), date(1960, 1, 3)),
    st.none() | st.datetimes(datetime(1969, 12, 31), datetime(1970, 1, 2)),  # noqa: DTZ001 - tables hold UTC
)
tables = st.lists(cells, max_size=12)


def frame(lines: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(lines, schema=SCHEMA, orient="row")


def test_a_golden_digest_holds_it_still() -> None:
    """A batch that was ingested keeps its identity for ever: this text may never be edited."""
    rows = frame(
        [
            (1, 0.5, "Grüße", True, date(2026, 1, 1), datetime.fromisoformat("2026-01-01T12:00:00.000001")),
            (None, None, None, None, None, None),
            (-(2**63), -1e300, "", False, date(1969, 12, 31), datetime.fromisoformat("1960-01-01")),
        ]
    )
    assert content_digest(rows) == GOLDEN


@settings(max_examples=100)
@given(tables, st.randoms(use_true_random=False))
def test_no_order_of_rows_columns_or_chunks_changes_it(lines: list[tuple[Any, ...]], random: Any) -> None:
    rows = frame(lines)
    shuffled = list(lines)
    random.shuffle(shuffled)
    names = list(SCHEMA)
    random.shuffle(names)
    at = random.randint(0, len(lines))
    chunks = pl.concat([frame(shuffled[:at]), frame(shuffled[at:])], rechunk=False).select(names)
    assert content_digest(chunks) == content_digest(rows)


@settings(max_examples=200)
@given(tables, tables)
def test_equal_digests_are_equal_rows_as_often(one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]) -> None:
    assert (content_digest(frame(one)) == content_digest(frame(other))) == (Counter(one) == Counter(other))


@settings(max_examples=100)
@given(st.lists(cells, min_size=1, max_size=12), st.data())
def test_one_changed_cell_or_one_row_more_changes_it(lines: list[tuple[Any, ...]], data: Any) -> None:
    digest = content_digest(frame(lines))
    row, column = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(SCHEMA) - 1))
    changed = list(lines[row])
    changed[column] = data.draw(cells)[column]
    others = [*lines[:row], tuple(changed), *lines[row + 1 :]]
    assert (content_digest(frame(others)) == digest) == (changed[column] == lines[row][column])
    assert content_digest(frame([*lines, lines[row]])) != digest


def test_values_count_and_not_the_width_that_they_are_kept_in() -> None:
    rows = pl.DataFrame(
        {"n": [1, None], "x": [0.5, None], "s": ["a", "b"], "t": [datetime(2026, 1, 1, tzinfo=UTC)] * 2}
    )
    other = rows.with_columns(
        pl.col("n").cast(pl.Int8),
        pl.col("x").cast(pl.Float32),
        pl.col("s").cast(pl.Categorical),
        pl.col("t").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms"),
    )
    assert content_digest(other) == content_digest(rows)


def test_there_is_one_zero_and_one_nan_and_null_is_neither() -> None:
    def of(value: float | None) -> str:
        return content_digest(pl.DataFrame({"x": [value]}, schema={"x": pl.Float64}))

    assert of(0.0) == of(-0.0)
    assert of(math.nan) == of(-math.nan)
    assert len({of(0.0), of(math.nan), of(None)}) == 3


def test_names_and_types_are_part_of_it() -> None:
    frames = [
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"b": [1]}),
        pl.DataFrame({"a": [1.0]}),
        pl.DataFrame({"a": ["1"]}),
        pl.DataFrame({"a": [1]}, schema={"a": pl.String}, strict=False),
        pl.DataFrame({"a": [True]}),
        pl.DataFrame({"a": [1], "b": [None]}, schema={"a": pl.Int64, "b": pl.Int64}),
        pl.DataFrame({"a": []}, schema={"a": pl.Int64}),
        pl.DataFrame({"a": []}, schema={"a": pl.String}),
        pl.DataFrame({"a": ["x", "yz"], "b": ["yz", "x"]}),
        pl.DataFrame({"a": ["x", "yz"], "b": ["x", "yz"]}),
        pl.DataFrame({"a": ["xy", "z"], "b": ["yz", "x"]}),
    ]
    digests = [content_digest(each) for each in frames]
    assert digests[3] == digests[4]
    assert len(set(digests)) == len(frames) - 1


def test_more_rows_than_a_piece_holds_have_no_order_either() -> None:
    rows = pl.DataFrame({"n": range(2 * PIECE + 3)}).with_columns(s=(pl.col("n") % 7).cast(pl.String))
    assert content_digest(rows.sample(fraction=1, shuffle=True, seed=1)) == content_digest(rows)
    assert content_digest(rows.with_columns(pl.col("n").replace(PIECE, -1))) != content_digest(rows)


def test_types_without_a_digest_are_refused() -> None:
    for dtype in (pl.List(pl.Int64), pl.Duration("us"), pl.Null):
        with pytest.raises(TypeError, match="no content digest"):
            content_digest(pl.DataFrame({"a": [None]}, schema={"a": dtype}))
