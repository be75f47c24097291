"""A retraction counts until it is taken back, is recorded once a round, and needs a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.resources.ledger import Ledger
from training_assets.resources.retractions import (
    ERASED,
    Batch,
    batch_named,
    restore,
    retract,
    retracted,
    retractions,
)

MODEL = "churn"
JAN, FEB = Batch("a1" * 32, "jan.csv"), Batch("a2" * 32, "feb.csv")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return made(tmp_path)


def made(folder: Path) -> Ledger:
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    for batch in (JAN, FEB):
        ledger.record(MODEL, "batch_ingested", batch.digest, {"name": batch.name}, run_id="r", actor="raw_data")
    return ledger


def test_a_batch_goes_once_and_comes_back(ledger: Ledger) -> None:
    first = retract(ledger, MODEL, JAN, {"rows": 3}, because="bad delivery", actor="Ada")
    assert retract(ledger, MODEL, JAN, {}, because="again", actor="Bob") == first
    assert retracted(ledger, MODEL) == {JAN.digest}
    assert retracted(ledger, "other") == set()
    assert [(event.actor, event.data["because"], event.data["rows"]) for event in retractions(ledger, MODEL)] == [
        ("Ada", "bad delivery", 3)
    ]
    restore(ledger, MODEL, JAN, because="it was sound", actor="Ada")
    assert retracted(ledger, MODEL) == set()
    assert retractions(ledger, MODEL) == []
    retract(ledger, MODEL, JAN, {}, because="it was not", actor="Ada")
    assert retracted(ledger, MODEL) == {JAN.digest}


def test_a_retraction_needs_a_reason_and_a_restoration_a_retraction(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="--because"):
        retract(ledger, MODEL, JAN, {}, because=" ", actor="Ada")
    with pytest.raises(InputError, match=r"jan\.csv of churn is not retracted"):
        restore(ledger, MODEL, JAN, because="x", actor="Ada")


def test_erased_rows_do_not_come_back(ledger: Ledger) -> None:
    retract(ledger, MODEL, JAN, {}, because="asked for by a person", actor="Ada")
    ledger.record(MODEL, ERASED, JAN.digest, {}, run_id="", actor="Ada")
    with pytest.raises(InputError, match="were erased"):
        restore(ledger, MODEL, JAN, because="x", actor="Ada")
    assert retracted(ledger, MODEL) == {JAN.digest}


def test_a_batch_is_named_by_its_file_or_its_digest(ledger: Ledger) -> None:
    for name in ("jan.csv", JAN.digest, JAN.digest[:6]):
        assert batch_named(ledger, MODEL, name) == JAN
    with pytest.raises(InputError, match=r"no batch of churn is called 'mar\.csv'.*'jan\.csv', 'feb\.csv'"):
        batch_named(ledger, MODEL, "mar.csv")
    with pytest.raises(InputError, match="no batch"):
        batch_named(ledger, MODEL, "a1")


def test_a_name_of_two_batches_is_asked_about(ledger: Ledger) -> None:
    ledger.record(MODEL, "batch_ingested", "b3" * 32, {"name": "jan.csv"}, run_id="r", actor="raw_data")
    with pytest.raises(InputError, match=r"2 batches of churn are called 'jan\.csv'; name one by its digest: a1a1"):
        batch_named(ledger, MODEL, "jan.csv")
    assert batch_named(ledger, MODEL, "b3b3b3").name == "jan.csv"


steps = st.lists(st.tuples(st.sampled_from([retract, restore]), st.sampled_from([JAN, FEB])), max_size=10)


@settings(max_examples=25)
@given(steps)
def test_what_is_retracted_is_what_was_retracted_last(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[object, Batch]]
) -> None:
    ledger = made(tmp_path_factory.mktemp("ledger"))
    gone: set[str] = set()
    for step, batch in taken:
        if step is retract:
            retract(ledger, MODEL, batch, {}, because="why", actor="Ada")
            gone.add(batch.digest)
        elif batch.digest in gone:
            restore(ledger, MODEL, batch, because="why", actor="Ada")
            gone.discard(batch.digest)
        assert retracted(ledger, MODEL) == gone
        assert {event.subject for event in retractions(ledger, MODEL)} == gone
