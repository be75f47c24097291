"""Dialects are found from the rows themselves, and a file that is sound in none is refused with its line."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.dialect import Sniffed, sniff

NUMBERS = "x,y,z\n1,2.5,a\n3,4.5,b\n"


def sniffed(data: bytes | str) -> Sniffed:
    return sniff(data.encode() if isinstance(data, str) else data, "rows.csv")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (NUMBERS, {}),
        (NUMBERS.replace(",", ";"), {"delimiter": ";"}),
        (NUMBERS.replace(",", "\t"), {"delimiter": "\t"}),
        (NUMBERS.replace(",", "|"), {"delimiter": "|"}),
        (NUMBERS.replace(",", " "), {"delimiter": " "}),
        ("x;y\n1,5;2,5\n3,5;4,5\n", {"delimiter": ";"}),
        ("1,5;2,5\n3,5;4,5\n6,5;7,5\n", {"delimiter": ";", "header": False}),
        ('x;y\n"Last, First";1\n"Other, One";2\n', {"delimiter": ";"}),
        ("x;y\nLast, First;1\nOther, One;2\n", {"delimiter": ";"}),
        ("date,x\n2024-01-01 10:00,1\n2024-01-02 10:00,2\n", {}),
        ("\ufeff" + NUMBERS, {}),
        (NUMBERS.replace("\n", "\r\n"), {}),
        (NUMBERS.replace("b\n", "größe\n").encode("cp1252"), {"encoding": "latin-1"}),
        (NUMBERS.encode("utf-16"), {"encoding": "utf-16"}),
        ("x,y\n'a',1\n'b',2\n", {"quote": "'"}),
        ("x,y\nit's,1\nthat's,2\n", {}),
        ('ham\tsay "no\nspam\t"yes" I said\nham\t5" pipe\n', {"delimiter": "\t", "quote": None, "header": False}),
        ("x,y\n1,2\n\n3,4\n", {"blank_lines": "skip"}),
        ("x,y\n1,2\n,\n3,4\n", {"blank_lines": "skip"}),
        ("x,y,\n1,2,\n3,4,\n", {"trailing": "skip"}),
        (
            "x;y;;,,,\n1,5;2;;\n3,5;4;;,\n;;;,,,\n",
            {"delimiter": ";", "trailing": "skip", "blank_lines": "skip"},
        ),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", {"header": False}),
        ("39, ?, 5.0, a\n40, b, 6.0, c\n41, b, 7.0, a\n", {"header": False, "padding": "strip"}),
        ("x, y\n1, 2\n3, 4\n", {"padding": "strip"}),
        ("x,y\n1, \n3,4\n5,6\n", {}),
        ("1,2,3,label\n7,2,9,a\n1,1,1,b\n", {}),
    ],
)
def test_the_dialect_is_found(data: bytes | str, said: dict[str, Any]) -> None:
    found = sniffed(data)
    assert found.dialect.model_dump(exclude_defaults=True) == said
    assert found.rows.columns == found.names


@pytest.mark.parametrize(
    ("data", "header"),
    [
        ("name,age\nann,3\nbob,4\n", True),
        ("ann,3\nbob,4\n", False),
        ("1,2,3\n4,9,6\n7,8,9\n", True),
        ("1,3,2\n4,9,6\n7,8,9\n", False),
        ("Letter,1,2,3\nA,5,6,7\nB,8,9,1\n", True),
        ("year,2019,2020,2021\na,5,6,7\nb,8,9,1\n", True),
        ("day,x\n2024-01-01,a\n2024-01-02,b\n", True),
        ("2024-01-01,a\n2024-01-02,b\n2024-01-03,c\n", False),
        ("name,kind\nann,x\nbob,y\n", True),
        ("x,ann\nx,bob\ny,eve\n", False),
        (",age\n1,3\n2,4\n", None),
    ],
)
def test_a_header_is_told_from_a_row(data: str, header: bool | None) -> None:
    if header is None:
        with pytest.raises(InputError, match=r"E_COLUMN_NAME: rows\.csv, header: the name of column 1"):
            sniffed(data)
        return
    found = sniffed(data)
    assert found.dialect.header is header
    assert found.rows.height == data.count("\n") - header
    if not header:
        assert found.names[0] == "column_1"


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        ("", "E_EMPTY", "empty"),
        ("just words\nin one\ncolumn of text\n", "E_DIALECT", "one column"),
        ("x\n1\n2\n", "E_DIALECT", "one column"),
        ("x,y\n", "E_NO_ROWS", "no rows"),
        ("x,x\n1,2\n3,4\n", "E_DUP_COLUMN", "columns 1 and 2"),
        ("x,y\n" + "1,2\n" * 50 + "3\n" + "1,2\n" * 50, "E_RAGGED", "line 52"),
        ("x,y\n" + '"a",2\n' * 50 + '"b,3\n' + '"a",2\n' * 50, "E_QUOTE", "line 52"),
        ("x,y\r1,2\r3,4\r", "E_EOL", "line"),
        ("x,y\n1,2\r\n3,4\n", "E_EOL", "line"),
        (b"PK\x03\x04....", "E_MAGIC", "zip"),
        (b"x,y\n1,\x00\n", "E_NUL", "line 2"),
    ],
)
def test_what_is_sound_in_no_dialect_is_refused(data: bytes | str, code: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        sniffed(data)
    assert caught.value.code == code
    assert said in str(caught.value)


WORDS = st.text(st.sampled_from("abcdefg XYZ-_"), min_size=1, max_size=8).filter(lambda text: text.strip() == text)
ROWS = st.lists(
    st.tuples(WORDS, st.integers(-999, 999), st.floats(0, 1e3).map(lambda x: round(x, 3))), min_size=3, max_size=20
)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_written_table_is_found_again(
    rows: list[tuple[str, int, float]],
    delimiter: str,
    end: str,
    quoted: bool,
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerows([("name", "count", "share"), *rows])
    found = sniffed(buffer.getvalue())
    assert found.dialect.delimiter == delimiter
    assert found.names == ["name", "count", "share"]
    assert found.rows.rows() == [tuple(map(str, row)) for row in rows]
