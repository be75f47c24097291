"""Delimited text: every dialect that a spec can declare, and every irregularity refused with its line."""

from __future__ import annotations

import time
from typing import Any

import polars as pl
import pytest

from training_assets.core.ingestion.delimited import records
from training_assets_tests.core.ingestion.made_files import refusal, table


def cells(data: bytes | str, **dialect: Any) -> list[tuple[str | None, ...]]:
    return table(data, **dialect).rows()


@pytest.mark.parametrize(
    ("data", "dialect"),
    [
        ("a,b\n1,x\n2,y\n", {}),
        ("a,b\n1,x\n2,y", {}),
        ("a,b\r\n1,x\r\n2,y\r\n", {}),
        ("a,b\r\n1,x\r\n2,y", {}),
        ("\ufeffa,b\n1,x\n2,y\n", {}),
        ("a;b\n1;x\n2;y\n", {"delimiter": ";"}),
        ("a\tb\n1\tx\n2\ty\n", {"delimiter": "\t"}),
        ("a|b\n1|x\n2|y\n", {"delimiter": "|"}),
        ("a b\n1 x\n2 y\n", {"delimiter": " "}),
        ('"a","b"\n"1","x"\n"2","y"\n', {}),
        ("'a','b'\n'1','x'\n'2','y'\n", {"quote": "'"}),
        ("a,b\n\n1,x\n \n2,y\n\n", {"blank_lines": "skip"}),
        ("a,b\n,\n1,x\n2,y\n,,\n", {"blank_lines": "skip"}),
        ("a,b,,\n1,x,,\n2,y,,\n", {"trailing": "skip"}),
        ("a,b\n1,x,\n2,y\n", {"trailing": "skip"}),
        ("a;b;;,,,\n1;x;;\n2;y;;,,,,\n", {"delimiter": ";", "trailing": "skip"}),
        ("a;b;;,,\n1;x;;,\n;;;,,\n2;y;;\n;;;;;\n", {"delimiter": ";", "trailing": "skip", "blank_lines": "skip"}),
        ("a b \n1 x \n2 y  \n", {"delimiter": " ", "trailing": "skip"}),
    ],
)
def test_dialects_give_the_same_rows(data: str, dialect: dict[str, Any]) -> None:
    rows = table(data, **dialect)
    assert rows.columns == ["a", "b"]
    assert rows.schema == {"a": pl.String(), "b": pl.String()}
    assert rows.rows() == [("1", "x"), ("2", "y")]


def test_a_file_without_a_header_has_all_its_rows() -> None:
    assert cells("1,x\n2,y\n", header=False) == [("1", "x"), ("2", "y")]
    assert cells("\n1,x\n2,y\n", header=False, blank_lines="skip") == [("1", "x"), ("2", "y")]
    assert cells("1,x,,\n2,y,,\n", header=False, trailing="skip") == [("1", "x"), ("2", "y")]


def test_quotes_may_hold_anything() -> None:
    data = 'a,b\n"1,5","he said ""yes"""\n"two\nlines","cr\r\nlf"\n"",""""\n'
    assert cells(data, null_values=[]) == [("1,5", 'he said "yes"'), ("two\nlines", "cr\r\nlf"), ("", '"')]


def test_quotes_may_be_plain_text() -> None:
    assert cells('a,b\n5" pipe,"\n', quote=None) == [('5" pipe', '"')]
    assert cells("a,b\n'1',\"x\"\n", quote=None) == [("'1'", '"x"')]


def test_letters_of_any_alphabet_are_kept() -> None:
    assert cells("größe,名前\nwahr,\u0417\U0001f600\n") == [("wahr", "\u0417\U0001f600")]


def test_null_values_are_whole_cells() -> None:
    data = 'a,b\n,NA\n"",NAN\n-, \n'
    assert cells(data) == [(None, "NA"), (None, "NAN"), ("-", " ")]
    assert cells(data, null_values=["", "NA", "-"]) == [(None, None), (None, "NAN"), (None, " ")]
    assert cells(data, null_values=[]) == [("", "NA"), ("", "NAN"), ("-", " ")]


def test_a_row_without_any_value_is_a_row_of_nulls_unless_blank_lines_are_skipped() -> None:
    assert cells("a,b\n,\n1,2\n") == [(None, None), ("1", "2")]
    assert cells("a,b\n,\n1,2\n", blank_lines="skip") == [("1", "2")]


def test_an_empty_last_value_is_no_empty_tail() -> None:
    assert cells("a,b,\n1,,\n,2,,\n", trailing="skip") == [("1", None), (None, "2")]


