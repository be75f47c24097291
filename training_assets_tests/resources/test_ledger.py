"""The ledger only grows, notices tampering, records once what is once, and moves pointers by compare-and-swap."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.resources.ledger import Ledger, PointerMovedError

START = datetime(2026, 1, 1, tzinfo=UTC)


def ticking() -> Iterator[datetime]:
    now = START
    while True:
        yield now
        now += timedelta(seconds=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    clock = ticking()
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=lambda: next(clock))


def note(ledger: Ledger, subject: str, *, once: str | None = None, model: str = "m") -> int:
    return ledger.record(model, "kind", subject, {"subject": subject}, run_id="run", actor="test", once=once).seq


def test_events_come_back_as_they_were_recorded(ledger: Ledger) -> None:
    first = ledger.record("m", "verdict", "abc", {"name": "PASS", "n": 1.5}, run_id="r", actor="a")
    note(ledger, "other", model="n")
    assert ledger.events("m") == [first]
    assert ledger.latest("m", "verdict", "abc") == first
    assert ledger.latest("m", "verdict", "abd") is None
    assert first.at == "2026-01-01T00:00:00.000+00:00"
    assert first.data == {"name": "PASS", "n": 1.5}


def test_once_is_once(ledger: Ledger) -> None:
    assert note(ledger, "a", once="key") == note(ledger, "b", once="key") == 1
    assert note(ledger, "c", once="other") == 2
    assert [event.subject for event in ledger.events("m")] == ["a", "c"]


def test_once_holds_for_threads_of_many_ledgers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledgers = [Ledger(url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        seqs = list(pool.map(lambda pair: note(pair[1], str(pair[0]), once="same"), enumerate(ledgers * 3)))
    assert set(seqs) == {1}
    assert len(ledgers[0].events("m")) == 1


def _record_many(url: str, name: str) -> None:
    ledger = Ledger(url)
    for number in range(20):
        note(ledger, f"{name}-{number}")


def test_processes_append_without_holes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_record_many, args=(url, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    events = Ledger(url).events("m")
    assert [event.seq for event in events] == list(range(1, 41))
    assert Ledger(url).first_broken() is None


@pytest.mark.parametrize("column", ["at", "model", "kind", "subject", "actor", "run_id", "data", "previous", "hash"])
def test_a_changed_field_is_found(ledger: Ledger, tmp_path: Path, column: str) -> None:
    for subject in "abc":
        note(ledger, subject)
    assert ledger.first_broken() is None
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute(f"UPDATE events SET {column} = '{{}}' WHERE seq = 2")  # noqa: S608 - a test's own names
    assert ledger.first_broken() == 2


def test_a_deleted_event_is_found(ledger: Ledger, tmp_path: Path) -> None:
    for subject in "abc":
        note(ledger, subject)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute("DELETE FROM events WHERE seq = 2")
    assert ledger.first_broken() == 2


def move(ledger: Ledger, expected: str | None, to: str) -> None:
    ledger.move("m", "staging", expected=expected, to=to, data={"reason": "test"}, run_id="r", actor="a")


def test_a_pointer_moves_from_where_it_is_expected(ledger: Ledger) -> None:
    assert ledger.pointer("m", "staging") is None
    move(ledger, None, "1")
    move(ledger, "1", "2")
    assert ledger.pointer("m", "staging") == "2"
    assert ledger.pointer("m", "production") is None
    assert [(event.data["from"], event.data["to"]) for event in ledger.events("m", "staging_moved")] == [
        (None, "1"),
        ("1", "2"),
    ]


def test_a_pointer_that_is_there_already_is_left_alone(ledger: Ledger) -> None:
    move(ledger, None, "1")
    move(ledger, None, "1")
    assert len(ledger.events("m")) == 1


def test_a_pointer_that_somebody_moved_stays(ledger: Ledger) -> None:
    move(ledger, None, "1")
    with pytest.raises(PointerMovedError, match="is at 1, not at None"):
        move(ledger, None, "2")
    assert ledger.pointer("m", "staging") == "1"
    assert len(ledger.events("m")) == 1


def test_of_many_who_move_at_once_one_wins(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"

    def attempt(number: int) -> bool:
        try:
            move(Ledger(url), None, str(number))
        except PointerMovedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, moved in enumerate(pool.map(attempt, range(16))) if moved]
    assert len(won) == 1
    assert Ledger(url).pointer("m", "staging") == str(won[0])


@settings(max_examples=25, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["staging", "production"]), st.sampled_from(["1", "2", None])), max_size=12
    )
)
def test_replaying_the_events_gives_the_pointers(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str | None]]
) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}")
    for number, (name, expected) in enumerate(moves):
        try:
            ledger.move("m", name, expected=expected, to=str(number % 3), data={}, run_id="r", actor="a")
        except PointerMovedError:
            continue
    replayed: dict[str, str] = {}
    for event in ledger.events("m"):
        assert replayed.get(event.data["pointer"]) == event.data["from"]
        replayed[event.data["pointer"]] = event.data["to"]
    assert {name: ledger.pointer("m", name) for name in replayed} == replayed
    assert ledger.first_broken() is None
