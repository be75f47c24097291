"""The ledger: append-only events that hold each other by hash, and pointers that move by compare-and-swap."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from training_assets.core import fingerprint
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


@dataclass(frozen=True)
class Event:
    """Something that happened to a model, by whom and in which run."""

    seq: int
    at: str
    model: str
    kind: str
    subject: str
    actor: str
    run_id: str
    data: Mapping[str, Any]
    once: str | None
    previous: str
    hash: str


class PointerMovedError(RuntimeError):
    """Somebody else moved the pointer first."""


class Ledger:
    """Events and pointers of all models in one SQL database; nothing is ever changed or deleted."""

    def __init__(self, url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open, and create where it is new, the ledger at `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.

        `?host=FOLDER` names the folder of PostgreSQL's socket. Raises `InputError` E_LEDGER where it cannot be opened.
        """
        self._engine = _engine(url)
        self._reader = self._engine.execution_options(**{READS: True})
        self._clock = clock
        try:
            self._create()
        except sa.exc.DBAPIError as error:
            where = self._engine.url.render_as_string(hide_password=True)
            message = f"the ledger at {where} cannot be opened: {error.orig}"
            raise InputError(code="E_LEDGER", message=message) from error

    def _create(self) -> None:
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _wait_for_the_writer)
            sa.event.listen(self._engine, "begin", _write_lock_first)
            metadata.create_all(self._engine)
            return
        sa.event.listen(self._engine, "begin", _advisory_lock_first)
        metadata.create_all(self._engine)

    def now(self) -> datetime:
        """The time by the ledger's clock, by which everything is dated."""
        return self._clock()

    def record(
        self,
        model: str,
        kind: str,
        subject: str,
        data: Mapping[str, Any],
        *,
        run_id: str,
        actor: str,
        once: str | None = None,
    ) -> Event:
        """Append an event; with `once`, at most one event of that key is ever appended, and that one is returned."""
        with self._engine.begin() as connection:
            return self._append(connection, model, kind, subject, data, run_id=run_id, actor=actor, once=once)

    def _append(
        self,
        connection: sa.Connection,
        model: str,
        kind: str,
        subject: str,
        data: Mapping[str, Any],
        *,
        run_id: str,
        actor: str,
        once: str | None,
    ) -> Event:
        if once is not None:
            found = connection.execute(sa.select(events).where(events.c.once == once)).first()
            if found is not None:
                return _event(found)
        last = connection.execute(sa.select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)).first()
        content: dict[str, Any] = {
            "seq": 1 if last is None else last.seq + 1,
            "at": self._clock().isoformat(timespec="milliseconds"),
            "model": model,
            "kind": kind,
            "subject": subject,
            "actor": actor,
            "run_id": run_id,
            "data": fingerprint.canonical(dict(data)).decode(),
            "once": once,
            "previous": "" if last is None else last.hash,
        }
        row = {**content, "hash": fingerprint.digest(content)}
        connection.execute(events.insert().values(row))
        return Event(**{**row, "data": json.loads(content["data"])})

    def events(self, model: str, kind: str | None = None, subject: str | None = None) -> list[Event]:
        """Events of a model, oldest first."""
        query = sa.select(events).where(events.c.model == model).order_by(events.c.seq)
        if kind is not None:
            query = query.where(events.c.kind == kind)
        if subject is not None:
            query = query.where(events.c.subject == subject)
        with closing(self._reader.connect()) as connection:
            return [_event(row) for row in connection.execute(query)]

    def latest(self, model: str, kind: str, subject: str | None = None) -> Event | None:
        """The newest event of a kind, if there is one."""
        found = self.events(model, kind, subject)
        return found[-1] if found else None

    def pointer(self, model: str, name: str) -> str | None:
        """What a pointer (`staging`, `production`) points at."""
        query = sa.select(pointers.c.value).where(pointers.c.model == model, pointers.c.name == name)
        with closing(self._reader.connect()) as connection:
            return connection.execute(query).scalar()

    def move(
        self,
        model: str,
        name: str,
        *,
        expected: str | None,
        to: str,
        data: Mapping[str, Any],
        run_id: str,
        actor: str,
        after: str | None = None,
    ) -> Event:
        """Swap a pointer and record it in one transaction; give the event, or the last one where it points there.

        Raises `PointerMovedError` where it is neither there nor where it is expected, or where `after`, the hash of the
        last move that was known, is not that of the last move: somebody else moved it.
        """
        with self._engine.begin() as connection:
            here = sa.and_(pointers.c.model == model, pointers.c.name == name)
            now = connection.execute(sa.select(pointers.c.value).where(here)).scalar()
            moves = sa.and_(events.c.model == model, events.c.kind == f"{name}_moved")
            last = connection.execute(sa.select(events).where(moves).order_by(events.c.seq.desc()).limit(1)).first()
            if now == to and last is not None:
                return _event(last)
            if now != expected or (after is not None and (last is None or last.hash != after)):
                message = (
                    f"{model}: pointer {name} is at {now}, not at {expected} as before; look again before moving it"
                )
                raise PointerMovedError(message)
            if now is None:
                connection.execute(pointers.insert().values(model=model, name=name, value=to))
            else:
                connection.execute(pointers.update().where(here).values(value=to))
            moved = {"pointer": name, "from": expected, "to": to, **data}
            return self._append(connection, model, f"{name}_moved", to, moved, run_id=run_id, actor=actor, once=None)

    def pointers(self, model: str) -> dict[str, str]:
        """All pointers of a model."""
        query = sa.select(pointers.c.name, pointers.c.value).where(pointers.c.model == model)
        with closing(self._reader.connect()) as connection:
            return {row.name: row.value for row in connection.execute(query)}

    def models(self) -> list[str]:
        """All models that anything was recorded of."""
        with closing(self._reader.connect()) as connection:
            return list(connection.execute(sa.select(events.c.model).distinct().order_by(events.c.model)).scalars())

    def first_broken(self) -> int | None:
        """Sequence number of the first event that is not what was written; none if the chain is whole."""
        previous = ""
        with closing(self._reader.connect()) as connection:
            for number, row in enumerate(connection.execute(sa.select(events).order_by(events.c.seq)), start=1):
                content = {name: getattr(row, name) for name in events.c.keys() if name != "hash"}  # noqa: SIM118 - columns
                if row.seq != number or row.previous != previous or row.hash != fingerprint.digest(content):
                    return number
                previous = row.hash
        return None


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


def _event(row: sa.Row[Any]) -> Event:
    content = {name: getattr(row, name) for name in events.c.keys()}  # noqa: SIM118 - columns, not a dict
    return Event(**{**content, "data": json.loads(row.data)})


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
