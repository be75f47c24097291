"""A query of a spec can read and nothing else, whatever it says; what goes wrong is told without secrets."""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.postgres import _with_timeout
from training_assets.core.ingestion.databases.query import Query
from training_assets.core.ingestion.databases.reader import open_database, open_engine
from training_assets.core.ingestion.databases.redaction import redacted, secret_forms
from training_assets.core.ingestion.databases.sessions import Engine
from training_assets_tests.core.ingestion.databases.made_databases import MadeDatabase
from training_assets_tests.postgres_server import PostgresServer

PASSWORD = "s3cr3t/pass wörd%41+&"  # noqa: S105 - planted
ENGINES = ("postgres", "sqlite", "duckdb")
HOSTILE = {
    "postgres": [
        "INSERT INTO rows_read VALUES (9, 9, 'x')",
        "UPDATE rows_read SET id = 0",
        "DROP TABLE rows_read",
        "WITH x AS (DELETE FROM rows_read RETURNING *) SELECT * FROM x",
        "SELECT 1) AS q; DROP TABLE rows_read; --",
        "SELECT id, x, label INTO stolen FROM rows_read",
        "SELECT id, x, label FROM rows_read FOR UPDATE",
        "SELECT nextval('counter') AS id, 1.0 AS x, 'a' AS label",
        "SELECT setval('counter', 99) AS id, 1.0 AS x, 'a' AS label",
        "SELECT lo_create(0) AS id, 1.0 AS x, 'a' AS label",
        "SELECT 1 AS id, 1.0 AS x, set_config('transaction_read_only', 'off', true) AS label",
        "SELECT writing() AS id, 1.0 AS x, 'a' AS label",
        "SELECT 1 AS id, 1.0 AS x, CAST(query_to_xml('DELETE FROM rows_read', true, true, '') AS text) AS label",
    ],
    "sqlite": [
        "INSERT INTO rows_read VALUES (9, 9, 'x')",
        "SELECT 1; DROP TABLE rows_read",
        "SELECT 1) AS q; DROP TABLE rows_read; --",
        "SELECT * FROM (DELETE FROM rows_read RETURNING *)",
        "WITH x AS (SELECT 1) DELETE FROM rows_read",
        "ATTACH 'stolen.db' AS stolen",
        "SELECT load_extension('stolen')",
        "SELECT 1 AS id, 1.0 AS x, writefile('stolen', 'x') AS label",
        "SELECT 1 AS id, 1.0 AS x, readfile('/etc/hostname') AS label",
    ],
    "duckdb": [
        "INSERT INTO rows_read VALUES (9, 9, 'x')",
        "SELECT 1; DROP TABLE rows_read",
        "SELECT 1) AS q; DROP TABLE rows_read; --",
        "WITH x AS (DELETE FROM rows_read RETURNING *) SELECT * FROM x",
        "COPY rows_read TO 'stolen.csv'",
        "ATTACH 'stolen.duckdb'",
        "SET enable_external_access = true",
        "SELECT nextval('counter') AS id, 1.0 AS x, 'a' AS label",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM 'http://127.0.0.1:1/x.parquet'",
        "SELECT getenv('HOME')",
    ],
}


@pytest.mark.parametrize(("engine", "query"), [(engine, query) for engine, all_ in HOSTILE.items() for query in all_])
def test_a_hostile_query_is_refused_and_changes_nothing(
    tmp_path: Path, postgres: PostgresServer, engine: str, query: str
) -> None:
    made = MadeDatabase(engine, tmp_path, postgres)
    made.empty()
    made.write("INSERT INTO rows_read VALUES (1, 0.5, 'a')")
    if engine == "postgres":
        writes = "CREATE OR REPLACE FUNCTION writing() RETURNS bigint LANGUAGE plpgsql AS "
        body = "$$ BEGIN INSERT INTO rows_read VALUES (7, 7, 'x'); RETURN 1; END $$"
        made.write("DROP SEQUENCE IF EXISTS counter", "CREATE SEQUENCE counter", writes + body)
    elif engine == "duckdb":
        made.write("CREATE SEQUENCE counter")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        made.deliveries(query=query)
    assert caught.value.code in {"E_QUERY", "E_DATABASE"}
    assert len(str(caught.value)) < 2000
    assert made.ask("SELECT id, x, label FROM rows_read") == [(1, 0.5, "a")]
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    if engine == "postgres":
        assert made.ask("SELECT last_value, is_called FROM counter") == [(1, False)]
        assert made.ask("SELECT COUNT(*) FROM pg_largeobject_metadata") == [(0,)]


