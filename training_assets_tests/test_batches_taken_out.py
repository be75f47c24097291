"""Batches that do not count: taken back by a person, or refused because they repeat keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from training_assets.assets import validation
from training_assets.resources.retractions import ERASED, batch_named, erase_rows, restore, retract
from training_assets.resources.tables import Tables
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

DATA = ("raw_data", "validated_data", "quarantined_rows")
REFUSE = {"validation": {"duplicates": {"keep": "refuse"}}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(200, seed=1))
        yield made


def sort(place: Workplace) -> dg.ExecuteInProcessResult:
    result = place.materialise(*DATA)
    made = {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}
    assert made == set(DATA), failures(result)
    return result


def facts_of(place: Workplace, result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    found = place.definitions().resources["artifacts"].of_run(MODEL, result.run_id, "validated_data")
    return dict(found.artifact.facts)


def names_of(place: Workplace, facts: dict[str, Any]) -> list[str]:
    rows = place.places.tables.read(MODEL, facts["table"], facts["batches"])
    return sorted(set(rows["customer"].str.split("-").list.first()))


def check_of(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    return next(each for each in result.get_asset_check_evaluations() if each.check_name == name)


def test_a_retracted_batch_is_in_no_later_dataset_and_comes_back_when_restored(place: Workplace) -> None:
    place.land("2026-02.csv", customers(100, seed=2))
    before = facts_of(place, sort(place))
    assert names_of(place, before) == ["c1", "c2"]
    ledger = place.places.ledger
    batch = batch_named(ledger, MODEL, "2026-02.csv")
    retract(ledger, MODEL, batch, {}, because="bad delivery", actor="Ada")
    # The file still lies there: it is neither read again nor refused.
    result = sort(place)
    after = facts_of(place, result)
    assert names_of(place, after) == ["c1"]
    assert after["dataset"] != before["dataset"]
    assert check_of(result, "files_are_readable").passed
    assert facts_of(place, sort(place))["dataset"] == after["dataset"]
    restore(ledger, MODEL, batch, because="it was sound", actor="Ada")
    assert facts_of(place, sort(place))["dataset"] == before["dataset"]


def test_sorting_alone_leaves_a_retracted_batch_out(place: Workplace) -> None:
    place.land("2026-02.csv", customers(100, seed=2))
    sort(place)
    batch = batch_named(place.places.ledger, MODEL, "2026-02.csv")
    retract(place.places.ledger, MODEL, batch, {}, because="bad delivery", actor="Ada")
    result = place.materialise("validated_data", "quarantined_rows")
    assert names_of(place, facts_of(place, result)) == ["c1"]


def test_erased_rows_are_in_no_table_and_are_not_read_again(place: Workplace) -> None:
    place.land("2026-02.csv", customers(100, seed=2))
    facts = facts_of(place, sort(place))
    batch = batch_named(place.places.ledger, MODEL, "2026-02.csv")
    retract(place.places.ledger, MODEL, batch, {}, because="a person asked", actor="Ada")
    assert place.places.tables.erase(MODEL, facts["table"], batch.digest) == 100
    for path in (place.places.tables.folder / MODEL).glob("raw_data-*"):
        assert place.places.tables.erase(MODEL, path.name, batch.digest) == 100
    assert names_of(place, facts_of(place, sort(place))) == ["c1"]
    held = [path for path in (place.places.tables.folder / MODEL).rglob("*.parquet") if batch.digest in str(path)]
    assert held == []


@pytest.mark.parametrize("moment", ["before the last look", "after it"])
def test_rows_erased_beside_a_run_are_not_written_again_or_gone_by_the_next(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    place.land("2026-02.csv", customers(100, seed=2))
    assert place.materialise("raw_data").success
    places, artifacts = place.places, place.definitions().resources["artifacts"]
    batch = batch_named(places.ledger, MODEL, "2026-02.csv")
    sort_rows, append = validation.sort_rows, Tables.append

    def take_back() -> None:
        retract(places.ledger, MODEL, batch, {}, because="a person asked", actor="Ada")
        assert list(erase_rows(places, artifacts, MODEL, [batch.digest]).values()) == [100]
        places.ledger.record(MODEL, ERASED, batch.digest, {}, run_id="", actor="Ada")

    def sorts(rows: pl.DataFrame, *args: Any) -> Any:
        if rows["_batch"][0] == batch.digest:
            take_back()
        return sort_rows(rows, *args)

    def appends(self: Tables, model: str, table: str, rows: pl.DataFrame, digest: str) -> bool:
        if digest == batch.digest:
            take_back()
        return append(self, model, table, rows, digest)

    def kept() -> tuple[int, int]:
        """Files of the batch's rows, and of statistics: one is that of the other batch."""
        rows = list((places.tables.folder / MODEL).glob(f"*/*={batch.digest}/*"))
        return len(rows), len(list(places.artifacts.glob("*/by_content/batch_statistics/*")))

    with monkeypatch.context() as beside:
        if moment == "after it":
            beside.setattr(Tables, "append", appends)
        else:
            beside.setattr(validation, "sort_rows", sorts)
        assert place.materialise("validated_data", "quarantined_rows").success
    assert kept() == ((1, 2) if moment == "after it" else (0, 1))
    assert names_of(place, facts_of(place, sort(place))) == ["c1"]
    assert kept() == (0, 1)


