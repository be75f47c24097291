"""Cells become values exactly or not at all, and the broken rule has a name."""

from __future__ import annotations

import math
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.validation.casting import Cast, cast
from training_assets_tests.core.small_spec import column

# Naive UTC is the logical type of times.
at = datetime.fromisoformat


def text(kind: str, cells: list[str | None], decimal: str = ".", **rules: Any) -> Cast:
    return cast(pl.Series("c", cells, dtype=pl.String), column(kind, **rules), decimal)


def broken(done: Cast) -> dict[str, list[int]]:
    return {rule: mask.arg_true().to_list() for rule, mask in done.failures}


def one(kind: str, cell: str, **rules: Any) -> object:
    """The value of one cell, or the name of the rule that it breaks."""
    done = text(kind, [cell], **rules)
    assert len(done.failures) <= 1
    return done.failures[0][0] if done.failures else done.values[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("41", 41),
        ("+5", 5),
        ("-3", -3),
        ("007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", "type"),
        ("1" * 400, "type"),
        ("1.0", "type"),
        ("1e3", "type"),
        (" 30 ", "type"),
        ("\u00a05", "type"),
        ("1,234", "type"),
        ("1_000", "type"),
        ("0x1F", "type"),
        ("٣", "type"),
        ("", "type"),
        ("word", "type"),
    ],
)
def test_integer_text_is_read_exactly_or_not_at_all(cell: str, expected: object) -> None:
    assert one("integer", cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1.5", 1.5),
        ("+5", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("0", 0.0),
        ("0e5", 0.0),
        ("-0.000", 0.0),
        ("5e-324", 5e-324),
        ("1234567890123456789012345", 1.2345678901234568e24),
        ("nan", "nonfinite"),
        ("NaN", "nonfinite"),
        ("inf", "nonfinite"),
        ("-Infinity", "nonfinite"),
        ("1e400", "range"),
        ("-1e400", "range"),
        ("1e-400", "range"),
        ("0.00e-400", 0.0),
        (" 30 ", "type"),
        ("1,5", "type"),
        ("1 000", "type"),
        ("1e", "type"),
        ("1.5f", "type"),
    ],
)
def test_number_text_never_overflows_in_silence(cell: str, expected: object) -> None:
    assert one("number", cell) == expected


def test_a_decimal_comma_leaves_no_room_for_a_point() -> None:
    done = text("number", ["1,5", "1.5", "1.234,5", "7", "1,2,3", None], decimal=",")
    assert done.values.to_list() == [1.5, None, None, 7.0, None, None]
    assert broken(done) == {"type": [1, 2, 4]}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("true", True), ("TRUE", True), ("False", False), ("1", "type"), ("yes", "type"), (" true", "type")],
)
def test_booleans_are_two_words(cell: str, expected: object) -> None:
    assert one("boolean", cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2013-01-31", date(2013, 1, 31)),
        ("2013-02-30", "date"),
        ("2013-1-1", "date"),
        (" 2013-01-01", "date"),
        ("+2013-01-01", "date"),
        ("2013-01-01 00:00:00", "date"),
        ("01/02/2013", "date"),
        ("9999-12-31", "date"),
        ("1582-10-15", "date"),
        ("292277026596-01-01", "date"),
        ("1678-01-01", date(1678, 1, 1)),
        ("2261-12-31", date(2261, 12, 31)),
    ],
)
def test_dates_are_iso_and_plausible(cell: str, expected: object) -> None:
    assert one("date", cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2013-01-01 05:00:00", at("2013-01-01 05:00:00")),
        ("2013-01-01T05:00", at("2013-01-01 05:00:00")),
        ("2013-01-01T05:00:00.25", at("2013-01-01 05:00:00.250000")),
        ("2013-01-01T05:00:00Z", at("2013-01-01 05:00:00")),
        ("2013-01-01T05:00:00+02:00", at("2013-01-01 03:00:00")),
        ("2013-01-01T05:00-0130", at("2013-01-01 06:30:00")),
        ("2013-01-01", "date"),
        ("2013-01-01 24:00:00", "date"),
        ("2013-01-01 23:59:60", "date"),
        ("2013-13-01 05:00:00", "date"),
        ("05:00:00", "date"),
        ("9999-01-01 00:00:00", "date"),
    ],
)
def test_date_times_become_naive_utc(cell: str, expected: object) -> None:
    assert one("datetime", cell) == expected


def test_where_some_times_have_an_offset_the_others_are_ambiguous() -> None:
    done = text("datetime", ["2013-01-01T05:00:00Z", "2013-01-01T05:00:00", None])
    assert broken(done) == {"date": [1]}


def test_a_format_is_the_only_one() -> None:
    done = text("date", ["31/01/2013", "2013-01-31", " 31/01/2013"], format="%d/%m/%Y")
    assert done.values.to_list() == [date(2013, 1, 31), None, None]
    assert broken(done) == {"date": [1, 2]}
    timed = text("datetime", ["31/01/2013 10:30", "x"], format="%d/%m/%Y %H:%M")
    assert timed.values[0] == at("2013-01-31 10:30:00")
    zoned = text("datetime", ["2013-01-31 10:30 +0200"], format="%Y-%m-%d %H:%M %z")
    assert zoned.values[0] == at("2013-01-31 08:30:00")


