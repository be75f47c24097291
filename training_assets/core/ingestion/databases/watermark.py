"""How far a query has been read: the largest value of a column that only grows, exact, with the rows up to it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from training_assets.core.errors import InputError
from training_assets.core.ingestion.databases.query import Query, Value, quoted
from training_assets.core.ingestion.databases.sessions import Engine, Session
from training_assets.core.ingestion.excerpt import excerpt

# The engines' names of types that have a largest value, by what they hold: a position is never compared with another.
_KINDS = {
    "integer": r"(small|big|tiny|huge)?int(eger)?|u(small|big|tiny|huge)?int(eger)?",
    "number": r"numeric|decimal(\(\d+,\s?\d+\))?|real|float|double( precision)?",
    "date": "date",
    "time": r"timestamp(_s|_ms|_ns)?( with(out)? time zone)?",
    "text": r"text|varchar|character varying",
}
# What a float or a time can hold beyond every other value: nothing could come after it.
_ENDLESS = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Position:
    """The last value read, in the engine's own text, and how many rows the query has up to it."""

    column: str
    type: str
    value: str
    rows: int

    def __str__(self) -> str:
        """As it is kept with the batch."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Window:
    """The rows after one position, up to another one: condition and the values bound in it, behind the query's own."""

    condition: str
    values: tuple[Value, ...]
    rows: int
    upto: Position


def read_position(text: str, column: str) -> Position:
    """A position as it was kept; raises InputError E_WATERMARK where it is of another column or no position."""
    try:
        found = json.loads(text)
        position = Position(str(found["column"]), str(found["type"]), str(found["value"]), int(found["rows"]))
        _holds(position.type)
    except (ValueError, KeyError, TypeError):
        position = None
    if position is None or position.column != column:
        message = f"the position of the rows read so far is none of column {excerpt(column)}; read all rows anew"
        raise InputError("E_WATERMARK", message)
    return position


def largest(engine: Engine, session: Session, query: Query, column: str, last: Position | None) -> str | None:
    """The largest value, in the engine's text, where it is above the last one read; an index answers it at once."""
    top = f"MAX(q.{quoted(column)})"
    newer, values = "1", query.values
    if last is not None:
        newer = f"CASE WHEN {top} > {_low(engine, query, last)} THEN 1 ELSE 0 END"
        values = (*values, engine.bound(last.value, last.type))
    sql = f"SELECT {engine.exact(top)} AS high, {newer} AS newer FROM {query.table}"  # noqa: S608 - names are quoted, the query is the spec's own
    found = session.row(sql, values)
    return None if found["high"] is None or not found["newer"] else _text(found["high"])


def window(engine: Engine, session: Session, query: Query, column: str, last: Position | None) -> Window | None:
    """The rows above the last value read, up to the largest there is; none where nothing is new.

    Raises InputError: E_WATERMARK for rows without a value, or a column that has no largest value; E_LATE_ROWS where
    the query has more or fewer rows up to the last value than were read.
    """
    mark = f"q.{quoted(column)}"
    below, low = "0", tuple[Value, ...]()
    if last is not None:
        below = f"CASE WHEN {mark} <= {_low(engine, query, last)} THEN 1 ELSE 0 END"
        low = (engine.bound(last.value, last.type),)
    top = f"MAX({mark})"
    sql = (
        f"SELECT COUNT(*) AS n, COUNT({mark}) AS known, SUM({below}) AS below, {engine.exact(top)} AS high, "  # noqa: S608 - as above
        f"{engine.kind(top)} AS kind, {engine.kind(f'MIN({mark})')} AS least FROM {query.table}"
    )
    found = session.row(sql, (*query.values, *low))
    rows, known, read = int(found["n"]), int(found["known"]), int(found["below"] or 0)
    _refuse_without_value(rows - known, column)
    _refuse_late(read, last)
    if rows == read:
        return None
    kind, high = str(found["kind"]).lower(), _text(found["high"])
    _refuse_other_kind(kind, str(found["least"]).lower(), high, column, last)
    upto = Position(column, kind, high, rows)
    top_value = engine.bound(high, kind)
    if last is None:
        return Window(f"{mark} <= {engine.again(query.placeholder(), kind)}", (top_value,), rows, upto)
    condition = f"{mark} > {_low(engine, query, last)} AND {mark} <= {engine.again(query.placeholder(2), kind)}"
    return Window(condition, (*low, top_value), rows - read, upto)


def _low(engine: Engine, query: Query, last: Position) -> str:
    return engine.again(query.placeholder(), last.type)


def _text(value: object) -> str:
    """The engine's own text, or that of a SQLite value: `repr` gives a float that reads as the same one."""
    return repr(value) if isinstance(value, float) else str(value)


def _holds(kind: str) -> str:
    """What a type holds; KeyError for one that has no largest value (and for text that is no type at all)."""
    for holds, pattern in _KINDS.items():
        if re.fullmatch(pattern, kind):
            return holds
    raise KeyError(kind)


def _refuse_without_value(count: int, column: str) -> None:
    if count:
        message = (
            f"source.database.watermark: {count:,} row(s) of the query have no {excerpt(column)}, and would never be "
            "read; give them one at the source, or leave them out in the query (WHERE … IS NOT NULL)"
        )
        raise InputError("E_WATERMARK", message)


def _refuse_late(read: int, last: Position | None) -> None:
    if last is None or read == last.rows:
        return
    more = read > last.rows
    what = f"{abs(read - last.rows):,} {'more' if more else 'fewer'} row(s)"
    why = "came late, or share the last value" if more else "were deleted or changed"
    message = (
        f"source.database: up to the last value read ({last.column} = {excerpt(last.value)}) the query now has {what} "
        f"than were read ({read:,} instead of {last.rows:,}): rows {why}. Mend the source (give late rows a value "
        "above the last one, or put back what is gone), or change the query, which reads all rows anew"
    )
    raise InputError("E_LATE_ROWS", message)


def _refuse_other_kind(kind: str, least: str, high: str, column: str, last: Position | None) -> None:
    numbers = {"integer", "number"}
    try:
        held, lowest = _holds(kind), _holds(least)
    except KeyError:
        message = (
            f"source.database.watermark: {excerpt(column)} is of type {excerpt(kind)}; a watermark is a number, a "
            "date, a time or text: CAST it in the query"
        )
        raise InputError("E_WATERMARK", message) from None
    if held != lowest and not {held, lowest} <= numbers:
        message = (
            f"source.database.watermark: {excerpt(column)} holds {least} and {kind}; CAST it to one type in the query"
        )
        raise InputError("E_WATERMARK", message)
    if held in {"number", "date", "time"} and _ENDLESS.fullmatch(high):
        message = (
            f"source.database.watermark: {excerpt(column)} reaches {high}, above which nothing comes; leave it out"
        )
        raise InputError("E_WATERMARK", message)
    if last is not None and _holds(last.type) != held and not {_holds(last.type), held} <= numbers:
        message = (
            f"source.database.watermark: {excerpt(column)} was {last.type} and is {kind} now; CAST it to what it was "
            "in the query"
        )
        raise InputError("E_WATERMARK", message)
