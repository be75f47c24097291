"""Versions and what became of them: read from the ledger's events; production moves here and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from training_assets.core.errors import InputError
from training_assets.core.release.policy import Way
from training_assets.resources.ledger import Event, Ledger

PRODUCTION, STAGING = "production", "staging"
State = Literal["REGISTERED", "STAGED", "LIVE", "SUPERSEDED", "ROLLED_BACK"]


@dataclass(frozen=True)
class Span:
    """A time in which a version was live; `until` is none for the present one."""

    version: str
    since: str
    until: str | None
    move: Event

    @property
    def way(self) -> str:
        """How it came in: policy, approval or rollback."""
        return str(self.move.data["way"])


@dataclass(frozen=True)
class Releases:
    """The versions of one model, and the moves of its production pointer."""

    ledger: Ledger
    model: str
    targets: tuple[str, ...] = ()  # who gets what is moved from here; a move keeps their names

    def versions(self) -> dict[str, Event]:
        """The event of each registered version, oldest first; a number is that of its first candidate for ever."""
        found: dict[str, Event] = {}
        for event in self.ledger.events(self.model, "registered"):
            found.setdefault(str(event.data["version"]), event)
        return found

    def version(self, number: str) -> Event:
        """A version's registration; raises InputError E_VERSION with the known ones where there is none."""
        known = self.versions()
        if number not in known:
            raise InputError(
                "E_VERSION", f"{self.model} has no version {number[:40]}; known: {', '.join(known) or 'none yet'}"
            )
        return known[number]

    def moves(self) -> list[Event]:
        """Every move of production, oldest first."""
        return self.ledger.events(self.model, f"{PRODUCTION}_moved")

    def live(self) -> Event | None:
        """The move that brought the present version in; none where production is empty."""
        moves = self.moves()
        return moves[-1] if moves else None

    def spans(self) -> list[Span]:
        """Which version was live when: the spans follow one another and never overlap."""
        moves = self.moves()
        ends = itertools.chain((move.at for move in moves[1:]), [None])
        return [Span(str(move.data["to"]), move.at, end, move) for move, end in zip(moves, ends, strict=False)]

    def live_at(self, at: datetime) -> Span | None:
        """The span that a moment lies in; its end belongs to the next one."""
        for span in reversed(self.spans()):
            if datetime.fromisoformat(span.since) <= at:
                return span
        return None

    def was_live(self, number: str) -> bool:
        """Whether production has served a version, now or before."""
        return any(move.data["to"] == number for move in self.moves())

    def pulled(self) -> dict[str, Event]:
        """Versions in quarantine, with the rollback that took them out; an approved return ends it."""
        return pulled_by(self.moves())

    def frozen_until(self) -> datetime | None:
        """When promotions by policy begin again after the last rollback; none where there was none."""
        ends = [move.data["frozen_until"] for move in self.moves() if move.data["way"] == "rollback"]
        return datetime.fromisoformat(ends[-1]) if ends else None

    def states(self) -> dict[str, State]:
        """Where each version stands."""
        live, pulled = self.live(), self.pulled()
        been = {str(move.data["to"]) for move in self.moves()}
        staged = {event.subject for event in self.ledger.events(self.model, f"{STAGING}_moved")}
        found: dict[str, State] = {}
        for number in self.versions():
            if live is not None and number == live.data["to"]:
                found[number] = "LIVE"
            elif number in pulled:
                found[number] = "ROLLED_BACK"
            else:
                found[number] = "SUPERSEDED" if number in been else "STAGED" if number in staged else "REGISTERED"
        return found

    def rollback_target(self, to: str | None = None) -> str:
        """The version that a rollback goes back to: the one asked for, else the newest that was live and not pulled.

        Raises InputError E_ROLLBACK where nothing is live, none is left, or the one asked for was never live or pulled.
        """
        live = self.live()
        if live is None:
            raise InputError("E_ROLLBACK", f"{self.model} has nothing in production; there is nothing to roll back")
        now, pulled = str(live.data["to"]), self.pulled()
        sound = [span.version for span in self.spans() if span.version != now and span.version not in pulled]
        if to is None and not sound:
            message = f"{self.model} has no earlier sound version than {now}; promote another one instead"
            raise InputError("E_ROLLBACK", message)
        if to is not None and to not in sound:
            self.version(to)
            why = "is live now" if to == now else "was rolled back itself" if to in pulled else "was never live"
            which = ", ".join(dict.fromkeys(sound)) or "none"
            message = f"version {to} of {self.model} {why}; a rollback goes to one of: {which}"
            raise InputError("E_ROLLBACK", message)
        return to or sound[-1]

    def promote(
        self,
        number: str,
        way: Way,
        data: Mapping[str, Any],
        *,
        reason: str,
        after: Event | None,
        run_id: str,
        actor: str,
    ) -> Event:
        """Let production point at a version that was proved in staging; `after` is the last move that was known.

        Raises InputError E_RELEASE where the version is not registered and proved, or comes by policy although it was
        live before or promotion is frozen; `PointerMovedError` where production has moved since.
        """
        registered = self.version(number)
        if self.ledger.latest(self.model, "parity", registered.subject) is None:
            message = f"version {number} of {self.model} was never proved in staging; run {self.model}_stage first"
            raise InputError("E_RELEASE", message)
        frozen = self.frozen_until()
        is_frozen = frozen is not None and self.ledger.now() < frozen
        if way == "policy" and (self.was_live(number) or is_frozen):
            message = f"version {number} of {self.model} needs an approval: it was live before, or promotion is frozen"
            raise InputError("E_RELEASE", message)
        if way == "rollback" or not reason.strip():
            raise InputError("E_RELEASE", "a promotion comes by policy or approval, and says why")
        return self._move(registered, way, {**data, "reason": reason}, after=after, run_id=run_id, actor=actor)

    def roll_back(self, to: str, *, reason: str, freeze: timedelta, after: Event, run_id: str, actor: str) -> Event:
        """Let production point at an earlier version; the present one is in quarantine from then on, promotion frozen.

        Raises InputError E_ROLLBACK where there is no reason or no such target, `PointerMovedError` where production
        has moved since `after`.
        """
        if not reason.strip():
            raise InputError("E_ROLLBACK", "say why the version is pulled (--reason TEXT)")
        registered = self.version(self.rollback_target(to))
        data = {"reason": reason, "frozen_until": (self.ledger.now() + freeze).isoformat(timespec="seconds")}
        return self._move(registered, "rollback", data, after=after, run_id=run_id, actor=actor)

    def _move(
        self, registered: Event, way: Way, data: Mapping[str, Any], *, after: Event | None, run_id: str, actor: str
    ) -> Event:
        """One transaction: the pointer, and an event that says everything about the move."""
        number = str(registered.data["version"])
        said = {
            "way": way, "candidate": registered.subject, "registration": registered.hash,
            "targets": list(self.targets), **data,
        }  # fmt: skip
        expected = None if after is None else str(after.data["to"])
        return self.ledger.move(
            self.model, PRODUCTION, expected=expected, to=number, data=said, run_id=run_id, actor=actor,
            after=None if after is None else after.hash,
        )  # fmt: skip


def pulled_by(moves: Sequence[Event]) -> dict[str, Event]:
    """Versions that are in quarantine after these moves, with the rollback that took them out."""
    out: dict[str, Event] = {}
    for move in moves:
        out.pop(str(move.data["to"]), None)
        if move.data["way"] == "rollback":
            out[str(move.data["from"])] = move
    return out
