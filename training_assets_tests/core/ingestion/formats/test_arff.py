"""ARFF: declared columns and rows of text cells, or a refusal with the line."""

from __future__ import annotations

import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats.arff import open_arff
from training_assets.core.ingestion.formats.arff_header import Attribute

HEAD = "@relation r\n@attribute a numeric\n@attribute b string\n@data\n"


def rows(body: str, head: str = HEAD) -> list[tuple[str | None, ...]]:
    return open_arff((head + body).encode(), "rows.arff").rows.rows()


def refusal(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        open_arff(text.encode(), "rows.arff")
    assert "rows.arff" in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


def test_a_header_in_full() -> None:
    text = (
        "% a comment\n\n@RELATION 'the name'\n@Attribute x REAL\n@attribute 'two words' {a, 'b, c' ,\"d\"}\n"
        "@attribute n{0,1}\n@attribute i integer\n@attribute when date 'yyyy-MM-dd'\n@attribute s string\n@DATA\n"
        "1.50,a,0,7,2024-01-31,text\n"
    )
    read = open_arff(text.encode(), "rows.arff")
    assert read.attributes == [
        Attribute("x", "numeric"),
        Attribute("two words", "nominal", ("a", "b, c", "d")),
        Attribute("n", "nominal", ("0", "1")),
        Attribute("i", "integer"),
        Attribute("when", "date"),
        Attribute("s", "string"),
    ]
    assert read.rows.rows() == [("1.50", "a", "0", "7", "2024-01-31", "text")]


def test_a_question_mark_is_null_and_a_quoted_one_is_text() -> None:
    assert rows("?,x\n1,?\n") == [(None, "x"), ("1", None)]
    assert rows("?,'?'\n1, ?\n") == [(None, "?"), ("1", None)]


def test_values_are_unquoted_as_weka_quotes_them() -> None:
    body = "1,'it\\'s'\n2, \"say \\\"hi\\\"\" \n3,'a,b'\n4,'\\\\ \\n \\%'\n5,''\n6,plain text\n7,\"it's\"\n"
    assert [row[1] for row in rows(body)] == ["it's", 'say "hi"', "a,b", "\\ \n %", "", "plain text", "it's"]


def test_comments_and_blank_lines_are_no_rows() -> None:
    assert rows("% x\n1,a\n\n  % y, z\n2,b\n%") == [("1", "a"), ("2", "b")]
    assert rows("% it's\n1,'a'\n\n  % y, z\n2,b\n%") == [("1", "a"), ("2", "b")]


def test_both_kinds_of_line_ends_are_read() -> None:
    assert rows("1,a\r\n2,b\r\n", HEAD.replace("\n", "\r\n")) == [("1", "a"), ("2", "b")]
    assert rows("1,'a'\r\n2,b\r\n", HEAD.replace("\n", "\r\n")) == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize("quoted", ["", "9,'quoted'\n"])
@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("1,a\n2\n", "E_RAGGED", 6),
        ("1,a\n% c\n2,b,c\n", "E_RAGGED", 7),
        ("1,a\n,\n", "E_RAGGED", 6),
        ("1,a\n2,\n", "E_RAGGED", 6),
        ("1,a\n2,b % why\n", "E_QUOTE", 6),
        ("1,a\n2,{5}\n", "E_QUOTE", 6),
        ("{0 1, 1 a}\n", "E_SPARSE", 5),
        ("1,a\n2,'b\n", "E_QUOTE", 6),
        ("1,a\n2,it's\n", "E_QUOTE", 6),
        ("1,a\n2,'b'c\n", "E_QUOTE", 6),
        ("1,a\r\n2,b\n3,c\r\n", "E_EOL", None),
        ("1,a\n2,b\rc\n", "E_EOL", 6),
    ],
)
def test_a_row_that_is_none_is_refused_with_its_line(body: str, code: str, line: int | None, quoted: str) -> None:
    """By the fast reader and, with a quote behind the row, by the one that knows quotes."""
    found = refusal(HEAD + body + quoted)
    assert found.code == code
    assert line is None or f"line {line}" in found.text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("@relation r\n@attribute a numeric\n1\n", "E_ARFF"),
        ("@relation r\n@attribute a\n@data\n1\n", "E_ARFF"),
        ("@relation r\n@attribute a complex\n@data\n1\n", "E_ARFF"),
        ("@relation r\n@attribute a relational\n@data\n1\n", "E_ARFF"),
        ("@relation r\n@data\n1\n", "E_ARFF"),
        ("@relation r\n@attribute a numeric\n", "E_ARFF"),
        ("a,b\n1,2\n", "E_ARFF"),
        ("@relation r\n@attribute a numeric\n@attribute A numeric\n@data\n1,2\n", "E_DUP_COLUMN"),
        (HEAD, "E_NO_ROWS"),
        (HEAD + "% nothing\n\n", "E_NO_ROWS"),
        ("", "E_EMPTY"),
        (HEAD + "1,a\0\n", "E_NUL"),
        (HEAD + "1,'" + "x" * 70_000 + "'\n", "E_FIELD_SIZE"),
        (HEAD + "1,'" + "x" * 1_100_000 + "'\n", "E_LINE_SIZE"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, code: str) -> None:
    assert refusal(text).code == code
