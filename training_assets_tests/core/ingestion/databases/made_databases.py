"""One table of each kind of database, written as a user's own program would, for tests of reading it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_assets.core.ingestion.databases.reader import open_database
from training_assets.core.ingestion.deliveries import Delivery, Reader
from training_assets.spec import ModelSpec
from training_assets_tests.postgres_server import PostgresServer

COLUMNS: dict[str, Any] = {
    "id": {"type": "integer", "role": "key"},
    "x": {"type": "number"},
    "label": {"type": "string"},
}
QUERY = "SELECT id, x, label FROM rows_read"
TABLE = "CREATE TABLE rows_read (id bigint, x double precision, label text)"


@dataclass(frozen=True)
class MadeDatabase:
    """Where it lies, and how to write to it."""

    engine: str
    root: Path
    server: PostgresServer

    def write(self, *statements: str) -> None:
        """Run statements, each committed."""
        if self.engine == "postgres":
            self.server.run(*statements)
        elif self.engine == "sqlite":
            with closing(sqlite3.connect(self.root / "rows.db", isolation_level=None)) as connection:
                for statement in statements:
                    connection.execute(statement)
        else:
            import duckdb

            with duckdb.connect(str(self.root / "rows.db")) as connection:
                for statement in statements:
                    connection.execute(statement)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, through another driver than the reader's where there is one."""
        if self.engine == "postgres":
            return [tuple(row.values()) for row in self.server.ask(sql)]
        if self.engine == "sqlite":
            with closing(sqlite3.connect(self.root / "rows.db")) as connection:
                return connection.execute(sql).fetchall()
        import duckdb

        with duckdb.connect(str(self.root / "rows.db")) as connection:
            return connection.execute(sql).fetchall()

    def empty(self) -> None:
        """A fresh table without rows."""
        self.write("DROP TABLE IF EXISTS rows_read", TABLE)

    def spec(self, query: str = QUERY, columns: dict[str, Any] | None = None, **more: Any) -> ModelSpec:
        """A spec that reads the query."""
        where = {"url": "env:PG_URL"} if self.engine == "postgres" else {"path": "rows.db"}
        columns = columns or COLUMNS
        label = "label" if "label" in columns else next(iter(columns))
        document = {
            "source": {"database": {"engine": self.engine, **where, "query": query, **more}},
            "columns": columns,
            "target": {"column": label, "task": "binary"},
        }
        if len(columns) == 1:
            document["features"] = {"derived": {"one": f"{label} || 'x'"}}
        return ModelSpec.model_validate(document)

    def reader(self, query: str = QUERY, columns: dict[str, Any] | None = None, **more: Any) -> Reader:
        """A reader of the query."""
        spec = self.spec(query, columns, **more)
        assert spec.source.database is not None
        return open_database(spec.source.database, spec, self.root, lambda _: self.server.url())

    def deliveries(self, position: str | None = None, **more: Any) -> list[Delivery]:
        """What there is since a position."""
        return list(self.reader(**more).deliveries(position))


def rows_of(deliveries: list[Delivery], column: str = "id") -> list[Any]:
    """One column of all rows delivered."""
    return sorted(value for each in deliveries for value in each.rows[column])
