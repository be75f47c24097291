"""A query without a watermark: each result takes the place of the one before, and keys stay where they were dealt."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from training_assets.assets.evaluation import _note_judged
from training_assets.assets.intake import Standing
from training_assets.core.artifact_format import Artifact
from training_assets.core.lineage import SPLITS
from training_assets.governance.recorded_rows import erased_results
from training_assets.resources.retractions import Batch, batch_named, erase_rows, retract
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

MADE = ("raw_data", "validated_data", "quarantined_rows", "feature_table", *SPLITS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        yield made.with_spec(
            source={"database": {"engine": "sqlite", "path": "shop.db", "query": "SELECT * FROM customers"}}
        )


def holds(place: Workplace, rows: pl.DataFrame) -> None:
    """Let the database hold these rows and no others."""
    with closing(sqlite3.connect(place.root / "shop.db")) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS customers")
        connection.execute(f"CREATE TABLE customers ({', '.join(rows.columns)})")
        connection.executemany(f"INSERT INTO customers VALUES ({', '.join('?' * rows.width)})", rows.rows())  # noqa: S608


def made(place: Workplace, *assets: str) -> dg.ExecuteInProcessResult:
    done = place.materialise(*(assets or MADE))
    assert done.success, failures(done)
    return done


def made_of(place: Workplace, done: dg.ExecuteInProcessResult, asset: str) -> Artifact:
    found = place.definitions().resources["artifacts"].of_run(MODEL, done.run_id, asset).artifact
    assert isinstance(found, Artifact)
    return found


def batches(place: Workplace, done: dg.ExecuteInProcessResult) -> list[str]:
    return list(made_of(place, done, "validated_data").facts["batches"])


def dealt(place: Workplace, done: dg.ExecuteInProcessResult) -> dict[str, str]:
    """The split of each customer."""
    splits: dict[int, str] = {}
    for name in SPLITS:
        splits |= dict.fromkeys(made_of(place, done, name).frame("rows.parquet")["_row"].to_list(), name)
    validated = made_of(place, done, "validated_data").facts
    rows = place.places.tables.read(MODEL, validated["table"], validated["batches"])
    return {customer: splits[row] for customer, row in rows.select("customer", "_row").iter_rows()}


OLD, NEW = customers(200, seed=1), customers(120, seed=2)
"""Two sets of customers; one of the old ones thinks better of it."""
CHANGED = OLD.with_columns(
    pl.when(pl.col("customer") == "c1-7").then(pl.lit("no")).otherwise("churned").alias("churned"),
).filter(pl.col("customer") != "c1-8")


def test_a_result_takes_the_place_of_the_one_before(place: Workplace) -> None:
    holds(place, OLD)
    first = dealt(place, made(place))
    holds(place, pl.concat([CHANGED, NEW]))
    done = made(place)
    second = dealt(place, done)
    assert made_of(place, done, "feature_table").facts["rows"] == len(second) == OLD.height - 1 + NEW.height
    kept = [customer for customer in first if customer in second]
    assert len(kept) == OLD.height - 1
    assert {customer: second[customer] for customer in kept} == {customer: first[customer] for customer in kept}
    new = pl.Series([second[customer] for customer in NEW["customer"]]).value_counts(normalize=True)
    assert dict(new.iter_rows())["train_split"] == pytest.approx(0.7, abs=0.02), "new keys are dealt by quota"


def test_what_is_as_it_was_is_the_dataset_that_it_was(place: Workplace) -> None:
    holds(place, OLD)
    first = made(place)
    holds(place, pl.concat([OLD, NEW]))
    between = made(place)
    holds(place, OLD)
    third = made(place)
    datasets = [batches(place, done) for done in (first, between, third)]
    assert datasets[0] == datasets[2] != datasets[1]
    one, other = (made_of(place, done, "test_split") for done in (first, third))
    assert one.digest == other.digest
    holds(place, pl.concat([OLD, NEW]))
    again = made(place)
    assert batches(place, again) == datasets[1]
    assert dealt(place, again) == dealt(place, between)


def test_a_result_that_is_read_again_is_read_from_the_log_alone(place: Workplace) -> None:
    """What stands is in the commits: a run that dies after any of them leaves a next one that agrees."""
    for rows in (OLD, NEW, OLD):
        holds(place, rows)
        made(place, "raw_data")
    standing = Standing.of(MODEL, place.spec, place.places)
    first, second = place.places.tables.batches(MODEL, raw_table_of(place))
    assert (standing.batches, standing.replaced) == ([first], [])
    retracted(place, first)
    assert Standing.of(MODEL, place.spec, place.places) == Standing([second], [])
    retracted(place, second)
    assert Standing.of(MODEL, place.spec, place.places) == Standing([], [])


def raw_table_of(place: Workplace) -> str:
    (folder,) = (place.places.home / "tables" / MODEL).glob("raw_data-*")
    return folder.name


def retracted(place: Workplace, digest: str) -> None:
    ledger = place.places.ledger
    batch = batch_named(ledger, MODEL, digest)
    assert batch == Batch(digest, batch.name)
    retract(ledger, MODEL, batch, {}, because="a test", actor="eve")


def test_a_broken_result_waits_until_the_next_takes_its_place(place: Workplace) -> None:
    holds(place, OLD)
    made(place)
    ledger = place.places.ledger
    for event in ledger.events(MODEL, "batch_ingested"):
        ledger.record(MODEL, "batch_judged", event.subject, {}, run_id="r", actor="test")
    assert not place.tick("new_batches").run_requests
    holds(place, OLD.with_columns(age=pl.lit(-1)))
    (asked,) = place.tick("new_batches").run_requests
    broken = place.materialise("raw_data", "validated_data", "quarantined_rows")
    assert [case.state for case in place.places.reviews.cases(MODEL)] == ["OPEN"], failures(broken)
    held_up = place.tick("new_batches")
    assert not held_up.run_requests
    assert "the next result takes this one's place" in (held_up.skip_message or "")
    holds(place, pl.concat([OLD, NEW]))
    (mended,) = place.tick("new_batches").run_requests
    assert mended.run_key != asked.run_key
    done = made(place)
    assert made_of(place, done, "feature_table").facts["rows"] == OLD.height + NEW.height
    assert [case.state for case in place.places.reviews.cases(MODEL)] == ["SUPERSEDED"]


def test_a_batch_that_is_not_read_again_says_how_it_is_taken_back(place: Workplace) -> None:
    growing = {**place.spec.source.model_dump(mode="json")["database"], "watermark": "customer"}
    growing["parameters"] = {}
    place = place.with_spec(source={"database": growing})
    holds(place, OLD.with_columns(age=pl.lit(-1)))
    place.materialise("raw_data", "validated_data", "quarantined_rows")
    (case,) = place.places.reviews.cases(MODEL)
    assert f"`training-assets retract {MODEL} {case.subject[:12]} --because TEXT`" in case.text
    assert case.text.count("retract") == 1
    assert "retract" in (place.tick("new_batches").skip_message or "")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_in_whatever_order_the_newest_stands_and_no_key_moves(place: Workplace, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    pool = pl.concat([customers(150, seed=number) for number in range(4)])
    results: list[pl.DataFrame] = []
    first: dict[str, str] = {}
    for _ in range(10):
        if not results or rng.random() < 0.7:
            some = pool[sorted(rng.sample(range(pool.height), rng.randint(120, 400)))]
            results.append(some.with_columns(pl.col("income") + rng.randint(0, 3)))
        newest = rng.choice(results)
        holds(place, newest)
        splits = dealt(place, made(place))
        assert set(splits) == set(newest["customer"])
        assert {customer: first.setdefault(customer, split) for customer, split in splits.items()} == splits


def judged(place: Workplace, batch: str) -> None:
    """As the evaluation does that carried a batch to a verdict."""
    by = {"run_id": "r", "actor": "test"}
    _note_judged(MODEL, place.places, "candidate", [batch], by)


def test_a_result_that_comes_back_is_carried_again_however_often_it_came(place: Workplace) -> None:
    keys = set()
    for _ in range(5):
        for rows in (OLD, NEW):
            holds(place, rows)
            (asked,) = place.tick("new_batches").run_requests
            made(place, "raw_data")
            (once_more,) = place.tick("new_batches").run_requests  # the run died after that
            keys |= {asked.run_key, once_more.run_key}
            for request in (asked, once_more):
                job = place.definitions().resolve_job_def(f"{MODEL}_train")
                place.instance.create_run_for_job(job, tags=request.tags, status=dg.DagsterRunStatus.SUCCESS)
            (batch,) = Standing.of(MODEL, place.spec, place.places).batches
            judged(place, batch)
            assert not place.tick("new_batches").run_requests
    assert len(keys) == 20
    retracted(place, batch)
    assert place.tick("new_batches").run_requests, "what stands is another one now"


def test_a_write_elsewhere_in_the_database_is_looked_at_once(place: Workplace) -> None:
    holds(place, OLD)
    made(place, "raw_data")
    (batch,) = Standing.of(MODEL, place.spec, place.places).batches
    judged(place, batch)
    for table in ("one", "two"):
        with closing(sqlite3.connect(place.root / "shop.db")) as connection, connection:
            connection.execute(f"CREATE TABLE {table} (x)")
        assert place.tick("new_batches").run_requests
        made(place, "raw_data")
        assert not place.tick("new_batches").run_requests
    assert Standing.of(MODEL, place.spec, place.places) == Standing([batch], [])


def test_an_empty_result_is_refused_and_changes_nothing(place: Workplace) -> None:
    holds(place, OLD)
    made(place, "raw_data")
    standing = Standing.of(MODEL, place.spec, place.places)
    holds(place, OLD.clear())
    done = place.train()
    assert not done.success
    (check,) = [each for each in done.get_asset_check_evaluations() if each.check_name == "files_are_readable"]
    assert "E_NO_ROWS" in (check.description or "")
    assert Standing.of(MODEL, place.spec, place.places) == standing


def test_an_erased_result_that_is_given_again_is_not_read_again(place: Workplace) -> None:
    holds(place, OLD)
    made(place, "raw_data")
    holds(place, NEW)
    made(place, "raw_data")
    first, second = place.places.tables.batches(MODEL, raw_table_of(place))
    retracted(place, second)
    place.places.tables.erase(MODEL, raw_table_of(place), second)
    for rows in (OLD, NEW):
        holds(place, rows)
        made(place, "raw_data")
    assert Standing.of(MODEL, place.spec, place.places) == Standing([first], [])
    judged(place, first)
    assert not place.tick("new_batches").run_requests


def test_a_reproduction_says_that_an_erased_result_dealt_rows(place: Workplace) -> None:
    for rows in (OLD, pl.concat([CHANGED, NEW])):
        holds(place, rows)
        done = made(place)
    artifacts = place.definitions().resources["artifacts"]
    assert erased_results(MODEL, done.run_id, place.places, artifacts) == []
    first, _ = place.places.tables.batches(MODEL, raw_table_of(place))
    retracted(place, first)
    erase_rows(place.places, artifacts, MODEL, [first])
    (said,) = erased_results(MODEL, done.run_id, place.places, artifacts)
    assert "1 earlier result(s), by whose keys rows were dealt" in said


def test_columns_that_are_not_the_committed_ones_open_a_case_that_closes_when_they_are(place: Workplace) -> None:
    holds(place, OLD)
    made(place)
    holds(place, OLD.with_columns(city=pl.lit("Graz")))
    assert not place.train().success
    (case,) = place.places.reviews.cases(MODEL)
    assert case.state == "OPEN"
    assert "city: was not there, is string" in case.text
    assert [change["column"] for change in case.facts["changes"]] == ["city"]
    assert "mend the rows where they come from" in case.text
    holds(place, NEW)
    made(place)
    assert [each.state for each in place.places.reviews.cases(MODEL)] == ["SUPERSEDED"]