def engine_of(made: MadeDatabase) -> Engine:
    database = made.spec().source.database
    assert database is not None
    return open_engine(database, made.root, lambda _: made.server.url())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_session_is_one_moment_of_the_database(tmp_path: Path, postgres: PostgresServer, engine: str) -> None:
    made = MadeDatabase(engine, tmp_path, postgres)
    made.empty()
    made.write(
        "PRAGMA journal_mode = wal" if engine == "sqlite" else "SELECT 1", "INSERT INTO rows_read VALUES (1, 1, 'a')"
    )
    query = Query("SELECT * FROM rows_read", (), "?")
    with engine_of(made).session(10) as session:
        assert session.row("SELECT COUNT(*) AS n FROM rows_read", ()) == {"n": 1}
        if engine != "duckdb":  # whose file cannot be written while it is read
            made.write("INSERT INTO rows_read VALUES (2, 2, 'b')")
        assert session.row("SELECT COUNT(*) AS n FROM rows_read", ()) == {"n": 1}
        assert session.rows(query, "1 = 1", ()).num_rows == 1


@pytest.mark.parametrize("engine", ["postgres", "duckdb"])
def test_a_query_that_takes_too_long_is_ended(tmp_path: Path, postgres: PostgresServer, engine: str) -> None:
    made = MadeDatabase(engine, tmp_path, postgres)
    made.empty()
    long = {
        "postgres": "SELECT COUNT(*) AS n FROM pg_sleep(30)",
        "duckdb": "SELECT COUNT(*) AS n FROM range(1000000) AS a (i), range(1000000) AS b (j) WHERE (i * j) % 7 = 3",
    }
    started = time.monotonic()
    with pytest.raises(Exception, match=r"timeout|Interrupt"), engine_of(made).session(0.2) as session:
        session.row(long[engine], ())
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    ("write", "code", "said"),
    [
        (lambda _: None, "E_MISSING", "does not exist under the project's root"),
        (lambda path: path.mkdir(), "E_NOT_REGULAR", "no regular file"),
        (
            lambda path: path.write_bytes(b"id,label\n1,a\n" * 900),
            "E_DATABASE",
            "mend source.database.path, or the file",
        ),
    ],
)
def test_a_file_that_is_no_database_is_refused(
    tmp_path: Path, postgres: PostgresServer, engine: str, write: object, code: str, said: str
) -> None:
    assert callable(write)
    write(tmp_path / "rows.db")
    with pytest.raises(InputError) as caught:
        MadeDatabase(engine, tmp_path, postgres).deliveries()
    assert caught.value.code == code
    assert said in caught.value.text


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_file_that_another_process_holds_is_told(tmp_path: Path, postgres: PostgresServer, engine: str) -> None:
    made = MadeDatabase(engine, tmp_path, postgres)
    made.empty()
    hold = {
        "sqlite": "import sqlite3; c = sqlite3.connect('rows.db', isolation_level=None); c.execute('BEGIN EXCLUSIVE')",
        "duckdb": "import duckdb; c = duckdb.connect('rows.db')",
    }
    code = f"{hold[engine]}\nprint('held', flush=True); import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=r"E_DATABASE.*another process holds the file"):
            made.deliveries()
        holder.communicate("")
    assert made.deliveries() == []


@pytest.fixture(scope="module")
def reader_role(postgres: PostgresServer) -> str:
    """A user that may read one table alone, and its password."""
    postgres.run(
        "DROP TABLE IF EXISTS allowed, forbidden",
        "CREATE TABLE allowed AS SELECT 1 AS id, 0.5 AS x, 'a' AS label",
        "CREATE TABLE forbidden AS SELECT 1 AS id, 0.5 AS x, 'a' AS label",
        f"CREATE ROLE reader_role LOGIN PASSWORD '{PASSWORD}'",
        "GRANT SELECT ON allowed TO reader_role",
    )
    return "reader_role"


