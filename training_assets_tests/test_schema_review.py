"""A batch that differs from the schema waits for a person; once it is answered, its rows come in exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from training_assets.resources.ledger import Ledger
from training_assets_tests.workplace import (
    MODEL,
    SPEC,
    Workplace,
    customers,
    failed_checks,
    failures,
    metadata_of,
    workplace,
)

DATA = ("raw_data", "validated_data", "quarantined_rows")
SPEC_UP_TO_200 = {**SPEC["columns"], "age": {"type": "integer", "min": 0, "max": 200}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(400, seed=1))
        yield made


def old_customers(rows: int, seed: int, old: int) -> pl.DataFrame:
    """Customers of whom the first are older than the schema allows."""
    return customers(rows, seed=seed).with_columns(age=pl.when(pl.int_range(rows) < old).then(150).otherwise("age"))


def sort(place: Workplace) -> dg.ExecuteInProcessResult:
    """Read and sort; a check may fail, the assets may not."""
    result = place.materialise(*DATA)
    made = {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}
    assert made == set(DATA), failures(result)
    return result


def rows_of(place: Workplace, result: dg.ExecuteInProcessResult, asset: str = "validated_data") -> pl.DataFrame:
    """The rows that an asset stands on after a run."""
    facts = place.definitions().resources["artifacts"].of_run(MODEL, result.run_id, asset).artifact.facts
    return place.places.tables.read(MODEL, facts["table"], facts["batches"])


def open_cases(place: Workplace) -> list[Any]:
    return [case for case in place.places.reviews.cases(MODEL) if case.state == "OPEN"]


def test_too_many_broken_rows_open_a_case_with_the_exact_difference_once(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(100, seed=2, old=10))
    result = place.train()
    check = next(each for each in result.get_asset_check_evaluations() if each.check_name == "rows_obey_schema")
    assert not check.passed
    assert "`training-assets schema churn` shows each difference" in (check.description or "")
    (case,) = open_cases(place)
    (change,) = case.facts["changes"]
    assert (change["column"], change["was"], change["is"], change["first_row"]) == (
        "age",
        "at most 120",
        "up to 150",
        1,
    )
    assert change["batch"] == "2026-02.csv"
    assert "training-assets schema churn" in case.text
    assert case.opened_in == result.run_id
    sort(place)
    assert len(place.places.reviews.cases(MODEL)) == 1, "one question a batch, however often it is looked at"


def test_an_accepted_schema_takes_the_batch_in_and_closes_the_case(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(100, seed=2, old=10))
    sort(place)
    result = sort(place.with_spec(columns=SPEC_UP_TO_200))
    assert rows_of(place, result).height == 500
    assert [(case.state, case.decided_by) for case in place.places.reviews.cases(MODEL)] == [
        ("SUPERSEDED", "validation")
    ]


def test_a_mended_batch_closes_the_case_of_the_broken_one(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(100, seed=2, old=10))
    sort(place)
    place.land("2026-02.csv", customers(100, seed=2))
    result = sort(place)
    assert rows_of(place, result).height == 500
    assert open_cases(place) == []


# ---- replay --------------------------------------------------------------------------------------------------------


def positions(rows: pl.DataFrame) -> list[tuple[str, int]]:
    found = rows.select("_batch", "_row").rows()
    assert len(found) == len(set(found)), "a row came in twice"
    return sorted(found)


def test_quarantined_rows_come_back_once_after_the_rule_is_mended(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(400, seed=2, old=3))
    first = sort(place)
    assert rows_of(place, first).height == 797
    broken = rows_of(place, first, "quarantined_rows")
    assert broken.select("_row", "column", "rule", "value").rows() == [
        (row, "age", "range", "150") for row in (1, 2, 3)
    ]
    mended = place.with_spec(columns=SPEC_UP_TO_200)
    second = sort(mended)
    assert len(positions(rows_of(place, second))) == 800
    assert metadata_of(second, "quarantined_rows")["dagster/row_count"] == 0
    again = sort(mended)
    assert positions(rows_of(place, again)) == positions(rows_of(place, second))
    assert metadata_of(again, "validated_data")["stands_on"] == second.run_id


def test_a_rule_that_is_taken_back_puts_the_rows_back_into_quarantine(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(400, seed=2, old=3))
    first = sort(place)
    sort(place.with_spec(columns=SPEC_UP_TO_200))
    assert positions(rows_of(place, sort(place))) == positions(rows_of(place, first))


@pytest.mark.parametrize("lost", ["quarantine", "rows", "word"])
def test_a_crash_in_the_middle_of_a_replay_brings_no_row_twice(
    place: Workplace, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power goes after some of what a batch writes: its broken rows, its sound rows, the word that both are there."""
    place.land("2026-02.csv", old_customers(400, seed=2, old=3))
    sort(place)
    only_one_rule = {**SPEC_UP_TO_200, "income": {"type": "number", "max": 60_000}}
    replay = place.with_spec(columns=only_one_rule, validation={"max_quarantined": 0.5})
    class_of_tables, record = type(place.places.tables), Ledger.record

    died: list[str] = []

    def dies() -> None:
        died.append(lost)
        message = "power"
        raise KeyboardInterrupt(message)

    def dies_at_the_word(self: Ledger, model: str, kind: str, *args: Any, **more: Any) -> Any:
        return dies() if kind.startswith("validated/") else record(self, model, kind, *args, **more)

    with monkeypatch.context() as broken:
        if lost == "word":
            broken.setattr(Ledger, "record", dies_at_the_word)
        else:
            append = class_of_tables.append

            def dies_after(self: Any, model: str, table: str, *args: Any) -> Any:
                if table.startswith("validated") or lost == "quarantine":
                    append(self, model, table, *args)
                    dies()
                return append(self, model, table, *args)

            broken.setattr(class_of_tables, "append", dies_after)
        assert not replay.materialise(*DATA).success
    assert died
    result = sort(replay)
    kept, quarantined = rows_of(place, result), rows_of(place, result, "quarantined_rows")
    both = [*positions(kept), *{(batch, row) for batch, row in quarantined.select("_batch", "_row").rows()}]
    assert len(both) == len(set(both)) == 800
    assert quarantined.height > 0