def test_a_batch_that_repeats_its_own_key_is_refused_whole(place: Workplace) -> None:
    rows = customers(100, seed=2)
    place.land("2026-02.csv", pl.concat([rows, rows.head(2)]))
    result = sort(place.with_spec(**REFUSE))
    facts = facts_of(place, result)
    assert names_of(place, facts) == ["c1"]
    check = check_of(result, "rows_are_unique")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "E_DUP_KEY: 2026-02.csv: 2 row(s) repeat the key ('customer')" in (check.description or "")
    assert "row 101 repeats row 1" in (check.description or "")
    (refused,) = place.places.ledger.events(MODEL, "batch_refused")
    assert refused.data["code"] == "E_DUP_KEY"
    place.land("2026-02.csv", rows)
    mended = sort(place.with_spec(**REFUSE))
    assert names_of(place, facts_of(place, mended)) == ["c1", "c2"]
    assert check_of(mended, "rows_are_unique").passed


def test_a_first_batch_that_repeats_its_own_key_says_so(place: Workplace) -> None:
    rows = customers(200, seed=1)
    place.land("2026-01.csv", pl.concat([rows, rows.head(1)]))
    result = sort(place.with_spec(**REFUSE))
    assert "row 201 repeats row 1" in (check_of(result, "rows_are_unique").description or "")


def test_a_key_of_an_earlier_batch_blocks_until_one_of_them_is_retracted(place: Workplace) -> None:
    first, more = customers(200, seed=1), customers(100, seed=2)
    place.land("2026-02.csv", pl.concat([more, first.head(3).with_columns(age=pl.lit(30, pl.Int64))]))
    allowed = facts_of(place, sort(place))
    result = sort(place.with_spec(**REFUSE))
    facts = facts_of(place, result)
    assert facts["dataset"] == allowed["dataset"], "another choice sorts nothing anew"
    check = check_of(result, "rows_are_unique")
    assert not check.passed
    said = check.description or ""
    assert "E_DUP_KEY: 3 row(s) repeat the key ('customer') of an earlier batch" in said
    assert "first: row 101 of 2026-02.csv and row 1 of 2026-01.csv" in said
    assert "training-assets retract churn" in said
    batch = batch_named(place.places.ledger, MODEL, "2026-02.csv")
    retract(place.places.ledger, MODEL, batch, {}, because="delivered twice", actor="Ada")
    assert check_of(sort(place.with_spec(**REFUSE)), "rows_are_unique").passed


def test_a_file_that_is_written_over_is_told_of_once_with_what_takes_the_old_rows_back(place: Workplace) -> None:
    def told() -> list[str]:
        run = place.materialise("raw_data").run_id
        return [
            entry.user_message for entry in place.instance.all_logs(run) if "rows of both count" in entry.user_message
        ]

    assert told() == []
    (old,) = (event.subject for event in place.places.ledger.events(MODEL, "batch_ingested"))
    place.land("2026-01.csv", customers(210, seed=1))
    (line,) = told()
    assert f"training-assets retract {MODEL} {old[:12]} --because" in line
    assert told() == []
    place.land("2026-01.csv", customers(220, seed=1))
    kept = place.with_spec(validation={"duplicates": {"keep": "last"}})
    assert kept.materialise("raw_data").success
    assert told() == []
