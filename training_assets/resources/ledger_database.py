"""The database that a ledger is kept in, SQLite or PostgreSQL: one writer at a time, and readers wait for nobody."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from training_assets.core.errors import InputError

WRITER = 7_281_500_441  # key of PostgreSQL's lock that a writer holds; any number that nobody else takes
WAIT_SECONDS = 30  # for another writer
READS = "training_assets_reads"

metadata = sa.MetaData()
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("once", sa.String, unique=True),
    sa.Column("previous", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)
pointers = sa.Table(
    "pointers",
    metadata,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)


def opened(url: str) -> sa.Engine:
    """The database at `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`, with its tables.

    `?host=FOLDER` names the folder of PostgreSQL's socket. Every transaction is a writer's, but for those of
    `execution_options(**{READS: True})`. Raises `InputError` E_LEDGER where it cannot be opened.
    """
    engine = _engine(url)
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        sa.event.listen(engine, "connect", _wait_for_the_writer)
    sa.event.listen(engine, "begin", _write_lock_first if is_sqlite else _advisory_lock_first)
    try:
        with engine.execution_options(**{READS: True}).connect() as reader:
            known = set(sa.inspect(reader).get_table_names())
        if not known >= metadata.tables.keys():
            metadata.create_all(engine)  # looks again, as the only writer
    except sa.exc.DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        message = f"the ledger at {where} cannot be opened: {error.orig}"
        raise InputError(code="E_LEDGER", message=message) from error
    return engine


def _engine(url: str) -> sa.Engine:
    """An engine that opens a connection for each use; ours are few, and processes that fork share none."""
    try:
        asked = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        message = "the ledger's URL is none; write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
        raise InputError(code="E_LEDGER", message=message) from error
    kind = asked.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        message = f"the ledger can be kept in SQLite or PostgreSQL, not in {kind}"
        raise InputError(code="E_LEDGER", message=message)
    if kind == "postgresql" and not asked.username:
        message = "the ledger's URL names no user; write postgresql://USER:PASSWORD@HOST/DATABASE"
        raise InputError(code="E_LEDGER", message=message)
    if asked.drivername == "postgresql":
        asked = asked.set(drivername="postgresql+pg8000")
        socket = asked.query.get("host")
        if socket:
            port = asked.port or 5432
            asked = asked.difference_update_query(["host"]).update_query_dict(
                {"unix_sock": f"{socket}/.s.PGSQL.{port}"}
            )
    try:
        return sa.create_engine(asked, poolclass=sa.NullPool)
    except ModuleNotFoundError as error:
        message = (
            f"the ledger's URL asks for PostgreSQL, and {error.name} is not there; install training-assets[postgres]"
        )
        raise InputError(code="E_LEDGER", message=message) from error


def _wait_for_the_writer(connection: Any, _record: Any) -> None:
    """Leave transactions to SQLAlchemy, and wait for another writer instead of failing."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
    connection.execute("PRAGMA synchronous = FULL")


def _write_lock_first(connection: sa.Connection) -> None:
    """Take SQLite's write lock at the start of what may write, so that read, compare and write are one step."""
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _advisory_lock_first(connection: sa.Connection) -> None:
    """Let one writer in at a time, for the same reason; a role that may only INSERT and SELECT can take this lock."""
    if not connection.get_execution_options().get(READS, False):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER})")