def test_a_batch_that_was_mended_after_a_replay_replaces_nothing_twice(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(400, seed=2, old=3))
    sort(place)
    sort(place.with_spec(columns=SPEC_UP_TO_200))
    place.land("2026-02.csv", customers(400, seed=2))
    result = sort(place.with_spec(columns=SPEC_UP_TO_200, validation={"duplicates": {"keep": "first"}}))
    features = place.with_spec(columns=SPEC_UP_TO_200, validation={"duplicates": {"keep": "first"}}).materialise(
        "feature_table"
    )
    assert rows_of(place, result).height == 1200, "the mended file is another batch"
    assert metadata_of(features, "feature_table")["dagster/row_count"] == 800
    assert metadata_of(features, "feature_table")["duplicates_left_out"] == 400


def test_the_quarantine_counts_rows_and_batches_by_rule(place: Workplace) -> None:
    place.land("2026-02.csv", old_customers(400, seed=2, old=3))
    place.land("2026-03.csv", old_customers(400, seed=3, old=2))
    shown = metadata_of(sort(place), "quarantined_rows")
    assert "| age | range | 5 | 2 |" in shown["rules"]
    assert "150" in shown["sample"]


def test_a_declared_rule_quarantines_and_warns(place: Workplace) -> None:
    rules = {"rules": {"plausible_income": "income > age * 100"}}
    rows = customers(400, seed=2).with_columns(income=pl.when(pl.int_range(400) < 2).then(1.0).otherwise("income"))
    place.land("2026-02.csv", rows)
    result = place.with_spec(validation=rules).train()
    assert result.success, failures(result)
    assert failed_checks(result) == ["values_in_range"], "a warning"
    assert "| income, age | plausible_income | 2 | 1 |" in metadata_of(result, "quarantined_rows")["rules"]
