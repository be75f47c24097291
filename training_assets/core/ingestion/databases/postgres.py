"""PostgreSQL through ADBC: one read-only transaction a session, results fetched in portions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.query import Query, Value
from training_assets.core.ingestion.databases.redaction import secret_forms
from training_assets.core.ingestion.databases.sessions import CONNECT_SECONDS, MAX_BYTES, Gathered, Session

if TYPE_CHECKING:
    import pyarrow as pa
    from adbc_driver_manager import dbapi

SCHEMES = ("postgresql", "postgres")
# Rows fetched at first; then so many that a portion has about PORTION_BYTES.
FIRST_PORTION = 1000
PORTION_BYTES = 1 << 24
MOST_IN_PORTION = 100_000
# The transaction is one snapshot, and can write nothing whatever the query calls: Postgres refuses to lift READ ONLY
# once a query has run. The other settings make texts of values exact and the same everywhere.
_SETTINGS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET LOCAL statement_timeout = {milliseconds}",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL standard_conforming_strings = on",
)


class Postgres:
    """A server behind a URL that is a secret."""

    def __init__(self, url: str, most: int = MAX_BYTES) -> None:
        """Raise InputError E_DATABASE where the URL is none; nothing is connected yet."""
        self.where = "postgres query"
        self.secrets: Sequence[str] = secret_forms(url)
        self._url, self._most = _with_timeout(url), most

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """A read-only transaction, rolled back at its end; the server ends its queries after so many seconds."""
        import adbc_driver_postgresql.dbapi as driver

        with closing(driver.connect(self._url, autocommit=False)) as connection:
            with closing(connection.cursor()) as cursor:
                for setting in _SETTINGS:
                    cursor.execute(setting.format(milliseconds=int(seconds * 1000)))
            yield _Session(connection, self.where, self._most)

    def exact(self, expression: str) -> str:
        """Postgres' own text of a value."""
        return f"CAST({expression} AS text)"

    def kind(self, expression: str) -> str:
        """Postgres' name of the type."""
        return f"CAST(pg_typeof({expression}) AS text)"

    def again(self, placeholder: str, kind: str) -> str:
        """The text, cast to the type."""
        return f"CAST(CAST({placeholder} AS text) AS {kind})"

    def bound(self, text: str, kind: str) -> Value:  # noqa: ARG002 - SQLite needs the kind
        """The text itself."""
        return text

    def state(self, session: Session, query: Query) -> str:
        """Number and sum of the hashes of all rows, which the server computes."""
        sql = f"SELECT COUNT(*) AS n, CAST(SUM(hashtextextended(CAST(q AS text), 0)) AS text) AS h FROM {query.table}"  # noqa: S608 - the query is the spec's own
        found = session.row(sql, query.values)
        return f"{found['n']} {found['h']}"


class _Session:
    def __init__(self, connection: dbapi.Connection, where: str, most: int) -> None:
        self._connection, self._where, self._most = connection, where, most

    def row(self, sql: str, values: Sequence[Value]) -> dict[str, Any]:
        found: list[dict[str, Any]] = self._asked(sql, values).to_pylist()
        return found[0]

    def columns(self, query: Query) -> list[str]:
        sql = f"SELECT * FROM {query.table} LIMIT 0"  # noqa: S608 - the query is the spec's own
        names: list[str] = self._asked(sql, query.values).schema.names
        return names

    def rows(self, query: Query, condition: str, values: Sequence[Value]) -> pa.Table:
        """Through a cursor on the server: a result with bound values would else come as a whole, unbounded."""
        with closing(self._connection.cursor()) as cursor:
            declared = f"DECLARE wanted NO SCROLL CURSOR FOR SELECT * FROM {query.table} WHERE {condition}"  # noqa: S608 - the query is the spec's own
            cursor.execute(declared, list(values) or None)
        gathered, wanted = Gathered(self._where, self._most), FIRST_PORTION
        while True:
            portion = self._asked(f"FETCH {wanted} FROM wanted", ())
            for batch in portion.to_batches():
                gathered.add(batch)
            if portion.num_rows < wanted:
                return gathered.table(portion.schema)
            wanted = max(1, min(MOST_IN_PORTION, PORTION_BYTES * portion.num_rows // max(portion.nbytes, 1)))

    def _asked(self, sql: str, values: Sequence[Value]) -> pa.Table:
        with closing(self._connection.cursor()) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
            cursor.execute(sql, list(values) or None)
            return cursor.fetch_arrow_table()


def _with_timeout(url: str) -> str:
    """The URL with a time after which connecting is given up; raises InputError E_DATABASE where it is none."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        _ = parts.port  # of a password that is not encoded, a part may stand where the port is read
    except ValueError:
        parts = None
    # Such a password's parts would be taken for host, port or options, and shown as what is wrong with them.
    at = url.count("@")
    if parts is None or parts.scheme not in SCHEMES or at > 1 or at != parts.netloc.count("@") or parts.fragment:
        message = (
            "the secret that source.database.url names is no URL of Postgres: postgresql://user:…@host/database, with "
            "/ ? # @ in user and password as %2F %3F %23 %40"
        )
        raise InputError("E_DATABASE", message)
    options.setdefault("connect_timeout", str(CONNECT_SECONDS))
    return urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
