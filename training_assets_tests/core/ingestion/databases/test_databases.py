"""Rows of a query arrive once each, in the spec's types, from every engine; what would lose one is refused."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.databases.query import read_query
from training_assets.core.ingestion.databases.reader import ALL_ROWS, open_engine, query_rows
from training_assets_tests.core.ingestion.databases.made_databases import QUERY, MadeDatabase, rows_of
from training_assets_tests.postgres_server import PostgresServer

SERIES = {
    "postgres": "SELECT i, i, 'a' FROM generate_series(1, 25000) AS s (i)",
    "duckdb": "SELECT i, i, 'a' FROM range(1, 25001) AS s (i)",
    "sqlite": "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s LIMIT 25000) SELECT i, i, 'a' FROM s",
}


@pytest.fixture(params=["postgres", "sqlite", "duckdb"])
def made(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> MadeDatabase:
    database = MadeDatabase(request.param, tmp_path, postgres)
    database.empty()
    return database


def refusal(made: MadeDatabase, position: str | None = None, **more: object) -> InputError:
    with pytest.raises(InputError) as caught:
        made.deliveries(position, **more)
    assert len(str(caught.value)) < 2000
    return caught.value


def test_a_result_without_a_watermark_is_one_batch(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (2, NULL, 'b')")
    (delivery,) = made.deliveries()
    assert delivery.rows.schema == {"id": pl.Int64(), "x": pl.Float64(), "label": pl.String()}
    assert sorted(delivery.rows.rows()) == [(1, 0.5, "a"), (2, None, "b")]
    assert delivery.digest == content_digest(delivery.rows)
    assert delivery.size == delivery.rows.estimated_size()
    assert made.deliveries(delivery.position) == []
    assert made.reader().news(delivery.position) is None


def test_another_result_is_another_batch(made: MadeDatabase) -> None:
    reader = made.reader()
    assert made.deliveries() == []
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a')")
    (first,) = made.deliveries()
    made.write("INSERT INTO rows_read VALUES (2, 1.5, 'b')")
    news = reader.news(first.position)
    assert news is not None
    assert news == reader.news(first.position)
    (second,) = made.deliveries(first.position)
    assert second.rows.height == 2
    assert second.digest != first.digest
    made.write("UPDATE rows_read SET x = 9 WHERE id = 2")
    assert reader.news(second.position) not in {None, news}
    assert made.deliveries(second.position)[0].rows["x"].sum() == 9.5


def test_with_a_watermark_only_what_is_new_is_read(made: MadeDatabase) -> None:
    reader = made.reader(watermark="id")
    assert reader.news(None) is None
    assert list(reader.deliveries(None)) == []
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (2, 1.5, 'b')")
    assert reader.news(None) == "id up to 2"
    (first,) = reader.deliveries(None)
    assert "id up to 2" in first.name
    assert json.loads(first.position)["value"] == "2"
    assert json.loads(first.position)["rows"] == 2
    assert reader.news(first.position) is None
    assert list(reader.deliveries(first.position)) == []
    made.write("INSERT INTO rows_read VALUES (7, 2.5, 'c'), (10, 3.5, 'd')")
    assert reader.news(first.position) == "id up to 10"
    (second,) = reader.deliveries(first.position)
    assert "id above 2 up to 10" in second.name
    assert rows_of([first, second]) == [1, 2, 7, 10]


def test_a_window_is_the_same_batch_whenever_it_is_read(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (2, 1.5, 'b'), (3, 1.5, 'b')")
    (first,), (again,) = made.deliveries(watermark="id"), made.deliveries(watermark="id")
    assert (first.digest, first.position, first.name) == (again.digest, again.position, again.name)


@pytest.mark.parametrize("late", ["(1, 9, 'late')", "(5, 9, 'same value')", "(5, 9, 'with news'), (6, 1, 'new')"])
def test_rows_that_came_late_are_never_passed_over(made: MadeDatabase, late: str) -> None:
    made.write("INSERT INTO rows_read VALUES (2, 0.5, 'a'), (5, 1.5, 'b')")
    (first,) = made.deliveries(watermark="id")
    made.write(f"INSERT INTO rows_read VALUES {late}")
    error = refusal(made, first.position, watermark="id")
    assert error.code == "E_LATE_ROWS"
    assert "1 more row(s)" in error.text
    assert "3 instead of 2" in error.text


def test_rows_that_are_gone_are_told(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (2, 0.5, 'a'), (5, 1.5, 'b')")
    (first,) = made.deliveries(watermark="id")
    made.write("DELETE FROM rows_read WHERE id = 2", "INSERT INTO rows_read VALUES (9, 1, 'c')")
    error = refusal(made, first.position, watermark="id")
    assert error.code == "E_LATE_ROWS"
    assert "1 fewer row(s)" in error.text


def test_rows_without_a_watermark_are_refused_with_their_number(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (NULL, 1, 'b'), (NULL, 2, 'c')")
    error = refusal(made, watermark="id")
    assert error.code == "E_WATERMARK"
    assert "2 row(s)" in error.text


@pytest.mark.parametrize(
    ("column", "said"), [("ID", "did you mean 'id'"), ("inserted", "no column 'inserted'"), ('x"; --', "no column")]
)
def test_a_watermark_that_is_no_column_is_refused(made: MadeDatabase, column: str, said: str) -> None:
    error = refusal(made, watermark=column)
    assert error.code == "E_WATERMARK"
    assert said in error.text


@pytest.mark.parametrize(
    "position",
    [
        "",
        "{}",
        "[1]",
        '{"column": "x", "type": "bigint", "value": "1", "rows": 1}',
        '{"column": "id", "type": "int); DROP TABLE rows_read; --", "value": "1", "rows": 1}',
    ],
)
def test_a_position_that_is_none_of_the_column_is_refused(made: MadeDatabase, position: str) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a')")
    assert refusal(made, position, watermark="id").code == "E_WATERMARK"
    with pytest.raises(InputError, match="E_WATERMARK"):
        made.reader(watermark="id").news(position)


def test_floats_and_texts_are_exact_positions(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.1, 'a'), (2, 0.30000000000000004, 'b')")
    for column, more in (("x", "0.30000000000000010"), ("label", "0.1")):
        (first,) = made.deliveries(watermark=column)
        assert made.deliveries(first.position, watermark=column) == []
        made.write(f"INSERT INTO rows_read VALUES (3, {more}, 'b''c')")
        (second,) = made.deliveries(first.position, watermark=column)
        assert second.rows.rows() == [(3, float(more), "b'c")]
        made.write("DELETE FROM rows_read WHERE id = 3")


@pytest.mark.parametrize("value", ["it's", 'a"b', "x'); DROP TABLE rows_read; --", "$1", ":name", "?"])
def test_parameters_are_bound_whatever_they_say(made: MadeDatabase, value: str) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (2, 1.5, '" + value.replace("'", "''") + "')")
    query = "SELECT id, x, label FROM rows_read WHERE label = :name AND id > :low AND x < :high"
    (delivery,) = made.deliveries(query=query, parameters={"high": 99.5, "low": 0, "name": value}, watermark="id")
    assert delivery.rows["label"].to_list() == [value]
    assert made.deliveries(query=query, parameters={"high": 99.5, "low": 0, "name": f"{value}' OR '1'='1"}) == []
    assert made.ask("SELECT COUNT(*) FROM rows_read") == [(2,)]


def test_a_result_that_is_too_large_is_refused(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (2, 1.5, 'b')")
    database = made.spec().source.database
    assert database is not None
    engine = open_engine(database, made.root, lambda _: made.server.url(), most=40)
    query = read_query(QUERY, {}, made.engine)
    with engine.session(10) as session, pytest.raises(InputError, match="E_SIZE") as caught:
        session.rows(query, ALL_ROWS, ())
    assert "40 bytes" in caught.value.text


def test_many_rows_come_in_portions_and_all_of_them(made: MadeDatabase) -> None:
    made.write(f"INSERT INTO rows_read {SERIES[made.engine]}")
    assert rows_of(made.deliveries(watermark="id")) == list(range(1, 25001))


def test_other_columns_than_the_specs_are_refused(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a')")
    error = refusal(made, query="SELECT id, x, label, 1 AS more FROM rows_read")
    assert error.code == "E_SCHEMA"
    assert "'more'" in error.text


def test_a_query_that_gives_other_rows_each_time_is_refused(made: MadeDatabase) -> None:
    made.write(f"INSERT INTO rows_read {SERIES[made.engine]}")
    chance = "abs(random() % 25000)" if made.engine == "sqlite" else "25000 * random()"
    query = f"SELECT id, x, label FROM rows_read WHERE id > (SELECT {chance})"
    assert refusal(made, query=query, watermark="id").code == "E_UNSTABLE"


def test_rows_for_a_draft_have_types_of_their_own(made: MadeDatabase) -> None:
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a'), (2, NULL, NULL)")
    database = made.spec().source.database
    assert database is not None
    rows = query_rows(database, made.root, lambda _: made.server.url())
    assert rows.schema == {"id": pl.Int64(), "x": pl.Float64(), "label": pl.String()}
    assert sorted(rows.rows()) == [(1, 0.5, "a"), (2, None, None)]


steps = st.lists(st.one_of(st.integers(1, 4), st.just("read"), st.just("crash")), min_size=1, max_size=12)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_interleaving_of_inserts_and_reads_delivers_each_row_once(
    made: MadeDatabase, steps: list[int | str]
) -> None:
    made.empty()
    written, position = 0, None
    kept: dict[str, list[int]] = {}
    for step in [*steps, "read"]:
        if isinstance(step, int):
            rows = ", ".join(f"({written + each}, 0.5, 'a')" for each in range(1, step + 1))
            made.write(f"INSERT INTO rows_read VALUES {rows}")
            written += step
            continue
        for delivery in made.deliveries(position, watermark="id"):
            assert delivery.digest not in kept
            if step == "read":  # else the process ends before the batch and its position are kept
                kept[delivery.digest] = delivery.rows["id"].to_list()
                position = delivery.position
    assert sorted(each for ids in kept.values() for each in ids) == list(range(1, written + 1))
