"""Rows of a query: each once, by a column that only grows, or the whole result as one batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.databases.query import Query, read_query
from training_assets.core.ingestion.databases.redaction import attempt
from training_assets.core.ingestion.databases.sessions import MAX_BYTES, NEWS_SECONDS, QUERY_SECONDS, Engine, Session
from training_assets.core.ingestion.databases.watermark import Position, Window, largest, read_position, window
from training_assets.core.ingestion.deliveries import Delivery, Reader, SecretReader
from training_assets.core.ingestion.excerpt import excerpt, listed, nearest
from training_assets.core.ingestion.fitting import arrow_rows
from training_assets.core.ingestion.reading import typed_rows
from training_assets.spec import Database, ModelSpec

if TYPE_CHECKING:
    import pyarrow as pa

ALL_ROWS = "1 = 1"


def open_database(database: Database, spec: ModelSpec, root: Path, secret: SecretReader) -> Reader:
    """A reader of the query's rows.

    With a watermark, a delivery is what lies above the last value read; it fails (E_LATE_ROWS) where the number of rows
    up to there is another than it was: rows came late. Without one, a delivery is the whole result, whenever it or the
    source's state is another one; it fails (E_NO_ROWS) where there were rows before and are none now. Raises
    InputError: E_QUERY for a query that is no single SELECT or whose parameters are not its own, E_SECRET, E_MISSING or
    E_NOT_REGULAR.
    """
    query = read_query(database.query, database.parameters, database.engine)
    engine = open_engine(database, root, secret)
    if database.watermark is None:
        return _WholeResult(engine, query, spec)
    return _Growing(engine, query, spec, database.watermark)


def open_engine(database: Database, root: Path, secret: SecretReader, most: int = MAX_BYTES) -> Engine:
    """The database's engine; nothing is connected yet."""
    if database.engine == "postgres":
        from training_assets.core.ingestion.databases.postgres import Postgres

        return Postgres(secret(str(database.url)), most)
    if database.engine == "sqlite":
        from training_assets.core.ingestion.databases.sqlite import Sqlite

        return Sqlite(str(database.path), root, most)
    from training_assets.core.ingestion.databases.duckdb_file import DuckDb

    return DuckDb(str(database.path), root, most)


def query_rows(database: Database, root: Path, secret: SecretReader) -> pl.DataFrame:
    """All rows of a query in types of their own, for a spec that is still to be drafted."""
    query = read_query(database.query, database.parameters, database.engine)
    engine = open_engine(database, root, secret)

    def read() -> pa.Table:
        with engine.session(QUERY_SECONDS) as session:
            return session.rows(query, ALL_ROWS, query.values)

    return arrow_rows(attempt(engine.where, engine.secrets, read), {}, engine.where)


def result_at(position: str) -> str:
    """The digest of the whole result that was read up to a position, as a reader without a watermark gave it."""
    return str(json.loads(position)["digest"])


class _WholeResult:
    """Without a watermark: the result is the batch; its position says which result was read, and the source's state."""

    def __init__(self, engine: Engine, query: Query, spec: ModelSpec) -> None:
        self._engine, self._query, self._spec = engine, query, spec

    def news(self, position: str | None) -> str | None:
        """Postgres: number and hashes of the rows, computed there; a file: its size and time."""

        def look() -> str:
            with self._engine.session(NEWS_SECONDS) as session:
                return self._engine.state(session, self._query)

        state = attempt(self._engine.where, self._engine.secrets, look)
        return None if position is not None and json.loads(position)["state"] == state else state

    def deliveries(self, position: str | None) -> Iterator[Delivery]:
        """The result, unless it is the one read last in the very same state; none before the first rows."""

        def read() -> tuple[str, pa.Table]:
            with self._engine.session(QUERY_SECONDS) as session:
                return self._engine.state(session, self._query), session.rows(self._query, ALL_ROWS, self._query.values)

        where = self._engine.where
        state, table = attempt(where, self._engine.secrets, read)
        if not table.num_rows:
            if position is None:
                return
            message = (
                f"{where}: the query gives no rows, and gave some before; nothing is made of an empty result. See "
                "whether the table is being filled, or what became of it"
            )
            raise InputError("E_NO_ROWS", message)
        rows = _typed(table, self._spec, where)
        digest = content_digest(rows)
        kept = json.dumps({"digest": digest, "state": state}, sort_keys=True)
        if kept != position:
            yield Delivery(where, digest, kept, int(rows.estimated_size()), rows)


class _Growing:
    """With a watermark: the rows above the last position."""

    def __init__(self, engine: Engine, query: Query, spec: ModelSpec, column: str) -> None:
        self._engine, self._query, self._spec, self._column = engine, query, spec, column

    def news(self, position: str | None) -> str | None:
        """The largest value, where it is above the last one read; rows that came late are found by the next run."""
        last = None if position is None else read_position(position, self._column)

        def look() -> str | None:
            with self._engine.session(NEWS_SECONDS) as session:
                return largest(self._engine, session, self._query, self._column, last)

        high = attempt(self._engine.where, self._engine.secrets, look)
        return None if high is None else f"{self._column} up to {high}"

    def deliveries(self, position: str | None) -> Iterator[Delivery]:
        """The rows above the position, up to the largest value in the moment of asking, as one batch."""
        last = None if position is None else read_position(position, self._column)

        def read() -> tuple[Window, pa.Table] | None:
            with self._engine.session(QUERY_SECONDS) as session:
                self._refuse_unknown_column(session)
                found = window(self._engine, session, self._query, self._column, last)
                if found is None:
                    return None
                values = (*self._query.values, *found.values)
                return found, session.rows(self._query, found.condition, values)

        where = self._engine.where
        result = attempt(where, self._engine.secrets, read)
        if result is None:
            return
        found, table = result
        if table.num_rows != found.rows:
            message = (
                f"{where}: {found.rows:,} rows were counted and {table.num_rows:,} read; the query must give the same "
                "rows whenever it is asked (no random(), no clock, no LIMIT)"
            )
            raise InputError("E_UNSTABLE", message)
        rows = _typed(table, self._spec, where)
        name = f"{where}, {_span(last, found.upto)}"
        yield Delivery(name, content_digest(rows), str(found.upto), int(rows.estimated_size()), rows)

    def _refuse_unknown_column(self, session: Session) -> None:
        names = session.columns(self._query)
        if self._column not in names:
            message = (
                f"source.database.watermark: the query has no column {excerpt(self._column)}"
                f"{nearest(self._column, names)}; it has {listed(names)}"
            )
            raise InputError("E_WATERMARK", message)


def _span(last: Position | None, upto: Position) -> str:
    above = "" if last is None else f" above {excerpt(last.value)[1:-1]}"
    return f"{excerpt(upto.column)[1:-1]}{above} up to {excerpt(upto.value)[1:-1]}"


def _typed(table: pa.Table, spec: ModelSpec, where: str) -> pl.DataFrame:
    return typed_rows(arrow_rows(table, spec.columns, where), spec, where)
