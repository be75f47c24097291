"""The ledger only grows, notices tampering, records once what is once, and moves pointers by compare-and-swap.

In SQLite and in a real PostgreSQL.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.resources import ledger_database
from training_assets.resources.ledger import Ledger, PointerMovedError
from training_assets_tests.postgres_server import PostgresServer

START = datetime(2026, 1, 1, tzinfo=UTC)


def ticking() -> Iterator[datetime]:
    now = START
    while True:
        yield now
        now += timedelta(seconds=1)


@dataclass(frozen=True)
class Database:
    """Where a ledger is kept, and a way past it."""

    url: str
    run: Callable[[str], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        name = server.database()
        return Database(server.url(database=name), lambda sql: server.run(sql, database=name))
    path = tmp_path / "ledger.db"

    def run(sql: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(sql)

    return Database(f"sqlite:///{path}", run)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    clock = ticking()
    return Ledger(database.url, clock=lambda: next(clock))


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


def test_once_holds_for_threads_of_many_ledgers_that_are_made_at_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        ledgers = list(pool.map(Ledger, [database.url] * 8))
    with ThreadPoolExecutor(8) as pool:
        seqs = list(pool.map(lambda pair: note(pair[1], str(pair[0]), once="same"), enumerate(ledgers * 3)))
    assert set(seqs) == {1}
    assert len(ledgers[0].events("m")) == 1


def _record_many(url: str, name: str) -> None:
    ledger = Ledger(url)
    for number in range(20):
        note(ledger, f"{name}-{number}")


def test_processes_append_without_holes(database: Database) -> None:
    url = database.url
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
def test_a_changed_field_is_found(ledger: Ledger, database: Database, column: str) -> None:
    for subject in "abc":
        note(ledger, subject)
    assert ledger.first_broken() is None
    database.run(f"UPDATE events SET {column} = '{{}}' WHERE seq = 2")  # noqa: S608 - a test's own names
    assert ledger.first_broken() == 2


def test_a_deleted_event_is_found(ledger: Ledger, database: Database) -> None:
    for subject in "abc":
        note(ledger, subject)
    database.run("DELETE FROM events WHERE seq = 2")
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


def test_of_many_who_move_at_once_one_wins(database: Database) -> None:
    url = database.url

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


# PostgreSQL


def test_a_role_that_may_not_change_events_can_keep_the_ledger(postgres: PostgresServer) -> None:
    name = postgres.database()
    Ledger(postgres.url(database=name))
    role = f"keeper_{name}"
    postgres.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'sécret/1'",
        f"GRANT SELECT, INSERT ON events TO {role}",
        f"GRANT SELECT, INSERT, UPDATE ON pointers TO {role}",
        database=name,
    )
    ledger = Ledger(postgres.url(role, "sécret/1", name))
    move(ledger, None, "1")
    move(ledger, "1", "2")
    note(ledger, "a", once="key")
    assert ledger.pointer("m", "staging") == "2"
    assert ledger.first_broken() is None


def test_a_writer_waits_for_another_and_readers_for_nobody(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_database, "WAIT_SECONDS", 1)
    url = postgres.url(database=postgres.database())
    ledger, other = Ledger(url), Ledger(url)
    note(ledger, "first")
    with ledger._engine.begin():
        assert [event.subject for event in other.events("m")] == ["first"]
        assert [event.subject for event in Ledger(url).events("m")] == ["first"]  # opening is reading
        with pytest.raises(sa.exc.DBAPIError, match="lock timeout"):
            note(other, "second")
    assert note(other, "third") == 2


@pytest.mark.parametrize("password", ["wrong", "wr/öng@x%"])
def test_who_may_not_come_in_is_told_where_and_no_password(postgres: PostgresServer, password: str) -> None:
    with pytest.raises(InputError) as refused:
        Ledger(postgres.url("nobody", password))
    said = str(refused.value)
    assert said.startswith("E_LEDGER: the ledger at postgresql+pg8000://nobody:***@")
    assert "cannot be opened" in said
    assert password not in said


def test_where_nobody_listens_is_said() -> None:
    with pytest.raises(
        InputError, match=r"E_LEDGER: the ledger at postgresql\+pg8000://me@127.0.0.1:1/x cannot be opened"
    ):
        Ledger("postgresql://me@127.0.0.1:1/x")


@pytest.mark.parametrize(
    ("url", "message"),
    [("ledger.db", "URL is none; write"), ("mysql://u:secret@h/d", "not in mysql"), ("postgresql://h/d", "no user")],
)
def test_what_is_no_url_of_a_ledger_is_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=f"E_LEDGER: .*{message}") as refused:
        Ledger(url)
    assert "secret" not in str(refused.value)
