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
        with exclusively(self.places.locks, f"deliver-{model}"):
            while letters := [
                letter for letter in (self.waiting() if at_once else self.due()) if letter.receiver.name not in failed
            ]:
                letter = letters[0]
                about = {"target": letter.receiver.name, "what": letter.event.kind, "of": letter.event.seq}
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
                    once = f"{model}/{DELIVERED}/{letter.key}"
                    ledger.record(model, DELIVERED, letter.event.hash, about, once=once, **by)
                    say(f"{model}: {letter.receiver.name} got {letter.event.kind}")
        return not failed

    def _of(self, receiver: Receiver) -> Iterator[Letter]:
        """What a receiver has not got: every move that names it, and all since; the newest where none named it yet."""
        ledger, model = self.places.ledger, self.model.name
        events = ledger.events(model, receiver.listens_to)
        arrived, tried = (self._written_to(receiver, kind) for kind in (DELIVERED, FAILED))
        if receiver.listens_to == OPENED:
            waiting = {case.number for case in self.places.reviews.cases(model) if case.state == "OPEN"}
            left = [event for event in events if event.seq in waiting and event.seq not in arrived]
        else:
            named = {event.seq for event in events if receiver.name in event.data.get("targets", ())}
            first = min(arrived | tried | named, default=max((event.seq for event in events), default=0))
            left = [event for event in events if event.seq >= first and event.seq > max(arrived, default=0)]
            left = left[-1:] if receiver.wants_the_newest_alone else left
        for event in left:
            yield Letter(event, receiver)

    def _written_to(self, receiver: Receiver, kind: str) -> set[int]:
        """Events by number that a receiver got, or was tried with."""
        events = self.places.ledger.events(self.model.name, kind)
        return {int(event.data["of"]) for event in events if event.data["target"] == receiver.name}

    def _next_attempt(self, letter: Letter) -> datetime:
        failures = [
            event
            for event in self.places.ledger.events(self.model.name, FAILED, letter.event.hash)
            if event.data["target"] == letter.receiver.name
        ]
        if not failures:
            return datetime.fromisoformat(letter.event.at)
        return datetime.fromisoformat(failures[-1].at) + wait_after(len(failures))


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failures, one or more: doubled each time, up to an hour."""
    wait: timedelta = min(FIRST_WAIT * (1 << min(failures - 1, 20)), LONGEST_WAIT)
    return wait
