"""The words of an expression: names are found wherever they are, and nothing else is taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.features.sql_words import AGGREGATES, CLOCK, FUNCTIONS, KEYWORDS, QUERIES, words


def names(sql: str) -> list[str]:
    return [word.text for word in words(sql) if word.kind == "name"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a + b", ["a", "b"]),
        ("a+b*(c-1.5e3)/.5", ["a", "b", "c"]),
        ('"CO2(tCO2)" * 2', ["CO2(tCO2)"]),
        ('"say ""hi""" || x', ['say "hi"', "x"]),
        ("s = 'a + b -- \"c\"'", ["s"]),
        ("s = 'it''s' OR t = ''", ["s", "t"]),
        ("EXTRACT(hour FROM hour)", ["hour"]),
        ('extract(DOW from "Start time")', ["Start time"]),
        ("CAST(a AS DATE)", ["a"]),
        ("a::double + date", ["a", "date"]),
        ("d > DATE '2013-01-01'", ["d"]),
        ("t - INTERVAL '1' DAY + day", ["t", "day"]),
        ("CASE WHEN a IS NOT NULL THEN b ELSE c END", ["a", "b", "c"]),
        ("größe + Ünit1", ["größe", "Ünit1"]),
        ("now + today", ["now", "today"]),
        ("a LIKE 'x%' AND b NOT IN (1, 2)", ["a", "b"]),
    ],
)
def test_columns_are_found_and_nothing_else(sql: str, expected: list[str]) -> None:
    assert names(sql) == expected


def test_functions_and_query_words_are_told_apart_from_columns() -> None:
    found = [(word.kind, word.text) for word in words("ABS (a) + sum(b) OVER (PARTITION BY c)")]
    assert found == [
        ("function", "ABS"),
        ("name", "a"),
        ("function", "SUM"),
        ("name", "b"),
        ("function", "OVER"),
        ("query", "PARTITION"),
        ("name", "BY"),
        ("name", "c"),
    ]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("a; b", "character ';' at position 2"),
        ("a.b", "character '.' at position 2"),
        ("a[1]", "character '[' at position 2"),
        ("`a`", "character '`' at position 1"),
        ("$1", "character '$' at position 1"),
        ("a\\b", "character '\\\\' at position 2"),
        ("a\x00", "character '\\x00' at position 2"),
        ("'abc", "the quote at position 1 is never closed"),
        ('a + "b', "the quote at position 5 is never closed"),
        ("a -- b", "'--' at position 3 opens a comment"),
        ("a /* b */", "'/*' at position 3 opens a comment"),
        ("(a", "1 bracket(s) are never closed"),
        ("a) + (b", "the bracket at position 2 closes nothing"),
        ('"^.*$"', "'^.*$' would be read as a pattern over names"),
        ('"abs"(a)', '"abs" is a name in quotes, not a function'),
    ],
)
def test_what_no_expression_holds_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        words(sql)


@given(st.text(max_size=60))
def test_any_text_is_either_words_or_refused(sql: str) -> None:
    message = ""
    try:
        found = words(sql)
    except ValueError as error:
        message = str(error)
    else:
        assert all(word.text for word in found) or '""' in sql
    assert len(message) < 200


@given(st.text(st.characters(exclude_characters="^$"), min_size=1, max_size=20))
def test_any_name_can_be_quoted(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert names(f"{quoted} + 1") == [name]


def test_no_word_is_of_two_kinds() -> None:
    kinds = [FUNCTIONS, frozenset(AGGREGATES), CLOCK, KEYWORDS, QUERIES]
    assert sum(len(kind) for kind in kinds) == len(frozenset().union(*kinds))
