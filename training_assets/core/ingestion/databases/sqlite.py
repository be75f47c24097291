"""A SQLite file through ADBC, opened read-only; the classes of its values are looked at before they become columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.query import Query, Value, quoted
from training_assets.core.ingestion.databases.sessions import MAX_BYTES, Gathered, Session, file_state, regular_file
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.validation.casting import EXACT_FLOAT

if TYPE_CHECKING:
    import adbc_driver_sqlite.dbapi as driver
    import pyarrow as pa

ROWS_IN_BATCH = "20000"
BUSY_MILLISECONDS = 5000
# The class of all values of a column (SQLite's columns hold values of any) → a value of it; none where all are null.
_EXAMPLES = {
    (): "0",
    ("integer",): "0",
    ("real",): "0.0",
    ("integer", "real"): "0.0",
    ("text",): "''",
    ("blob",): "x''",
}


class Sqlite:
    """A file of SQLite; its queries cannot be stopped, for its driver knows no way."""

    def __init__(self, path: str, root: Path, most: int = MAX_BYTES) -> None:
        """Raise InputError E_MISSING or E_NOT_REGULAR where there is no such file."""
        self.where = f"sqlite query on {path}"
        self.secrets: Sequence[str] = ()
        self._place, self._most = regular_file(path, root), most

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:  # noqa: ARG002 - the driver cannot stop a query
        """A transaction on the file, opened read-only."""
        import adbc_driver_sqlite.dbapi as driver

        uri = f"file:{quote(str(self._place))}?mode=ro"
        with closing(driver.connect(uri, autocommit=False)) as connection:
            with closing(connection.cursor()) as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            yield _Session(connection, self.where, self._most)

    def exact(self, expression: str) -> str:
        """The value itself: text would round a float."""
        return expression

    def kind(self, expression: str) -> str:
        """SQLite's name of the value's class."""
        return f"typeof({expression})"

    def again(self, placeholder: str, kind: str) -> str:  # noqa: ARG002 - the others need the kind
        """The bound value, which has its class."""
        return placeholder

    def bound(self, text: str, kind: str) -> Value:
        """An integer, a float or a text."""
        return int(text) if kind == "integer" else float(text) if kind == "real" else text

    def state(self, session: Session, query: Query) -> str:  # noqa: ARG002 - Postgres needs both
        """Size and time of the file and its log."""
        return file_state(self._place)


class _Session:
    def __init__(self, connection: driver.Connection, where: str, most: int) -> None:
        self._connection, self._where, self._most = connection, where, most

    def row(self, sql: str, values: Sequence[Value]) -> dict[str, Any]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sql, list(values) or None)
            found: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
        return found[0]

    def columns(self, query: Query) -> list[str]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(f"SELECT * FROM {query.table} LIMIT 0", list(query.values) or None)  # noqa: S608 - the query is the spec's own
            names: list[str] = cursor.fetch_arrow_table().schema.names
        return names

    def rows(self, query: Query, condition: str, values: Sequence[Value]) -> pa.Table:
        """The driver takes a column's type from the first rows, so one row of the right classes is put before them."""
        import pyarrow as pa

        wanted = f"{query.table} WHERE {condition}"
        names = self.columns(query)
        mark = "first" + "_" * max(map(len, names))  # longer than any name
        count, classes = self._classes(names, wanted, values)
        examples = ", ".join(f"{_EXAMPLES[classes[name]]} AS {quoted(name)}" for name in names)
        columns = ", ".join(
            f"CAST(q.{quoted(name)} AS REAL)" if classes[name] == ("integer", "real") else f"q.{quoted(name)}"
            for name in names
        )
        sql = f"SELECT {examples}, 1 AS {quoted(mark)} UNION ALL SELECT {columns}, 0 FROM {wanted}"  # noqa: S608 - the query is the spec's own
        gathered = Gathered(self._where, self._most)
        with closing(self._connection.cursor()) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": ROWS_IN_BATCH})
            cursor.execute(sql, list(values) or None)
            with cursor.fetch_record_batch() as reader:
                schema = reader.schema
                for batch in reader:
                    batch.validate(full=True)  # texts are bytes to SQLite
                    gathered.add(batch)
        table = gathered.table(schema)
        if table.num_rows != count + 1:
            message = f"{self._where}: the rows changed while they were read; run again"
            raise InputError("E_UNSTABLE", message)
        rows = table.filter(pa.compute.equal(table[mark], 0)).drop_columns([mark])
        for place, name in enumerate(names):
            if not classes[name]:
                rows = rows.set_column(place, name, pa.nulls(rows.num_rows))
        return rows

    def _classes(
        self, names: list[str], wanted: str, values: Sequence[Value]
    ) -> tuple[int, dict[str, tuple[str, ...]]]:
        """How many rows there are, and the classes of each column's values; raises InputError E_TYPE where they mix."""
        inexact = f"NOT BETWEEN -{EXACT_FLOAT} AND {EXACT_FLOAT}"
        asked = ", ".join(
            f"group_concat(DISTINCT nullif(typeof({value}), 'null')) AS c{place}, "
            f"max(typeof({value}) = 'integer' AND {value} {inexact}) AS b{place}"
            for place, value in enumerate(f"q.{quoted(name)}" for name in names)
        )
        found = self.row(f"SELECT COUNT(*) AS n, {asked} FROM {wanted}", values)  # noqa: S608 - the query is the spec's own
        classes = {}
        for place, name in enumerate(names):
            held = tuple(sorted(filter(None, str(found[f"c{place}"] or "").split(","))))
            if held not in _EXAMPLES or (len(held) > 1 and found[f"b{place}"]):
                what = " and ".join(held) if held not in _EXAMPLES else "fractions and integers beyond 2^53"
                message = f"{self._where}, column {excerpt(name)} holds {what}; CAST it in the query"
                raise InputError("E_TYPE", message)
            classes[name] = held
        return int(found["n"]), classes
