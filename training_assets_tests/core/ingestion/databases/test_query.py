"""A query's parameters are found where they are, and nowhere else; what is no single SELECT is refused."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.query import Query, read_query

ENGINES = ("postgres", "sqlite", "duckdb")


def refusal(query: str, engine: str = "postgres", **parameters: str | float) -> str:
    with pytest.raises(InputError) as caught:
        read_query(query, parameters, engine)
    assert caught.value.code == "E_QUERY"
    assert len(str(caught.value)) < 2000
    return caught.value.text


@pytest.mark.parametrize(("engine", "mark"), [("postgres", "$"), ("duckdb", "$"), ("sqlite", "?")])
def test_parameters_become_the_drivers_in_the_order_in_which_they_come(engine: str, mark: str) -> None:
    found = read_query("SELECT * FROM t WHERE a > :low AND b = :name OR c = :low", {"name": "x", "low": 1}, engine)
    assert found == Query(f"SELECT * FROM t WHERE a > {mark}1 AND b = {mark}2 OR c = {mark}1", (1, "x"), mark)
    assert found.placeholder() == f"{mark}3"
    assert found.placeholder(2) == f"{mark}4"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "text",
    [
        "SELECT ':a' AS x",
        "SELECT 'it''s :a' AS x",
        'SELECT ":a" FROM t',
        'SELECT "say "":a""" FROM t',
        "SELECT CAST(x AS text) FROM t WHERE y = '12:30:00'",
    ],
)
def test_a_name_in_quotes_is_no_parameter(engine: str, text: str) -> None:
    assert read_query(text, {}, engine).sql == text


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("postgres", "SELECT x::text FROM t"),
        ("postgres", "SELECT $$ :a ' $$ || $tag$ $$ :b $tag$"),
        ("postgres", r"SELECT E'\':a' AS x"),
        ("postgres", "SELECT a ? 'key', a @> b, c->>'d' FROM t"),
        ("duckdb", "SELECT {'a': 1}, x::INT FROM t"),
        ("sqlite", "SELECT `:a`, [:b] FROM t"),
    ],
)
def test_what_one_engine_alone_writes_stays_as_it_is(engine: str, text: str) -> None:
    assert read_query(text, {}, engine).sql == text


def test_comments_and_the_last_semicolon_are_not_sent() -> None:
    assert read_query("-- :a\nSELECT /* :b ; */ 1; -- end", {}, "postgres").sql == "SELECT   1"
    assert read_query("SELECT 1 ;\n", {}, "sqlite").sql == "SELECT 1"


def test_a_text_that_goes_on_in_the_next_line_does_so_still() -> None:
    assert read_query("SELECT 'a'\n'b'", {}, "postgres").sql == "SELECT 'a'\n'b'"


def test_missing_and_unused_parameters_are_named() -> None:
    assert "':since'" in refusal("SELECT * FROM t WHERE a > :since")
    assert "did you mean 'since'" in refusal("SELECT * FROM t WHERE a > :sinse", since=1)
    assert "gives 'other'" in refusal("SELECT * FROM t WHERE a > :a", a=1, other=2)
    assert "gives 'a'" in refusal("SELECT ':a'", a=1)
    assert "parameters.a is beyond 64 bits" in refusal("SELECT :a", a=1 << 64)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DELETE FROM t", "begins with 'DELETE'"),
        ("INSERT INTO t VALUES (1)", "begins with 'INSERT'"),
        ("  -- SELECT\n DROP TABLE t", "begins with 'DROP'"),
        ("COPY t TO '/tmp/out'", "begins with 'COPY'"),
        ("ATTACH 'x.db' AS x", "begins with 'ATTACH'"),
        ("PRAGMA writable_schema = 1", "begins with 'PRAGMA'"),
        ("SELECT 1; DROP TABLE t", "several statements"),
        ("SELECT 1;;", "several statements"),
        ("; SELECT 1", "begins with ';'"),
        ("-- nothing", "begins with ''"),
        ("SELECT 1) AS q; DROP TABLE t; --", "several statements"),
        ("SELECT 1) AS q UNION SELECT * FROM (SELECT 2", "did not open"),
        ("SELECT (1", "1 bracket(s) open"),
        ("SELECT 'open", "character 8 and never closes"),
        ('SELECT "open', "character 8 and never closes"),
        ("SELECT 1 /* open", "character 10 and never closes"),
    ],
)
def test_what_is_no_single_select_is_refused(engine: str, query: str, said: str) -> None:
    assert said in refusal(query, engine)


@pytest.mark.parametrize(
    ("engine", "query", "said"),
    [
        ("postgres", "SELECT $1", "'$1'"),
        ("postgres", "SELECT $$ open", "never closes"),
        ("duckdb", "SELECT ?", "'?'"),
        ("duckdb", "SELECT $name", "'$name'"),
        ("sqlite", "SELECT ?1", "'?1'"),
        ("sqlite", "SELECT @name", "'@name'"),
        ("sqlite", "SELECT [open", "never closes"),
    ],
)
def test_placeholders_of_the_drivers_own_are_refused(engine: str, query: str, said: str) -> None:
    assert said in refusal(query, engine)


@given(st.text(alphabet="abs:'\"-/*$();[]`?@ \n1E", max_size=60))
def test_whatever_is_not_refused_is_one_statement_to_sqlite(text: str) -> None:
    try:
        found = read_query("SELECT " + text, dict.fromkeys("abs", 1), "sqlite")
    except InputError:
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        said = ""
        try:
            connection.execute(f"SELECT * FROM {found.table}", found.values)
        except (sqlite3.Error, sqlite3.Warning) as error:
            said = str(error)
    assert "one statement" not in said
    assert "binding" not in said