def test_a_format_that_is_none_is_the_users_to_mend() -> None:
    with pytest.raises(InputError, match=r"E_FORMAT: columns\.c\.format '%d/%m/%Y %Hh' is no date format"):
        text("datetime", ["31/01/2013 10h"], format="%d/%m/%Y %Hh")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("e\u0301", "é"),
        ("é", "é"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("\x1b[31mred", "control"),
        ("a\x00b", "control"),
        ("a\x85b", "control"),
        ("\u202egpj.exe", "unicode"),
        ("zero\u200bwidth", "unicode"),
        ("\ufeffmark", "unicode"),
    ],
)
def test_text_is_composed_and_holds_no_hidden_marks(cell: str, expected: object) -> None:
    assert one("string", cell) == expected


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=20))
def test_integers_come_back_as_they_were_written(values: list[int | None]) -> None:
    done = text("integer", [None if value is None else str(value) for value in values])
    assert done.values.to_list() == values
    assert done.failures == ()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_numbers_come_back_to_the_bit(values: list[float]) -> None:
    done = text("number", [repr(value) for value in values])
    assert [struct.pack("d", value) for value in done.values] == [struct.pack("d", value) for value in values]


moments = st.datetimes(min_value=at("1700-01-01"), max_value=at("2200-01-01"))


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_offset(moment: datetime, minutes: int) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    assert one("datetime", local.isoformat()) == moment


def test_parquet_floats_that_are_no_numbers_are_broken_cells() -> None:
    cells = pl.Series("c", [1.5, math.nan, math.inf, -math.inf, None])
    done = cast(cells, column("number"))
    assert done.values.to_list() == [1.5, None, None, None, None]
    assert broken(done) == {"nonfinite": [1, 2, 3]}


def test_floats_are_integers_only_where_every_digit_is_known() -> None:
    done = cast(pl.Series("c", [7.0, 7.5, math.nan, 2.0**53, 2.0**53 + 2, None]), column("integer"))
    assert done.values.to_list() == [7, None, None, 2**53, None, None]
    assert broken(done) == {"nonfinite": [2], "type": [1, 4]}


def test_unsigned_integers_beyond_64_bits_signed_are_broken_cells() -> None:
    done = cast(pl.Series("c", [1, 2**64 - 1], dtype=pl.UInt64), column("integer"))
    assert done.values.to_list() == [1, None]
    assert broken(done) == {"type": [1]}


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        (pl.Series([1, 2], dtype=pl.Int8), "number", [1.0, 2.0]),
        (pl.Series([1, 2]), "string", ["1", "2"]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), "string", ["a", "b"]),
        (pl.Series([None, None]), "integer", [None, None]),
        (pl.Series(["1", "2"]), "integer", [1, 2]),
        (pl.Series([True, None]), "boolean", [True, None]),
        (pl.Series([date(2013, 1, 1)]), "datetime", [at("2013-01-01")]),
        (
            pl.Series([at("2013-01-01 10:00:00")]).dt.replace_time_zone("Europe/Berlin"),
            "datetime",
            [at("2013-01-01 09:00:00")],
        ),
        (
            pl.Series([at("2013-01-01")], dtype=pl.Datetime("ns")),
            "datetime",
            [at("2013-01-01")],
        ),
    ],
)
def test_parquet_types_widen_without_loss(cells: pl.Series, kind: str, expected: list[object]) -> None:
    done = cast(cells, column(kind))
    assert done.values.to_list() == expected
    assert done.failures == ()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pl.Series("c", [1.5]), "string"),
        (pl.Series("c", [True]), "integer"),
        (pl.Series("c", [1]), "boolean"),
        (pl.Series("c", [1]), "date"),
        (pl.Series("c", [at("2013-01-01")]), "date"),
        (pl.Series("c", [[1]]), "number"),
        (pl.Series("c", [date(2013, 1, 1)]), "number"),
        (pl.Series("c", [1.5]), "datetime"),
    ],
)
def test_a_column_of_another_type_is_refused_whole(cells: pl.Series, kind: str) -> None:
    with pytest.raises(InputError, match=rf"E_TYPE: column 'c' is .* in the file and {kind} in the spec"):
        cast(cells, column(kind))


@pytest.mark.parametrize(
    ("kind", "cell", "sound"),
    [
        ("integer", "7", True),
        ("integer", "0", True),
        ("integer", "-0", True),
        ("integer", "007", False),
        ("integer", "-07", False),
        ("number", "0.5", True),
        ("number", "9007199254740991", True),
        ("number", "9007199254740993", False),
        ("number", "00.5", False),
        ("string", "007", True),
    ],
)
def test_two_keys_never_become_one(kind: str, cell: str, *, sound: bool) -> None:
    cells = pl.Series("id", [cell, None])
    for role in ("key", "group"):
        done = cast(cells, column(kind, role=role))
        assert [(rule, mask.to_list()) for rule, mask in done.failures] == ([] if sound else [("type", [True, False])])
    assert cast(cells, column(kind)).failures == ()
