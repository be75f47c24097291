"""What a database must do to be read: open a session that cannot write, and answer queries in Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.query import Query, Value
from training_assets.core.ingestion.excerpt import excerpt

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 1 << 31
"""Of one batch in memory; the same as for a file."""
CONNECT_SECONDS = 10
QUERY_SECONDS = 1800.0
NEWS_SECONDS = 30.0
"""A sensor asks often, and its tick must end."""


class Session(Protocol):
    """One snapshot of a database: all that it is asked, it answers as of one moment."""

    def row(self, sql: str, values: Sequence[Value]) -> dict[str, Any]:
        """The one row of an aggregate, as Python values."""
        ...

    def rows(self, query: Query, condition: str, values: Sequence[Value]) -> pa.Table:
        """Rows of the query `q` where the condition holds; raises InputError E_SIZE above MAX_BYTES."""
        ...

    def columns(self, query: Query) -> list[str]:
        """Names of the query's columns."""
        ...


class Engine(Protocol):
    """A kind of database, and where this one lies."""

    where: str
    """For people, without a secret."""
    secrets: Sequence[str]
    """What no message may repeat."""

    def session(self, seconds: float) -> AbstractContextManager[Session]:
        """Open a session whose queries end after so many seconds, where the engine can stop them."""
        ...

    def exact(self, expression: str) -> str:
        """SQL for a value from which it can be made again: see `again`."""
        ...

    def kind(self, expression: str) -> str:
        """SQL for the name of a value's type."""
        ...

    def again(self, placeholder: str, kind: str) -> str:
        """SQL for a bound value as its type."""
        ...

    def bound(self, text: str, kind: str) -> Value:
        """What is bound for a value that was kept as text."""
        ...

    def state(self, session: Session, query: Query) -> str:
        """A text that differs whenever the query's result does; cheaper than the result."""
        ...


class Gathered:
    """Record batches up to a number of bytes."""

    def __init__(self, where: str, most: int) -> None:
        """Nothing yet; at most `most` bytes."""
        self.where, self.most = where, most
        self.size = 0
        self.parts: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; raises InputError E_SIZE where all of them are too large to be read at once."""
        self.size += batch.nbytes
        if self.size > self.most:
            message = (
                f"{self.where}: the rows have more than {self.most:,} bytes; a batch has at most that: choose columns, "
                "or fewer rows by a parameter, in source.database.query"
            )
            raise InputError("E_SIZE", message)
        self.parts.append(batch)

    def table(self, schema: pa.Schema) -> pa.Table:
        """All rows."""
        import pyarrow as pa

        return pa.Table.from_batches(self.parts, schema)


def regular_file(path: str, root: Path) -> Path:
    """A database's file, below the root or absolute; raises InputError E_MISSING or E_NOT_REGULAR."""
    place = root / path
    if not place.exists():
        message = f"{excerpt(path, 200)} does not exist under the project's root; mend source.database.path"
        raise InputError("E_MISSING", message)
    if not place.is_file():
        message = f"{excerpt(path, 200)} is no regular file; source.database.path names the database's file"
        raise InputError("E_NOT_REGULAR", message)
    return place.resolve()


def file_state(place: Path) -> str:
    """Sizes and times of a database's file and its log: they change with every write."""
    found = []
    for path in (place, place.with_name(place.name + "-wal"), place.with_name(place.name + ".wal")):
        if path.exists():
            stat = path.stat()
            found.append(f"{stat.st_size}:{stat.st_mtime_ns}")
    return " ".join(found)