@pytest.mark.parametrize(
    ("data", "dialect", "code", "said"),
    [
        ("a,b\n", {}, "E_NO_ROWS", "no rows"),
        ("a,b", {}, "E_NO_ROWS", "no rows"),
        (",,\n,\n", {"blank_lines": "skip"}, "E_EMPTY", "no line holds a value"),
        ("a,b\n1,x\n\n2,y\n", {}, "E_BLANK_LINE", "line 3"),
        ("a,b\n1,x\n2,y\n\n", {}, "E_BLANK_LINE", "line 4"),
        ("\na,b\n1,x\n", {}, "E_BLANK_LINE", "line 1"),
        ("a,b\n1,x\n   \n2,y\n", {}, "E_BLANK_LINE", "line 3"),
        ("a,b\r\n1,x\r\n\r\n2,y\r\n", {}, "E_BLANK_LINE", "line 3"),
        ("a,b\n1,x\n2\n", {}, "E_RAGGED", "line 3: 1 fields instead of 2"),
        ("a,b\n1,x\n2,y,z\n", {}, "E_RAGGED", "line 3: 3 fields instead of 2"),
        ("a,b\n1,x\n--- end of file\n", {}, "E_RAGGED", "line 3"),
        ("a,b\n1,x,\n", {}, "E_RAGGED", "trailing to skip"),
        ("a,b,\n1,x,z\n", {"trailing": "skip"}, "E_RAGGED", "line 2"),
        ("a,b,\n1,\n2\n", {"trailing": "skip"}, "E_RAGGED", "line 3"),
        ('a,b\n"x\ny",1\n2\n', {}, "E_RAGGED", "line 4"),
        ("a;b\n1;x\n2\n", {"delimiter": ";"}, "E_RAGGED", "line 3"),
        ('a,b\n1,"x\n2,y\n', {}, "E_QUOTE", "line 2"),
        ('a,b\n1,x\n2,"', {}, "E_QUOTE", "line 3"),
        ('a,b\n1,x"y\n', {}, "E_QUOTE", "line 2"),
        ('a,b\n1,"x"y\n', {}, "E_QUOTE", "line 2"),
        ('a,b\n1,"x" \n', {}, "E_QUOTE", "line 2"),
        ('a,b\n1, "x"\n', {}, "E_QUOTE", "line 2"),
        ('a,b\n1,""x\n', {}, "E_QUOTE", "line 2"),
        ("a,b\n1,it's\n", {"quote": "'"}, "E_QUOTE", "line 2"),
        ("a,b\r1,x\r2,y\r", {}, "E_EOL", "carriage return"),
        ("a,b\n1,x\r\n2,y\n", {}, "E_EOL", "line 2"),
        ("a,b\r\n1,x\n2,y\r\n", {}, "E_EOL", "line 2"),
        ("a,b\n1,x\n2,y\r\n", {}, "E_EOL", "line 3"),
        ("a,b\n1,x\n2,y\r", {}, "E_EOL", "line 3"),
        ("a,b\n1,x\ry\n", {}, "E_EOL", "line 2"),
        ("a§b\n1§x\n", {"delimiter": "§"}, "E_DIALECT", "ASCII"),
    ],
)
def test_what_is_irregular_is_refused_with_its_line(data: str, dialect: dict[str, Any], code: str, said: str) -> None:
    error = refusal(data, **dialect)
    assert error.code == code
    assert said in str(error)


def test_lines_fields_and_quotes_have_a_longest_length() -> None:
    long_line = refusal("a,b\n1," + "x," * (records.MAX_LINE // 2) + "\n")
    assert (long_line.code, "line 2" in str(long_line)) == ("E_LINE_SIZE", True)
    long_field = refusal("a,b\n1," + "x" * (records.MAX_FIELD + 1) + "\n")
    assert (long_field.code, "line 2" in str(long_field)) == ("E_FIELD_SIZE", True)
    open_quote = refusal('a,b\n1,"' + "x,y\n" * records.MAX_FIELD + '",2\n')
    assert (open_quote.code, "line 2" in str(open_quote)) == ("E_QUOTE", True)
    endless_quote = refusal('a,b\n1,"' + "x,y\n" * (records.BLOCK // 3))
    assert (endless_quote.code, "line 2" in str(endless_quote)) == ("E_QUOTE", True)
    assert cells("a,b\n1," + "x" * records.MAX_FIELD + "\n")[0][1] == "x" * records.MAX_FIELD


def test_line_numbers_hold_beyond_the_first_block() -> None:
    rows = ["12345,abcdefgh"] * 700_000
    rows[650_000] = "1"
    error = refusal("a,b\n" + "\n".join(rows) + "\n")
    assert (error.code, "line 650002:" in str(error)) == ("E_RAGGED", True)


@pytest.mark.parametrize("size", [18, 19, 20, 21, 22, 23, 31, 64])
def test_blocks_of_any_size_give_the_same_rows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """A block may end anywhere: in a quote, between CR and LF, in a letter; the rows are those of the whole text."""
    plain = records.Records.blocks
    data = 'a,b\r\n"1,\r\n5","""q"""\r\n€,"ü"\r\n3,\r\n"",x\r\n4,"\r\n"\r\n'
    monkeypatch.setattr(records.Records, "blocks", lambda self: plain(self, size))
    expected = [("1,\r\n5", '"q"'), ("€", "ü"), ("3", None), (None, "x"), ("4", "\r\n")]
    assert cells(data) == expected


def test_a_large_file_takes_seconds() -> None:
    """20 MB, a million quoted cells; the limit is generous, the ordinary time is under a second."""
    data = b"a,b,c,d\n" + b'"12345.678",abcdefgh,"x ""y""",99\n' * 600_000
    started = time.monotonic()
    rows = table(data)
    assert time.monotonic() - started < 10
    assert rows.shape == (600_000, 4)
    assert rows.row(-1) == ("12345.678", "abcdefgh", 'x "y"', "99")


def test_padding_is_kept_or_stripped() -> None:
    data = "a, b\n1, x y\n ,\t2 \n"
    assert table(data).columns == ["a", " b"]
    assert cells(data) == [("1", " x y"), (" ", "\t2 ")]
    stripped = table(data, padding="strip")
    assert stripped.columns == ["a", "b"]
    assert stripped.rows() == [("1", "x y"), (None, "2")]
