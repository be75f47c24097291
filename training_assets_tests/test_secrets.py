"""A secret that is planted in a source's URL is in nothing that a run writes, logs, prints or raises."""

from __future__ import annotations

import base64
import logging
import sqlite3
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import dagster as dg
import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.readers import open_reader
from training_assets_tests.postgres_server import PostgresServer
from training_assets_tests.workplace import SPEC, Workplace, customers, failed_checks, workplace

PASSWORD = "pl4nted/s3cret wörd%41+&"  # noqa: S105 - planted
ROLE = "planted_reader"
QUICK = {**SPEC["search"], "families": ["linear"], "trials": 1}


def forms(secret: str) -> list[bytes]:
    """A secret as it may be written down: plain, URL-encoded, JSON-encoded, in base64 wherever it starts."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    texts |= {text.encode("ascii", "backslashreplace").decode() for text in texts}
    found = {text.encode() for text in texts}
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + secret.encode())
        found.add(whole[4 : len(whole) // 4 * 4 - 4])
    return sorted(found)


FORMS = forms(PASSWORD)


def leaks(data: bytes) -> list[bytes]:
    return [form for form in FORMS if form in data]


def files_that_leak(root: Path, *known: Path) -> list[str]:
    """Files below a folder in which a form of the secret is; databases are read by page, and by row."""
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and path not in known and (leaks(path.read_bytes()) or leaks(_rows(path)))
    ]


def _rows(path: Path) -> bytes:
    """Every value of a SQLite database, put together again where it was spread over pages."""
    with path.open("rb") as file:
        if file.read(15) != b"SQLite format 3":
            return b""
    connection = sqlite3.connect(path)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(
            str(row)
            for table in tables
            for row in connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the table's own name
        ).encode()
    finally:
        connection.close()


@pytest.fixture(scope="module", autouse=True)
def role(postgres: PostgresServer) -> str:
    postgres.run("DROP TABLE IF EXISTS customers")
    postgres.load("customers", customers(600, seed=1).with_row_index("id"))
    postgres.run(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'", f"GRANT SELECT ON customers TO {ROLE}")
    return ROLE


@dataclass
class Planted:
    """A workplace whose rows come from Postgres, and all that was written around it."""

    place: Workplace
    captured: pytest.CaptureFixture[str]
    logged: pytest.LogCaptureFixture

    def database(self, **changes: Any) -> Workplace:
        query = "SELECT id, customer, age, income, plan, left_on, churned FROM customers"
        source = {
            "database": {"engine": "postgres", "url": "env:PLANTED_URL", "query": query, "watermark": "id"} | changes
        }
        columns = {"id": {"type": "integer", "role": "ignored"}, **SPEC["columns"]}
        return self.place.with_spec(source=source, columns=columns, search=QUICK)

    def nothing_leaks(self, result: dg.ExecuteInProcessResult, *known: Path) -> None:
        """No form of the secret is in any file, event, log line or output."""
        out = self.captured.readouterr()
        assert leaks((out.out + out.err + self.logged.text).encode()) == []
        assert (
            leaks("\n".join(f"{event} {event!r} {event.event_specific_data!r}" for event in result.all_events).encode())
            == []
        )
        entries = self.place.instance.all_logs(result.run_id)
        assert entries
        assert leaks("\n".join(f"{entry!r} {entry.error_info}" for entry in entries).encode()) == []
        assert files_that_leak(self.place.root, *known) == []


@pytest.fixture
def planted(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Planted]:
    caplog.set_level(logging.DEBUG)
    with workplace(tmp_path) as place:
        yield Planted(place, capfd, caplog)


def test_the_search_finds_a_secret_in_every_form_and_kind_of_file(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("CREATE TABLE t (a text)")
        connection.execute("INSERT INTO t VALUES (?)", ("x" * 450 + PASSWORD + "x" * 450,))
    connection.close()
    for number, form in enumerate(FORMS):
        (tmp_path / f"{number}").write_bytes(b"before " + form + b" after")
    (tmp_path / "base64").write_bytes(base64.b64encode(f"postgresql://user:{PASSWORD}@host".encode()))
    assert len(files_that_leak(tmp_path)) == len(FORMS) + 2


def test_a_run_that_succeeds_keeps_the_secret_to_itself(
    planted: Planted, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED_URL", postgres.url(ROLE, PASSWORD))
    place = planted.database()
    result = place.train()
    assert result.success
    assert place.versions() == ["1"]
    planted.nothing_leaks(result)
    postgres.load("customers", customers(200, seed=2).with_row_index("id", offset=600))
    again = place.train()
    assert again.success
    assert place.places.tables.rows("churn", _table(place)) == 800
    planted.nothing_leaks(again)


def test_a_secret_in_a_file_stays_in_that_file(planted: Planted, postgres: PostgresServer) -> None:
    file = planted.place.root / "secrets" / "url.txt"
    file.parent.mkdir()
    file.write_text(postgres.url(ROLE, PASSWORD) + "\n")
    result = planted.database(url="file:secrets/url.txt").materialise("raw_data")
    assert result.success
    assert failed_checks(result) == []
    planted.nothing_leaks(result, file)


@pytest.mark.parametrize(
    ("url", "changes", "said"),
    [
        ("wrong", {}, "mend the secret that source.database.url names"),
        ("dead", {}, "see that the server runs"),
        ("right", {"query": "SELECT oid AS id FROM pg_authid"}, "permission denied"),
        ("right", {"query": "SELECT no_such_column AS id FROM customers"}, "does not exist"),
        ("right", {"query": "SELECT id FROM customers"}, "missing: 'customer'"),
    ],
)
def test_a_run_that_fails_tells_why_and_not_the_secret(
    planted: Planted,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    changes: dict[str, str],
    said: str,
) -> None:
    urls = {
        "right": postgres.url(ROLE, PASSWORD),
        "wrong": postgres.url(ROLE, PASSWORD + "!"),
        "dead": f"postgresql://{ROLE}:{quote(PASSWORD, safe='')}@127.0.0.1:1/postgres",
    }
    monkeypatch.setenv("PLANTED_URL", urls[url])
    place = planted.database(**changes)
    result = place.train()
    assert not result.success
    assert any(said in str(event) for event in result.all_events)
    assert place.versions() == []
    planted.nothing_leaks(result)
    with pytest.raises(InputError) as caught:
        list(open_reader(place.spec, place.root, place.places.secrets).deliveries(None))
    chain: list[BaseException] = [caught.value]
    while chain:
        error = chain.pop()
        shown = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
        assert leaks(shown.encode()) == []
        chain += [each for each in (error.__cause__, error.__context__) if each is not None]


def _table(place: Workplace) -> str:
    from training_assets.assets.intake import raw_table

    return raw_table(place.spec)
