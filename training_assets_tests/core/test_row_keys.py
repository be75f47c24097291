"""Row keys never change: not with the order of anything, not with a library, not with the years."""

from __future__ import annotations

import hashlib
import math
import time
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.row_keys import hashed, mix, row_keys, share, text_bits
from training_assets_tests.core.small_spec import small_spec

MASK = 2**64 - 1
COLUMNS = {"n": "integer", "x": "number", "s": "string", "b": "boolean", "d": {"type": "date", "role": "time"}}
SPEC = small_spec(COLUMNS)
GOLDEN_KEYS = [-6356625008395986686, 2831888846161964100, 2013736721749161023, -260601184276876708]
GOLDEN_MIXED = [
    13771991029614313458,
    14611562362366343584,
    14635238272197347409,
    3548285879813412495,
    14067753045230406078,
    6679874439528508108,
    17032102769337472380,
    2869161613630052551,
]
SCHEMA = {"n": pl.Int64, "x": pl.Float64, "s": pl.String, "b": pl.Boolean, "d": pl.Date, "y": pl.String}


def frame(*lines: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(lines), schema=SCHEMA, orient="row")


def test_golden_keys() -> None:
    """These numbers decide which rows are test rows of every model ever made; they may never be edited."""
    rows = frame(
        (1, 0.5, "a", True, date(2013, 1, 1), "yes"),
        (-(2**63), -1e300, "Grüße 👋", False, date(1969, 12, 31), "no"),
        (None, None, None, None, None, "no"),
        (0, 0.0, "", False, date(1970, 1, 1), "no"),
    )
    keys = row_keys(rows, SPEC)
    assert (keys.name, keys.dtype) == ("_key", pl.Int64())
    assert keys.to_list() == GOLDEN_KEYS


def test_golden_mixed_bits() -> None:
    given_bits = np.array([0, 1, 2**63, MASK], dtype=np.uint64)
    assert [int(bits) for bits in [*mix(given_bits, "0"), *mix(given_bits, "salt")]] == GOLDEN_MIXED


def splitmix64(bits: int) -> int:
    """One step of splitmix64 in plain integers, as published."""
    bits = (bits + 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


def plain_text_bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def test_splitmix_is_the_published_one() -> None:
    # First outputs of the reference implementation seeded with 0 and with 1234567.
    assert splitmix64(0) == 0xE220A8397B1DCDAF
    assert splitmix64(1234567) == 6457827717110365317


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20))
def test_integers_are_hashed_by_their_bits(values: list[int | None]) -> None:
    expected = [0x243F6A8885A308D3 if value is None else splitmix64(value & MASK) for value in values]
    assert hashed(pl.Series(values, dtype=pl.Int64)).tolist() == expected


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=20))
def test_text_is_hashed_by_its_blake2b(values: list[str | None]) -> None:
    expected = [0x243F6A8885A308D3 if value is None else splitmix64(plain_text_bits(value)) for value in values]
    assert hashed(pl.Series(values, dtype=pl.String)).tolist() == expected


def test_floats_have_one_zero_and_one_nan() -> None:
    bits = hashed(pl.Series([0.0, -0.0, math.nan, -math.nan, 1.0])).tolist()
    assert bits[0] == bits[1]
    assert bits[2] == bits[3]
    assert len(set(bits)) == 3
    assert bits[4] == splitmix64(0x3FF0000000000000)


def test_dates_and_booleans_are_hashed_by_their_bits() -> None:
    assert hashed(pl.Series([date(1970, 1, 2)])).tolist() == [splitmix64(1)]
    moment = pl.Series([datetime.fromisoformat("1970-01-01 00:00:01")], dtype=pl.Datetime("us"))
    assert hashed(moment).tolist() == [splitmix64(1_000_000)]
    assert hashed(pl.Series([False, True])).tolist() == [splitmix64(0), splitmix64(1)]


