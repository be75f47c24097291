"""Every kind of source, through assets and sensors: each row arrives once, and a tick says what is new."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest
from deltalake import write_deltalake

from training_assets.resources.ledger import Ledger
from training_assets.resources.retractions import batch_named
from training_assets.resources.tables import Tables
from training_assets_tests.core.ingestion.feature_store.test_features import CITIES, DRIVERS, NOON, apply, write
from training_assets_tests.s3_server import S3Server, s3_server, secret
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, workplace

Deliver = Callable[[Workplace, int], None]
"""Puts the n-th fifty customers where the source looks."""
TYPED = {"customer": pl.String, "age": pl.Int64, "income": pl.Float64}


def rows(number: int) -> pl.DataFrame:
    return customers(50, seed=number).cast(TYPED)


def into_sqlite(place: Workplace, number: int) -> None:
    with closing(sqlite3.connect(place.root / "shop.db")) as connection, connection:
        names = rows(number).columns
        connection.execute(f"CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, {', '.join(names)})")
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO customers ({', '.join(names)}) VALUES ({marks})", rows(number).rows())  # noqa: S608


def into_delta(place: Workplace, number: int) -> None:
    write_deltalake(place.root / "lake", rows(number).to_arrow(), mode="append")


def into_duckdb(place: Workplace, number: int) -> None:
    import duckdb

    delivered = rows(number).with_row_index("id", offset=number * 1000).cast({"id": pl.Int64})
    with duckdb.connect(str(place.root / "shop.duckdb")) as connection:
        connection.register("delivered", delivered.to_arrow())
        connection.execute("CREATE TABLE IF NOT EXISTS customers AS SELECT * FROM delivered WHERE false")
        connection.execute("INSERT INTO customers SELECT * FROM delivered")


def into_function(place: Workplace, number: int) -> None:
    name = f"shop_{place.root.parent.name}".replace("-", "_")
    rows(number).write_parquet(place.root / f"{number}.parquet")
    (place.root / f"{name}.py").write_text(
        "from pathlib import Path\nimport polars as pl\n\ndef load():\n"
        "    newest = max(Path(__file__).parent.glob('*.parquet'))\n    return newest.stem, pl.read_parquet(newest)\n"
    )


SOURCES: dict[str, tuple[dict[str, object], Deliver]] = {
    "database": (
        {
            "database": {
                "engine": "sqlite",
                "path": "shop.db",
                "query": "SELECT * FROM customers WHERE age >= :least",
                "parameters": {"least": 0},
                "watermark": "id",
            }
        },
        into_sqlite,
    ),
    "duckdb": (
        {
            "database": {
                "engine": "duckdb",
                "path": "shop.duckdb",
                "query": "SELECT * FROM customers",
                "watermark": "id",
            }
        },
        into_duckdb,
    ),
    "delta": ({"delta": {"path": "lake"}}, into_delta),
    "function": ({"function": "shop:load"}, into_function),
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        yield made


def reading(place: Workplace, source: dict[str, object], *, more: dict[str, object] | None = None) -> Workplace:
    if "function" in source:
        source = {"function": f"shop_{place.root.parent.name}".replace("-", "_") + ":load"}
    return place.with_spec(source=source, columns={**SPEC["columns"], **(more or {})})


def raw(place: Workplace) -> pl.DataFrame:
    tables = place.places.tables
    (folder,) = (place.places.home / "tables" / MODEL).glob("raw_data-*")
    return tables.read(MODEL, folder.name, tables.batches(MODEL, folder.name))


@pytest.mark.parametrize("kind", list(SOURCES))
def test_each_row_of_a_source_arrives_once(place: Workplace, kind: str) -> None:
    source, deliver = SOURCES[kind]
    deliver(place, 1)
    place = reading(
        place, source, more={"id": {"type": "integer", "role": "ignored"}} if "database" in source else None
    )
    for number in (2, 2, 3):
        done = place.materialise("raw_data", "validated_data", "quarantined_rows")
        assert done.success, failures(done)
        assert raw(place)["customer"].n_unique() == raw(place).height
        if number == 3 or raw(place).height == 50:
            deliver(place, number)
    assert place.materialise("raw_data").success
    found = raw(place)
    assert found.height == 150
    assert set(found["customer"]) == {name for number in (1, 2, 3) for name in rows(number)["customer"]}
    assert found["_batch"].n_unique() == 3
    assert len(place.places.ledger.events(MODEL, "batch_ingested")) == 3


@pytest.mark.parametrize("kind", ["database", "delta", "function"])
def test_a_batch_that_a_killed_run_committed_is_noted_once_and_by_its_name(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    source, deliver = SOURCES[kind]
    deliver(place, 1)
    place = reading(
        place, source, more={"id": {"type": "integer", "role": "ignored"}} if "database" in source else None
    )
    record, lost = Ledger.record, []

    def dies_at_the_word(self: Ledger, model: str, kind: str, batch: str, data: Any, **more: Any) -> Any:
        if kind == "batch_ingested":
            lost.append((batch, data))
            raise KeyboardInterrupt
        return record(self, model, kind, batch, data, **more)

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "record", dies_at_the_word)
        assert not place.materialise("raw_data").success
    for _ in range(2):
        assert place.materialise("raw_data").success
    ledger = place.places.ledger
    assert [(event.subject, event.data) for event in ledger.events(MODEL, "batch_ingested")] == lost
    ((batch, data),) = lost
    assert batch_named(ledger, MODEL, data["name"]).digest == batch == raw(place)["_batch"][0]


@pytest.mark.parametrize("kind", ["database", "delta"])
def test_two_runs_at_once_read_each_row_once(place: Workplace, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    source, deliver = SOURCES[kind]
    deliver(place, 1)
    place = reading(
        place, source, more={"id": {"type": "integer", "role": "ignored"}} if "database" in source else None
    )
    append, others = Tables.append, []

    def while_another_reads(self: Tables, *batch: Any) -> bool:
        if not others:
            deliver(place, 2)
            others.append(Thread(target=place.materialise, args=("raw_data",)))
            others[0].start()
            others[0].join(timeout=2)  # it waits
        return append(self, *batch)

    monkeypatch.setattr(Tables, "append", while_another_reads)
    assert place.materialise("raw_data").success
    others[0].join()
    assert place.materialise("raw_data").success
    assert (raw(place).height, raw(place)["customer"].n_unique()) == (100, 100)


@pytest.mark.parametrize("kind", ["database", "delta"])
def test_a_tick_asks_for_one_run_for_all_that_is_new(place: Workplace, kind: str) -> None:
    source, deliver = SOURCES[kind]
    place = reading(
        place, source, more={"id": {"type": "integer", "role": "ignored"}} if "database" in source else None
    )
    nothing = place.tick("new_batches")
    assert not nothing.run_requests
    assert nothing.skip_message
    deliver(place, 1)
    first, again = place.tick("new_batches"), place.tick("new_batches")
    assert len(first.run_requests) == len(again.run_requests) == 1
    assert first.run_requests[0].run_key == again.run_requests[0].run_key
    assert place.materialise("raw_data").success
    (unjudged,) = place.tick("new_batches").run_requests
    ledger = place.places.ledger
    for batch in raw(place)["_batch"].unique():
        ledger.record(MODEL, "batch_judged", batch, {}, run_id="r", actor="test")
    done = place.tick("new_batches")
    assert not done.run_requests
    assert "nothing new" in (done.skip_message or "")
    deliver(place, 2)
    (second,) = place.tick("new_batches").run_requests
    assert len({first.run_requests[0].run_key, unjudged.run_key, second.run_key}) == 3


def test_a_database_that_cannot_be_read_is_refused_by_name_and_nothing_is_half_written(place: Workplace) -> None:
    into_sqlite(place, 1)
    source, _ = SOURCES["database"]
    place = reading(place, source)  # the column id is missing in the spec
    done = place.train()
    assert not done.success
    (check,) = [each for each in done.get_asset_check_evaluations() if each.check_name == "files_are_readable"]
    assert not check.passed
    assert "E_SCHEMA" in (check.description or "")
    assert "'id'" in (check.description or "")
    assert not list((place.places.home / "tables" / MODEL).glob("raw_data-*/_batch=*"))


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def test_objects_are_batches_like_files(place: Workplace, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("S3_KEY", "S3_SECRET"):
        monkeypatch.setenv(name, secret(f"env:{name}"))
    source = {"path": "s3://rows/shop/*.csv", "format": "csv", "store": s3.store}
    place = reading(place, source)
    s3.put("shop/1.csv", rows(1).write_csv())
    assert len(place.tick("new_batches").run_requests) == 1
    assert place.materialise("raw_data", "validated_data", "quarantined_rows").success
    s3.put("shop/2.csv", rows(2).write_csv())
    s3.put("shop/again.csv", rows(1).write_csv())
    assert place.materialise("raw_data", "validated_data", "quarantined_rows").success
    assert raw(place).height == 100
    assert sorted(event.data["name"] for event in place.places.ledger.events(MODEL, "batch_ingested")) == [
        "1.csv",
        "2.csv",
    ]


def test_labels_gain_the_features_that_a_feature_store_knew_then(place: Workplace) -> None:
    write(place.root / "features" / "data" / "drivers.parquet", DRIVERS)
    write(place.root / "features" / "data" / "cities.parquet", CITIES)
    apply(place.root / "features")
    labels = pl.DataFrame({"driver": [1, 2] * 20, "at": [NOON] * 40, "churned": ["no", "yes"] * 20})
    (place.root / "landing").mkdir()
    labels.write_parquet(place.root / "landing" / "labels.parquet")
    feast = {"repository": "features", "time": "at", "features": ["driver_stats:rating", "driver_stats:trips"]}
    columns = {
        "driver": {"type": "integer", "role": "ignored"},
        "at": {"type": "datetime", "role": "time"},
        "churned": {"type": "string", "nullable": False},
        "rating": {"type": "number"},
        "trips": {"type": "integer"},
    }
    source = {"path": "landing/*.parquet", "format": "parquet", "feast": feast}
    place = place.with_spec(source=source, columns=columns, features={})
    done = place.materialise("raw_data", "validated_data", "quarantined_rows")
    assert raw(place).height == 40, failures(done)
    found = raw(place).select("driver", "rating", "trips").unique().sort("driver")
    assert found.rows() == [(1, 2.0, 20), (2, 5.0, None)]
