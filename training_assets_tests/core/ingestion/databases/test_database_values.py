"""Values of every type that an engine has are read exactly, or refused with what to do."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.fitting import fitted
from training_assets.core.validation.casting import cast
from training_assets.spec import Column
from training_assets_tests.core.ingestion.databases.made_databases import MadeDatabase
from training_assets_tests.postgres_server import PostgresServer

DAY = dt.date(2026, 3, 1)
NOON = dt.datetime(2026, 3, 1, 12, 0, 0, 123456)  # noqa: DTZ001 - the tables hold UTC without a zone


@pytest.fixture
def read(tmp_path: Path, postgres: PostgresServer) -> Any:
    """Rows of an expression as the one column of a spec."""

    def values(engine: str, expression: str, kind: str, **rules: Any) -> list[Any]:
        made = MadeDatabase(engine, tmp_path, postgres)
        made.empty()
        columns = {"v": {"type": kind, **rules}}
        named = "" if " AS v FROM " in expression else " AS v"
        (delivery,) = made.deliveries(query=f"SELECT {expression}{named}", columns=columns)
        assert len(content_digest(delivery.rows)) == 64
        return delivery.rows["v"].to_list()

    return values


@pytest.mark.parametrize(
    ("engine", "expression", "kind", "value"),
    [
        ("postgres", "CAST(7 AS smallint)", "integer", 7),
        ("postgres", "9223372036854775807", "integer", 9223372036854775807),
        ("postgres", "CAST(12 AS numeric(10, 2))", "integer", 12),
        ("postgres", "CAST('0.1' AS numeric)", "number", 0.1),
        ("postgres", "CAST('123456789.123456789123456789' AS numeric)", "number", 123456789.123456789123456789),
        ("postgres", "CAST('-0.00001' AS numeric)", "number", -0.00001),
        ("postgres", "CAST('98765432109876543210' AS numeric)", "string", "98765432109876543210"),
        ("postgres", "CAST(0.1 AS real)", "number", 0.10000000149011612),
        ("postgres", "TRUE", "boolean", True),
        ("postgres", "DATE '2026-03-01'", "date", DAY),
        ("postgres", "TIMESTAMP '2026-03-01 12:00:00.123456'", "datetime", NOON),
        ("postgres", "TIMESTAMPTZ '2026-03-01 14:00:00.123456+02'", "datetime", NOON),
        (
            "postgres",
            "CAST('0189f7e4-7c3b-7d5e-8f00-0123456789ab' AS uuid)",
            "string",
            "0189f7e4-7c3b-7d5e-8f00-0123456789ab",
        ),
        ("postgres", """CAST('{"a": [1]}' AS jsonb)""", "string", '{"a": [1]}'),
        ("postgres", "CAST('yes' AS varchar(10))", "string", "yes"),
        ("postgres", "NULL", "string", None),
        ("postgres", "CAST(NULL AS numeric)", "number", None),
        ("sqlite", "9223372036854775807", "integer", 9223372036854775807),
        ("sqlite", "0.1", "number", 0.1),
        ("sqlite", "1", "boolean", True),
        ("sqlite", "'2026-03-01'", "date", DAY),
        ("sqlite", "'2026-03-01 12:00:00.123456'", "datetime", NOON),
        ("sqlite", "'2026-03-01T14:00:00.123456+02:00'", "datetime", NOON),
        ("sqlite", "NULL", "number", None),
        ("sqlite", "''", "string", ""),
        ("duckdb", "CAST(7 AS utinyint)", "integer", 7),
        ("duckdb", "CAST(7 AS hugeint)", "integer", 7),
        ("duckdb", "CAST(7 AS ubigint)", "integer", 7),
        ("duckdb", "(SELECT SUM(i) FROM range(5) AS r (i))", "integer", 10),
        ("duckdb", "CAST('0.1' AS decimal(10, 3))", "number", 0.1),
        ("duckdb", "TIMESTAMPTZ '2026-03-01 14:00:00.123456+02'", "datetime", NOON),
        ("duckdb", "TIMESTAMP_NS '2026-03-01 12:00:00.123456'", "datetime", NOON),
        ("duckdb", "DATE '2026-03-01'", "date", DAY),
        ("duckdb", "CAST('a' AS ENUM ('a', 'b'))", "string", "a"),
        (
            "duckdb",
            "CAST('0189f7e4-7c3b-7d5e-8f00-0123456789ab' AS uuid)",
            "string",
            "0189f7e4-7c3b-7d5e-8f00-0123456789ab",
        ),
        ("duckdb", "NULL", "integer", None),
    ],
)
def test_a_value_is_read_as_its_column_says(read: Any, engine: str, expression: str, kind: str, value: object) -> None:
    assert read(engine, expression, kind) == [value]


@pytest.mark.parametrize(
    ("engine", "expression", "kind", "said"),
    [
        ("postgres", "CAST('0.5' AS numeric)", "integer", "'0.5' is no 64-bit integer"),
        ("postgres", "CAST('98765432109876543210' AS numeric)", "integer", "is no 64-bit integer"),
        ("postgres", "CAST('9007199254740993' AS numeric)", "number", "float holds exactly"),
        ("postgres", "CAST(9007199254740993 AS bigint)", "number", "is no number"),
        ("postgres", "CAST('NaN' AS numeric)", "integer", "is no 64-bit integer"),
        ("postgres", "ARRAY[1, 2]", "string", "List(Int32) is not read"),
        ("postgres", "INTERVAL '1 day'", "string", "not read"),
        ("postgres", "TIME '10:00'", "string", "not read"),
        ("postgres", "CAST('10.0.0.1' AS inet)", "string", "'inet', which is not read; CAST it"),
        ("postgres", "CAST('\\x01' AS bytea)", "string", "not read"),
        ("postgres", "CAST('12.34' AS money)", "number", "'money', which is not read; CAST it"),
        ("postgres", "'7'", "integer", "not read as integer"),
        ("sqlite", "2", "boolean", "'2' is no boolean (0 or 1)"),
        ("sqlite", "x'00'", "string", "not read"),
        ("sqlite", "'2026-02-30'", "date", "'2026-02-30' is no date"),
        ("sqlite", "'noon'", "datetime", "'noon' is no datetime"),
        ("sqlite", "i AS v FROM (SELECT 1 AS i UNION ALL SELECT 'x')", "string", "integer and text; CAST it"),
        ("sqlite", "i AS v FROM (SELECT 1.5 AS i UNION ALL SELECT 'x')", "string", "real and text; CAST it"),
        ("sqlite", "i AS v FROM (SELECT 0.5 AS i UNION ALL SELECT 9007199254740993)", "number", "integers beyond 2^53"),
        ("sqlite", "CAST(x'ff' AS text)", "string", "UTF8"),
        ("duckdb", "CAST(9223372036854775808 AS ubigint)", "integer", "is no 64-bit integer"),
        ("duckdb", "CAST(9007199254740993 AS hugeint)", "number", "float holds exactly"),
        ("duckdb", "TIMESTAMP_NS '2026-03-01 12:00:00.123456789'", "datetime", "is no datetime"),
        ("duckdb", "INTERVAL 1 DAY", "string", "not read"),
        ("duckdb", "[1, 2]", "string", "not read"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused(read: Any, engine: str, expression: str, kind: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(engine, expression, kind)
    assert said in caught.value.text
    assert "column 'v'" in caught.value.text or said == "UTF8"


@pytest.mark.parametrize(
    ("late", "kind", "value"), [("i + 0.5", "number", 29000.5), ("'text'", "string", "text"), ("i", "integer", 29000)]
)
def test_the_first_rows_do_not_decide_what_a_column_of_sqlite_holds(
    tmp_path: Path, postgres: PostgresServer, late: str, kind: str, value: object
) -> None:
    made = MadeDatabase("sqlite", tmp_path, postgres)
    made.empty()
    rows = "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s LIMIT 30000)"
    query = f"{rows} SELECT i AS id, CASE WHEN i > 25000 THEN {late} END AS v, 'a' AS label FROM s"
    columns = {"id": {"type": "integer", "role": "key"}, "v": {"type": kind}, "label": {"type": "string"}}
    (delivery,) = made.deliveries(query=query, columns=columns)
    assert delivery.rows["v"].null_count() == 25000
    assert delivery.rows.row(28999)[1] == value


@pytest.mark.parametrize(
    ("engine", "kind", "logical", "first", "second"),
    [
        ("postgres", "timestamptz", "datetime", "2026-03-01 12:00:00.123456+00", "2026-03-01 12:00:00.123457+00"),
        ("postgres", "timestamp", "datetime", "2026-03-01 12:00:00.123456", "2026-03-01 12:00:00.123457"),
        ("postgres", "numeric", "number", "0.10000000000000000001", "0.10000000000000000002"),
        ("postgres", "date", "date", "2026-03-01", "2026-03-02"),
        ("postgres", "real", "number", "0.1", "0.10000001"),
        ("postgres", "varchar(20)", "string", "a''b", "a''c"),
        ("duckdb", "timestamptz", "datetime", "2026-03-01 12:00:00.123456+00", "2026-03-01 12:00:00.123457+00"),
        ("duckdb", "decimal(30, 20)", "number", "0.10000000000000000001", "0.10000000000000000002"),
        ("duckdb", "date", "date", "2026-03-01", "2026-03-02"),
        ("duckdb", "hugeint", "string", "99999999999999999999", "100000000000000000000"),
        ("duckdb", "float", "number", "0.1", "0.10000001"),
        ("sqlite", "text", "string", "2026-03-01 12:00:00", "2026-03-01 12:00:01"),
        ("sqlite", "real", "number", "0.1", "0.10000000000000002"),
        ("sqlite", "integer", "integer", "9223372036854775806", "9223372036854775807"),
    ],
)
def test_positions_are_exact_to_the_last_digit(
    tmp_path: Path, postgres: PostgresServer, engine: str, kind: str, logical: str, first: str, second: str
) -> None:
    made = MadeDatabase(engine, tmp_path, postgres)
    made.write("DROP TABLE IF EXISTS marks", f"CREATE TABLE marks (w {kind}, label text)")
    columns = {"w": {"type": logical}, "label": {"type": "string"}}
    reader = made.reader("SELECT w, label FROM marks", columns, watermark="w")
    made.write(f"INSERT INTO marks VALUES ('{first}', 'one')")
    (one,) = reader.deliveries(None)
    assert list(reader.deliveries(one.position)) == []
    assert reader.news(one.position) is None
    made.write(f"INSERT INTO marks VALUES ('{second}', 'two')")
    assert reader.news(one.position) is not None
    (two,) = reader.deliveries(one.position)
    assert two.rows["label"].to_list() == ["two"]
    assert list(reader.deliveries(two.position)) == []


@pytest.mark.parametrize(
    ("engine", "expression", "said"),
    [
        ("postgres", "CAST('NaN' AS double precision)", "reaches NaN"),
        ("postgres", "CAST('infinity' AS timestamp)", "reaches infinity"),
        ("postgres", "CAST('{}' AS json)", "max(json) does not exist"),
        ("postgres", "TRUE", "max(boolean) does not exist"),
        ("postgres", "CAST('10.0.0.1' AS inet)", "of type 'inet'"),
        ("duckdb", "CAST('inf' AS double)", "reaches inf"),
        ("duckdb", "TRUE", "of type 'boolean'"),
        ("duckdb", "[1]", "of type 'integer[]'"),
        ("sqlite", "w FROM (SELECT 1 AS w UNION ALL SELECT 'x')", "holds integer and text"),
        ("sqlite", "x'00'", "of type 'blob'"),
    ],
)
def test_a_watermark_without_a_largest_value_is_refused(
    tmp_path: Path, postgres: PostgresServer, engine: str, expression: str, said: str
) -> None:
    made = MadeDatabase(engine, tmp_path, postgres)
    made.empty()
    query = f"SELECT {expression}" if " FROM " in expression else f"SELECT {expression} AS w"
    columns = {"w": {"type": "string"}, "label": {"type": "string"}}
    with pytest.raises(InputError) as caught:
        made.deliveries(query=query, columns=columns, watermark="w")
    assert said in caught.value.text


def test_endless_times_of_postgres_are_no_sound_dates(tmp_path: Path, postgres: PostgresServer) -> None:
    made = MadeDatabase("postgres", tmp_path, postgres)
    columns = {"t": {"type": "datetime"}, "label": {"type": "string"}}
    (delivery,) = made.deliveries(query="SELECT TIMESTAMP 'infinity' AS t, 'a' AS label", columns=columns)
    assert [rule for rule, _ in cast(delivery.rows["t"], Column.model_validate(columns["t"])).failures] == ["date"]


def test_rows_are_typed_for_a_draft_where_no_column_says_anything() -> None:
    decimals = pl.DataFrame({"whole": ["1.00", "2.00"], "part": ["1.5", None]}).cast(pl.Decimal(10, 2))
    found = fitted(decimals, {}, "rows")
    assert found.schema == {"whole": pl.Int64(), "part": pl.Float64()}
    assert found.rows() == [(1, 1.5), (2, None)]
