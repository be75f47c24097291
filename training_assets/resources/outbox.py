"""What has to reach others: moves of pointers to their targets, open cases to people; at least once, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from training_assets.core.errors import InputError
from training_assets.resources.cases import OPENED
from training_assets.resources.ledger import Event
from training_assets.resources.locks import exclusively
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.receivers import Receiver, receivers
from training_assets.resources.registry import Registry

DELIVERED, FAILED = "delivered", "delivery_failed"
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)


@dataclass(frozen=True)
class Letter:
    """An event that a receiver has to get."""

    event: Event
    receiver: Receiver

    @property
    def key(self) -> str:
        """Idempotency key: the same for every attempt, so that a receiver can tell a repetition."""
        return f"{self.event.hash}:{self.receiver.name}"


@dataclass(frozen=True)
class Outbox:
    """Letters of one model, derived from the ledger: nothing is lost where a process dies, or a receiver is down."""

    model: Model
    places: Places
    registry: Registry

    def waiting(self) -> list[Letter]:
        """Every letter that has not arrived, in order, also those whose next attempt is not due yet."""
        everybody = receivers(self.model.spec, self.places, self.registry)
        return [letter for receiver in everybody for letter in self._of(receiver)]

    def due(self) -> list[Letter]:
        """The first letter of each receiver, where its next attempt is due."""
        now = self.places.ledger.now()
        found: dict[str, Letter] = {}
        for letter in self.waiting():
            found.setdefault(letter.receiver.name, letter)
        return [letter for letter in found.values() if self._next_attempt(letter) <= now]

    def send(self, *, run_id: str, say: Callable[[str], None], at_once: bool = False) -> bool:
        """Send what is due, or with `at_once` everything; whether nothing failed. A failure is recorded and told.

        Whatever a receiver fails of, the others get theirs. Of an error that nobody foresaw its type is recorded:
        its words may hold a secret.
        """
        ledger, model = self.places.ledger, self.model.name
        failed: set[str] = set()
        sent: set[str] = set()  # once is enough, also where a folder does not keep what it got
        with exclusively(self.places.locks, f"deliver-{model}"):
            while letters := [
                letter
                for letter in (self.waiting() if at_once else self.due())
                if letter.receiver.name not in failed and letter.key not in sent
            ]:
                letter = letters[0]
                before = [each.subject for each, _ in self._told(letter.receiver, DELIVERED)].count(letter.event.hash)
                about = {
                    "target": letter.receiver.name, "what": letter.event.kind, "of": letter.event.seq,
                    "destination": dict(letter.receiver.destination),
                }  # fmt: skip
                by = {"run_id": run_id, "actor": "outbox"}
                try:
                    letter.receiver.send(letter.event, letter.key)
                except Exception as error:  # noqa: BLE001 - plugins of others; one receiver must not stop the rest
                    failed.add(letter.receiver.name)
                    unforeseen = f"E_DELIVERY: it ended with {type(error).__name__}"
                    reason = str(error) if isinstance(error, InputError) else unforeseen
                    ledger.record(model, FAILED, letter.event.hash, {**about, "reason": reason}, **by)
                    say(f"{model}: {letter.receiver.name} did not get {letter.event.kind}, and will later: {reason}")
                else:
                    sent.add(letter.key)
                    once = f"{model}/{DELIVERED}/{letter.key}" + (f"/{before}" if before else "")
                    ledger.record(model, DELIVERED, letter.event.hash, about, once=once, **by)
                    say(f"{model}: {letter.receiver.name} got {letter.event.kind}")
        return not failed

    def _of(self, receiver: Receiver) -> Iterator[Letter]:
        """What a receiver has not got, oldest first."""
        events = self.places.ledger.events(self.model.name, receiver.listens_to)
        if receiver.listens_to == OPENED:
            waiting = {case.number for case in self.places.reviews.cases(self.model.name) if case.state == "OPEN"}
            arrived = {_number(event) for event, _ in self._told(receiver, DELIVERED)}
            left = [event for event in events if event.seq in waiting and event.seq not in arrived]
        else:
            left = self._moves(receiver, events)
        for event in left:
            yield Letter(event, receiver)

    def _moves(self, receiver: Receiver, moves: list[Event]) -> list[Event]:
        """Every move since the last that arrived where the receiver is now; where that can be seen, the newest alone.

        Where none arrived there, the newest at least, all since the first that was tried there, and what no earlier
        place of the same name got: of a name that is new, every move that names it, and all since.
        """
        told = {kind: self._told(receiver, kind) for kind in (DELIVERED, FAILED)}
        got, tried = (
            [(_number(event), here) for event, here in told[kind] if event.data["what"] == receiver.listens_to]
            for kind in (DELIVERED, FAILED)
        )
        arrived = [number for number, here in got if here]
        for newest in moves[-1:]:
            has = receiver.has(newest, Letter(newest, receiver).key)
            if has is not None:
                return [] if has and newest.seq in arrived else [newest]
        if arrived:
            return [move for move in moves if move.seq > max(arrived)]
        owed = [number for number, here in tried if here]
        if got:
            owed += [move.seq for move in moves if move.seq > max(got)[0]]
        elif all(event.data["what"] == receiver.listens_to for each in told.values() for event, _ in each):
            owed += [number for number, _ in tried]
            owed += [move.seq for move in moves if receiver.name in move.data.get("targets", ())]
        first = min(owed, default=max((move.seq for move in moves), default=0))
        return [move for move in moves if move.seq >= first]

    def _told(self, receiver: Receiver, kind: str) -> list[tuple[Event, bool]]:
        """What is recorded of letters to a name, and whether they went where it is now.

        Records of before do not say where; they count as the next ones that do, or as of now where none does.
        """
        events = self.places.ledger.events(self.model.name, kind)
        told = [event for event in events if event.data["target"] == receiver.name]
        unsaid = next(
            (event.data["destination"] for event in told if "destination" in event.data), receiver.destination
        )
        return [(event, event.data.get("destination", unsaid) == receiver.destination) for event in told]

    def _next_attempt(self, letter: Letter) -> datetime:
        told = self._told(letter.receiver, FAILED)
        failures = [event for event, here in told if here and event.subject == letter.event.hash]
        if not failures:
            return datetime.fromisoformat(letter.event.at)
        return datetime.fromisoformat(failures[-1].at) + wait_after(len(failures))


def _number(told: Event) -> int:
    """The number of the event that a letter was about."""
    return int(told.data["of"])


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failures, one or more: doubled each time, up to an hour."""
    wait: timedelta = min(FIRST_WAIT * (1 << min(failures - 1, 20)), LONGEST_WAIT)
    return wait
