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
from training_assets.resources.ledger_database import READS, events, opened, pointers


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
        """Open the ledger, and create it where it is new; URL and errors are those of `ledger_database.opened`."""
        self._engine = opened(url)
        self._reader = self._engine.execution_options(**{READS: True})
        self._clock = clock

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
        """Swap a pointer and record it in one transaction, and give the event.

        `after` is the hash of the last move that was known; without it, a pointer that was moved there in the same way
        is where it was wanted, and the event of that is given. Raises `PointerMovedError` where somebody else moved it,
        be it to the very same value.
        """
        with self._engine.begin() as connection:
            here = sa.and_(pointers.c.model == model, pointers.c.name == name)
            now = connection.execute(sa.select(pointers.c.value).where(here)).scalar()
            moves = sa.and_(events.c.model == model, events.c.kind == f"{name}_moved")
            row = connection.execute(sa.select(events).where(moves).order_by(events.c.seq.desc()).limit(1)).first()
            last = None if row is None else _event(row)
            if after is None and last is not None and (now, last.data.get("way")) == (to, data.get("way")):
                return last
            why = None
            if now != expected:
                why = f"is at {now}, not at {expected} as before"
            elif after is not None and (last is None or last.hash != after):
                why = f"is at {now} again, and was moved meanwhile"
            elif now == to:
                why = f"is at {now} already"
            if why is not None:
                message = f"{model}: pointer {name} {why}; look again before moving it"
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


def _event(row: sa.Row[Any]) -> Event:
    content = {name: getattr(row, name) for name in events.c.keys()}  # noqa: SIM118 - columns, not a dict
    return Event(**{**content, "data": json.loads(row.data)})