def everything_said(error: BaseException) -> str:
    """The error as a log shows it, with all that it came from."""
    chain, said = [error], []
    while chain:
        each = chain.pop()
        said.append(f"{each!r} {each} {each.args} {vars(each)}")
        chain += [cause for cause in (each.__cause__, each.__context__) if cause is not None]
    return " ".join([*said, *traceback.format_exception(error)])


@pytest.mark.parametrize(
    ("url", "query", "said"),
    [
        ("{right}", "SELECT id, x, label FROM forbidden", "permission denied for table forbidden"),
        ("{right}", "SELECT id, x, label FROM nowhere", 'relation "nowhere" does not exist'),
        ("{right}", "SELECT id, x, label FORM allowed", "syntax error"),
        ("{right}", "SELECT id, 1 / (id - 1) AS x, label FROM allowed", "division by zero"),
        ("{wrong}", "SELECT id, x, label FROM allowed", "mend the secret that source.database.url names"),
        ("{dead}", "SELECT id, x, label FROM allowed", "see that the server runs"),
        ("{broken}", "SELECT id, x, label FROM allowed", "no URL of Postgres"),
        ("{option}", "SELECT id, x, label FROM allowed", 'invalid URI query parameter: "colour"'),
    ],
)
def test_what_goes_wrong_is_told_without_the_password(
    tmp_path: Path, postgres: PostgresServer, reader_role: str, url: str, query: str, said: str
) -> None:
    secret = quote(PASSWORD, safe="")
    urls = {
        "{right}": postgres.url(reader_role, PASSWORD),
        "{wrong}": postgres.url(reader_role, PASSWORD + "!"),
        "{dead}": f"postgresql://{reader_role}:{secret}@127.0.0.1:1/postgres",
        "{broken}": f"mysql://{reader_role}:{secret}@127.0.0.1/postgres",
        "{option}": postgres.url(reader_role, PASSWORD) + "&colour=red",
    }
    spec = MadeDatabase("postgres", tmp_path, postgres).spec(query)
    assert spec.source.database is not None
    with pytest.raises(InputError) as caught:
        list(open_database(spec.source.database, spec, tmp_path, lambda _: urls[url]).deliveries(None))
    assert said in caught.value.text
    shown = everything_said(caught.value)
    for hidden in (PASSWORD, secret, quote(PASSWORD), quote_plus(PASSWORD), urls[url]):
        assert hidden not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_user_with_a_password_reads_what_it_may(tmp_path: Path, postgres: PostgresServer, reader_role: str) -> None:
    spec = MadeDatabase("postgres", tmp_path, postgres).spec("SELECT id, x, label FROM allowed")
    assert spec.source.database is not None
    url = postgres.url(reader_role, PASSWORD)
    (delivery,) = open_database(spec.source.database, spec, tmp_path, lambda _: url).deliveries(None)
    assert delivery.rows.rows() == [(1, 0.5, "a")]
    assert PASSWORD not in delivery.name + delivery.position


def test_every_form_of_a_password_is_hidden() -> None:
    url = f"postgresql://u:{quote(PASSWORD, safe='')}@h/d?sslpassword=other%20one"
    forms = secret_forms(url)
    for said in (url, PASSWORD, quote(PASSWORD), quote_plus(PASSWORD), "other one", "other%20one"):
        assert redacted(f"could not use <{said}>", forms) == "could not use <***>"


@pytest.mark.parametrize("mark", ["/", "?", "#", "@"])
@pytest.mark.parametrize("begin", ["Hunter2", "123"])
def test_a_password_that_is_not_encoded_is_refused_and_no_part_of_it_shown(mark: str, begin: str) -> None:
    with pytest.raises(InputError, match=r"E_DATABASE: .* %2F %3F %23 %40$") as caught:
        _with_timeout(f"postgresql://reader:{begin}{mark}Tail9@localhost:5432/shop")
    assert "Tail9" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_password_that_is_part_of_ordinary_words_withholds_the_text() -> None:
    forms = secret_forms("postgresql://u:no@h/d")
    assert redacted("cannot connect", forms).startswith("what it said is withheld")
    assert redacted("refused", forms) == "refused"