cells = st.tuples(
    st.one_of(st.none(), st.integers(-3, 3)),
    st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5, 1e300])),
    st.one_of(st.none(), st.sampled_from(["", "a", "é", "b"])),
    st.one_of(st.none(), st.booleans()),
    st.one_of(st.none(), st.dates(date(1960, 1, 1), date(1960, 1, 3))),
    st.sampled_from(["yes", "no"]),
)
tables = st.lists(cells, max_size=30)


@settings(max_examples=50, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_no_order_of_rows_columns_or_chunks_changes_a_key(table: list[tuple[Any, ...]], random: Any) -> None:
    rows = frame(*table)
    keys = row_keys(rows, SPEC).to_list()
    order = list(range(rows.height))
    random.shuffle(order)
    assert row_keys(rows[order], SPEC).to_list() == [keys[at] for at in order]
    assert row_keys(rows.select(reversed(rows.columns)), SPEC).to_list() == keys
    other_way = small_spec(dict(reversed(COLUMNS.items())))
    assert row_keys(rows, other_way).to_list() == keys
    if rows.height:
        cut = random.randrange(rows.height)
        in_chunks = pl.concat([rows[:cut], rows[cut:]], rechunk=False)
        assert row_keys(in_chunks, SPEC).to_list() == keys
        assert [row_keys(rows[at], SPEC)[0] for at in range(rows.height)] == keys


@settings(max_examples=50, deadline=None)
@given(tables)
def test_keys_are_equal_exactly_where_content_is(table: list[tuple[Any, ...]]) -> None:
    keys = row_keys(frame(*table), SPEC).to_list()
    content = [line[:5] for line in table]  # the label is not content; -0.0 == 0.0 in Python, too
    for one, its_key in zip(content, keys, strict=True):
        for other, other_key in zip(content, keys, strict=True):
            assert (one == other) == (its_key == other_key)


def test_values_count_for_the_column_that_they_stand_in() -> None:
    spec = small_spec({"a": "integer", "b": "integer"})
    rows = pl.DataFrame({"a": [1, 2, None, 1], "b": [2, 1, 1, None], "y": ["x"] * 4})
    assert row_keys(rows, spec).n_unique() == 4


def test_key_columns_alone_decide_where_there_are_any() -> None:
    spec = small_spec({"id": {"type": "string", "role": "key"}, "x": "number"})
    rows = pl.DataFrame({"id": ["a", "a", "b"], "x": [1.0, 2.0, 1.0], "y": ["p", "q", "p"]})
    one, two, other = row_keys(rows, spec)
    assert one == two != other


@pytest.mark.parametrize("role", ["leaking", "ignored"])
def test_what_the_model_may_not_read_is_no_content(role: str) -> None:
    spec = small_spec({"x": "number", "extra": {"type": "number", "role": role}})
    rows = pl.DataFrame({"x": [1.0, 1.0], "extra": [1.0, 2.0], "y": ["a", "b"]})
    assert row_keys(rows, spec).n_unique() == 1


def test_a_salt_makes_other_bits_that_are_as_good() -> None:
    bits = np.arange(100_000, dtype=np.uint64)
    one, other = share(mix(bits, "0")), share(mix(bits, "1"))
    assert 0 <= one.min() < one.max() < 1
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    counts = np.bincount((one * 100).astype(int), minlength=100)
    assert (np.abs(counts - 1000) < 5 * math.sqrt(1000)).all()


def test_shares_never_reach_one() -> None:
    assert share(np.array([0, MASK], dtype=np.uint64)).tolist() == [0.0, 1 - 2**-53]


def test_a_million_rows_hold_no_two_keys_that_meet() -> None:
    # Sequential numbers are the worst case of a weak mixer; 64 bits and a million rows expect 0.00003 collisions.
    spec = small_spec({"a": "integer", "b": "integer"})
    rows = pl.select(
        pl.int_range(1_000_000).alias("a") // 1000, (pl.int_range(1_000_000) % 1000).alias("b"), pl.lit("x").alias("y")
    )
    begun = time.perf_counter()
    assert row_keys(rows, spec).n_unique() == 1_000_000
    assert time.perf_counter() - begun < 10


def test_text_bits_are_the_same_as_ever() -> None:
    assert int(text_bits("")) == plain_text_bits("") == 13020603013274838756
