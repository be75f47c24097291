"""A DuckDB file: opened read-only, with no way to other files, the network or its own settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.query import Query, Value
from training_assets.core.ingestion.databases.sessions import MAX_BYTES, Gathered, Session, file_state, regular_file

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ROWS_IN_BATCH = 100_000
SHUT = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
}


class DuckDb:
    """A file of DuckDB."""

    def __init__(self, path: str, root: Path, most: int = MAX_BYTES) -> None:
        """Raise InputError E_MISSING or E_NOT_REGULAR where there is no such file."""
        self.where = f"duckdb query on {path}"
        self.secrets: Sequence[str] = ()
        self._place, self._most = regular_file(path, root), most

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """A transaction on the file, opened read-only; a query is interrupted after so many seconds."""
        import duckdb

        with closing(duckdb.connect(str(self._place), read_only=True, config=dict(SHUT))) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
            connection.execute("BEGIN TRANSACTION")
            watch = threading.Timer(seconds, connection.interrupt)
            watch.daemon = True
            watch.start()
            try:
                yield _Session(connection, self.where, self._most)
            finally:
                watch.cancel()

    def exact(self, expression: str) -> str:
        """DuckDB's own text of a value."""
        return f"CAST({expression} AS VARCHAR)"

    def kind(self, expression: str) -> str:
        """DuckDB's name of the type."""
        return f"typeof({expression})"

    def again(self, placeholder: str, kind: str) -> str:
        """The text, cast to the type."""
        return f"CAST({placeholder} AS {kind})"

    def bound(self, text: str, kind: str) -> Value:  # noqa: ARG002 - SQLite needs the kind
        """The text itself."""
        return text

    def state(self, session: Session, query: Query) -> str:  # noqa: ARG002 - Postgres needs both
        """Size and time of the file and its log."""
        return file_state(self._place)


class _Session:
    def __init__(self, connection: duckdb.DuckDBPyConnection, where: str, most: int) -> None:
        self._connection, self._where, self._most = connection, where, most

    def row(self, sql: str, values: Sequence[Value]) -> dict[str, Any]:
        found: list[dict[str, Any]] = self._asked(sql, values).read_all().to_pylist()
        return found[0]

    def columns(self, query: Query) -> list[str]:
        names: list[str] = self._asked(f"SELECT * FROM {query.table} LIMIT 0", query.values).schema.names  # noqa: S608 - the query is the spec's own
        return names

    def rows(self, query: Query, condition: str, values: Sequence[Value]) -> pa.Table:
        reader = self._asked(f"SELECT * FROM {query.table} WHERE {condition}", values)  # noqa: S608 - the query is the spec's own
        gathered = Gathered(self._where, self._most)
        for batch in reader:
            gathered.add(batch)
        return gathered.table(reader.schema)

    def _asked(self, sql: str, values: Sequence[Value]) -> pa.RecordBatchReader:
        import duckdb

        statements = self._connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            message = "source.database.query is no single SELECT; a query of a spec reads rows, and changes nothing"
            raise InputError("E_QUERY", message)
        return self._connection.sql(sql, params=list(values)).to_arrow_reader(ROWS_IN_BATCH)
