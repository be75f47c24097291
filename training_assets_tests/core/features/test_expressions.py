"""Expressions read one row, read nothing that is hidden, and are refused with the remedy."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.features.expressions import compile_expression
from training_assets.core.features.sql_words import AGGREGATES, FUNCTIONS

SCHEMA: dict[str, pl.DataType | None] = {
    "a": pl.Int64(),
    "b": pl.Float64(),
    "s": pl.String(),
    "t": pl.Datetime("us"),
    "d": pl.Date(),
    "f": pl.Boolean(),
    "hour": pl.Int64(),
    "CO2(tCO2)": pl.Float64(),
}
HIDDEN = {"arr_delay": "it is known only after the outcome", "y": "it is the label"}
ROWS = pl.DataFrame(
    {
        "a": [1, 2, None, -4, 0],
        "b": [0.5, None, 2.25, -1.0, 0.0],
        "s": ["x", "Yes", None, "", "2013-01-01"],
        "t": [
            datetime.fromisoformat(text) if text else None
            for text in ("2013-01-01 05:30", "2014-06-01", None, "2013-12-31 23:59", "2012-02-29")
        ],
        "d": [date(2013, 1, 1), date(2014, 6, 1), None, date(2013, 12, 31), date(2012, 2, 29)],
        "f": [True, False, None, True, False],
        "hour": [1, 2, 3, 4, 5],
        "CO2(tCO2)": [1.0, 2.0, 3.0, 4.0, 5.0],
    },
    schema=SCHEMA,
)


def values(sql: str, rows: pl.DataFrame = ROWS) -> list[Any]:
    return compile_expression(sql, SCHEMA, HIDDEN, "features.derived.new").values(rows).to_list()


def refusal(sql: str, known: dict[str, pl.DataType | None] | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        compile_expression(sql, SCHEMA if known is None else known, HIDDEN, "features.derived.new")
    assert len(str(caught.value)) <= 2000
    assert "features.derived.new: " in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a / 2", [0.5, 1.0, None, -2.0, 0.0]),
        ("a > 0 AND b < 1", [True, None, False, False, False]),
        ("CASE WHEN a > 1 THEN 'many' ELSE 'few' END", ["few", "many", "few", "few", "few"]),
        ("EXTRACT(hour FROM t)", [5, 0, None, 23, 0]),
        ("EXTRACT(hour FROM t) + hour", [6, 2, None, 27, 5]),
        ('"CO2(tCO2)" * 2', [2.0, 4.0, 6.0, 8.0, 10.0]),
        ("COALESCE(a, 0)", [1, 2, 0, -4, 0]),
        ("t >= '2013-06-01'", [False, True, None, True, False]),
        ("d + INTERVAL '1 day' > DATE '2013-06-01'", [False, True, None, True, False]),
        ("TRY_CAST(s AS INTEGER)", [None] * 5),
        ("s || '!'", ["x!", "Yes!", None, "!", "2013-01-01!"]),
        ("s IN ('x', 'Yes')", [True, True, None, False, False]),
        ("NOT f", [False, True, None, False, True]),
        ("GREATEST(a, b)", [1.0, 2.0, 2.25, -1.0, 0.0]),
    ],
)
def test_expressions_have_their_value_for_each_row(sql: str, expected: list[Any]) -> None:
    assert values(sql) == expected


def test_the_columns_and_the_type_are_known_beforehand() -> None:
    expression = compile_expression("EXTRACT(hour FROM t) + a / 2", SCHEMA, {}, "x")
    assert (expression.columns, expression.dtype) == (("t", "a"), pl.Float64())


def each(names: str, example: str) -> dict[str, str]:
    """The same example for several functions."""
    return {name: example.format(name) for name in names.split()}


# One example a function at least: each is seen to read one row alone, whatever Polars makes of it inside.
EXAMPLES = {
    **each("ABS ACOS ACOSD ASIN ASIND ATAN ATAND CBRT CEIL CEILING COS COSD COT COTD", "{}(b)"),
    **each("DEGREES EXP FLOOR LN LOG10 LOG1P LOG2 RADIANS ROUND SIGN SIN SIND SQRT", "{}(b)"),
    **each("TAN TAND TRUNC TRUNCATE", "{}(b)"),
    **each("ATAN2 ATAN2D COALESCE GREATEST LEAST IFNULL NULLIF", "{}(b, a)"),
    **each("LOG POW POWER", "{}(b, 2)"),
    **each("DIV MOD", "{}(a, 2)"),
    **each("BIT_LENGTH CHAR_LENGTH CHARACTER_LENGTH INITCAP LENGTH LOWER LTRIM", "{}(s)"),
    **each("NORMALIZE OCTET_LENGTH REVERSE RTRIM TRIM UPPER", "{}(s)"),
    **each("ENDS_WITH REGEXP_LIKE STARTS_WITH STRPOS", "{}(s, 'x')"),
    **each("LEFT RIGHT SUBSTR SUBSTRING", "{}(s, 2)"),
    **each("LPAD RPAD", "{}(s, 4, '.')"),
    **each("REPLACE REGEXP_REPLACE", "{}(s, 'e', 'z')"),
    **each("DAY HOUR MONTH QUARTER WEEK YEAR", "{}(t)"),
    "BIT_COUNT": "BIT_COUNT(a)",
    "CAST": "CAST(a AS VARCHAR)",
    "CONCAT": "CONCAT(s, a)",
    "CONCAT_WS": "CONCAT_WS('-', s, a)",
    "DATE_PART": "DATE_PART('month', t)",
    "DATE_TRUNC": "DATE_TRUNC('month', t)",
    "EXTRACT": "EXTRACT(epoch FROM t)",
    "IF": "IF(a > 1, b, 0)",
    "PI": "a * PI()",
    "SPLIT_PART": "SPLIT_PART(s, 'e', 1)",
    "STRFTIME": "STRFTIME(t, '%A')",
    "STRPTIME": "STRPTIME(STRFTIME(d, '%Y/%m'), '%Y/%m')",
    "TRY_CAST": "TRY_CAST(s AS DATE)",
}


def test_every_function_that_is_let_in_has_an_example() -> None:
    assert set(EXAMPLES) == FUNCTIONS


def same(one: Any, other: Any) -> bool:
    return one == other or (
        isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    )


@pytest.mark.parametrize(
    "sql",
    [
        *EXAMPLES.values(),
        "a / 0",
        "a % 2 + a // 2",
        "s LIKE '%e%'",
        "s ~ '^[0-9]'",
        "a BETWEEN 0 AND b",
        "a IS DISTINCT FROM b",
        "TRY_CAST(s AS DOUBLE)",
        "CASE a WHEN 1 THEN 'x' END",
        "t - INTERVAL '1 hour' > d",
    ],
)
def test_the_value_of_a_row_depends_on_that_row_alone(sql: str) -> None:
    together = values(sql)
    assert len(together) == ROWS.height
    alone = [values(sql, ROWS[place])[0] for place in range(ROWS.height)]
    backwards = values(sql, ROWS.reverse())[::-1]
    assert all(same(one, other) for one, other in zip(together, alone, strict=True))
    assert all(same(one, other) for one, other in zip(together, backwards, strict=True))


@pytest.mark.parametrize(
    "sql",
    [
        "AVG(a)",
        "a - AVG(a)",
        "MAX(a)",
        "SUM(a) OVER ()",
        "SUM(a) OVER (PARTITION BY s)",
        "FIRST(a)",
        "ROW_NUMBER() OVER (ORDER BY a)",
        "LAG(a) OVER (ORDER BY t)",
        "COUNT(*)",
        "count ( * ) + a",
        "CASE WHEN a > MEDIAN(b) THEN 1 ELSE 0 END",
        "UNNEST(a)",
        "ARRAY_AGG(a)",
        "a + 1 OVER ()",
        "MIN(a, b)",
        *(f"{name}(a)" for name in sorted(AGGREGATES)),
    ],
)
def test_looking_at_other_rows_is_refused(sql: str) -> None:
    assert refusal(sql).code == "E_AGGREGATE"


def test_the_refusal_of_max_names_greatest() -> None:
    assert "GREATEST takes the largest of several columns" in str(refusal("MAX(a)"))


@pytest.mark.parametrize("sql", ["arr_delay > 15", 'a + "arr_delay"', "COALESCE(a, arr_delay)", "(((y)))"])
def test_hidden_columns_are_named_with_the_reason(sql: str) -> None:
    error = refusal(sql)
    assert error.code == "E_LEAKING"
    assert "it is known only after the outcome" in str(error) or "it is the label" in str(error)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("", "it reads no column"),
        ("1 + 1", "it reads no column"),
        ("'arr_delay'", "it reads no column"),
        ("*", "it reads no column"),
        ("GREATEST(*)", "it reads no column"),
        ("S", "unknown column 'S'; did you mean 's'?"),
        ("hours + 1", "unknown column 'hours'; did you mean 'hour'?"),
        ("zzzzz", "unknown column 'zzzzz'; known columns: CO2(tCO2), a, arr_delay, b"),
        ('s = "x"', "text goes into single quotes"),
        ("_POLARS_TMP + a", "unknown column '_POLARS_TMP'"),
        ("ABSS(a)", "unknown function ABSS; did you mean ABS?"),
        ("qqq(a)", "unknown function QQQ; known: ABS, "),
        ("NOW() > t", "NOW reads the clock"),
        ("t < CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP reads the clock"),
        ("RANDOM() + a", "unknown function RANDOM"),
        ("(SELECT a FROM given)", "SELECT belongs to a query"),
        ("a IN (SELECT 1)", "SELECT belongs to a query"),
        ("a = ANY(b)", "ANY belongs to a query"),
        ("COLUMNS('^a')", "COLUMNS belongs to a query"),
        ("a AS b", "sql parser error"),
        ("a b", "sql parser error"),
        ("a +", "sql parser error"),
        ("a, b", "expression"),
        ("a) AS x, (b", "closes nothing"),
        ("a ^ 2", "not currently supported"),
        ("EXTRACT(hour FROM a)", "`hour` operation not supported for dtype `i64`"),
        ("s + 1 > 'x' / 2", ""),
        ("a" + " + a" * 600, "it has 2401 characters; 2000 are allowed"),
    ],
)
def test_what_cannot_be_an_expression_is_refused_with_the_remedy(sql: str, reason: str) -> None:
    error = refusal(sql)
    assert error.code == "E_EXPRESSION"
    assert reason in str(error)


def test_syntax_is_checked_before_types_are_known() -> None:
    unknown: dict[str, pl.DataType | None] = {"a": pl.Int64(), "temp": None}
    assert compile_expression("temp / a", unknown, {}, "x").dtype is None
    assert compile_expression("temp > 30 AND a = 1", unknown, {}, "x").dtype is None
    assert "unable to parse" in str(refusal("temp > > a", unknown))
    assert refusal("AVG(temp)", unknown).code == "E_AGGREGATE"


def test_a_value_that_cannot_be_computed_is_refused_without_quoting_the_rows() -> None:
    expression = compile_expression("CAST(s AS INTEGER)", SCHEMA, {}, "features.derived.n")
    with pytest.raises(
        InputError, match=r"E_EXPRESSION: features\.derived\.n: conversion from `str` to `i32` failed"
    ) as caught:
        expression.values(ROWS)
    assert "Yes" not in str(caught.value)


def test_the_order_and_number_of_rows_are_kept_in_chunks_too() -> None:
    chunks = pl.concat([ROWS[:2], ROWS[2:]], rechunk=False)
    assert values("a + hour", chunks) == values("a + hour")


pieces = st.sampled_from(
    [
        "a",
        "b",
        "s",
        "t",
        "arr_delay",
        "(",
        ")",
        "+",
        "/",
        ",",
        "'",
        '"',
        "SUM(",
        "ABS(",
        "OVER",
        "SELECT",
        "1",
        " ",
        ".",
        "CASE",
        "AS",
        "--",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=12).map(" ".join))
def test_whatever_is_written_is_an_expression_of_the_row_or_a_refusal(sql: str) -> None:
    code = None
    try:
        expression = compile_expression(sql, SCHEMA, HIDDEN, "features.derived.new")
        found = expression.values(ROWS)
    except InputError as error:
        code = error.code
    else:
        assert found.len() == ROWS.height
        assert "arr_delay" not in expression.columns
    assert code in {None, "E_EXPRESSION", "E_AGGREGATE", "E_LEAKING"}
