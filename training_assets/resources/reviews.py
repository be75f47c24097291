"""Review cases: what waits for a person, and what the person decided; kept as events of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event, Ledger

State = Literal["OPEN", "APPROVED", "REJECTED", "SUPERSEDED"]
OPENED, DECIDED = "case_opened", "case_decided"


@dataclass(frozen=True)
class Case:
    """A question to a person, named by kind and subject (a digest); a decision holds for that digest alone."""

    model: str
    kind: str
    subject: str
    text: str
    facts: Mapping[str, Any]
    opened_at: str
    opened_in: str
    number: int
    """Of the event that opened it: the same question asked anew is another case."""
    state: State = "OPEN"
    decided_at: str | None = None
    decided_by: str | None = None
    comment: str | None = None

    @property
    def name(self) -> str:
        """`schema-1f2e3d4c5b6a`: what people type."""
        return f"{self.kind}-{self.subject[:12]}"


@dataclass(frozen=True)
class Reviews:
    """The cases of all models; at most one is open for a kind and subject, whoever asks."""

    ledger: Ledger

    def open(
        self, model: str, kind: str, subject: str, text: str, facts: Mapping[str, Any], *, run_id: str, actor: str
    ) -> Case:
        """The case of a subject: opened now, or the one there is; a decision taken before stands."""
        known = self.case(model, kind, subject)
        if known is not None and known.state != "SUPERSEDED":
            return known
        rounds = sum(event.data["state"] == "SUPERSEDED" for event in self._of(model, DECIDED, kind, subject))
        data = {"kind": kind, "subject": subject, "text": text, "facts": dict(facts)}
        self.ledger.record(
            model, OPENED, f"{kind}:{subject}", data, run_id=run_id, actor=actor,
            once=f"{model}/{OPENED}/{kind}/{subject}/{rounds}",
        )  # fmt: skip
        opened = self.case(model, kind, subject)
        assert opened is not None  # noqa: S101 - it was recorded one line above
        return opened

    def decide(self, case: Case, state: State, *, actor: str, comment: str, run_id: str = "") -> Case:
        """Decide an open case; raises InputError E_CASE where it is not open any more, or nobody says who and why."""
        now = self.require_decidable(case, actor=actor, comment=comment)
        data = {"kind": case.kind, "subject": case.subject, "state": state, "comment": comment}
        event = self.ledger.record(
            case.model, DECIDED, f"{case.kind}:{case.subject}", data, run_id=run_id, actor=actor,
            once=f"{case.model}/{DECIDED}/{case.kind}/{case.subject}/{now.number}",
        )  # fmt: skip
        decided = self.case(case.model, case.kind, case.subject)
        if decided is None or (event.actor, event.data["state"]) != (actor, state):
            raise InputError("E_CASE", f"case {case.name} was decided by {event.actor} at the same time")
        return decided

    def require_decidable(self, case: Case, *, actor: str, comment: str) -> Case:
        """The case as it stands; raises InputError E_CASE where it is not open, or actor or comment are missing."""
        now = self.case(case.model, case.kind, case.subject)
        if now is None or now.state != "OPEN":
            what = "does not exist" if now is None else f"is {now.state.lower()} already, by {now.decided_by}"
            raise InputError("E_CASE", f"case {case.name} {what}")
        if not actor.strip() or not comment.strip():
            raise InputError("E_CASE", f"case {case.name}: say who decides, and why (--comment TEXT)")
        return now

    def case(self, model: str, kind: str, subject: str) -> Case | None:
        """The newest case of a kind and subject."""
        found = [case for case in self.cases(model) if (case.kind, case.subject) == (kind, subject)]
        return found[-1] if found else None

    def named(self, model: str, name: str) -> Case:
        """The newest case whose name starts with a text; raises InputError E_CASE for none or several."""
        found = {case.name: case for case in self.cases(model) if case.name.startswith(name)}
        if len(found) != 1:
            known = ", ".join(case.name for case in self.cases(model) if case.state == "OPEN") or "none"
            raise InputError("E_CASE", f"{len(found)} cases of {model} are named {name[:80]!r}; open: {known}")
        return next(iter(found.values()))

    def approved(self, model: str, kind: str, subject: str) -> bool:
        """Whether a person said yes to this very subject."""
        case = self.case(model, kind, subject)
        return case is not None and case.state == "APPROVED"

    def cases(self, model: str) -> list[Case]:
        """All cases of a model, oldest first, each as it stands now."""
        found: dict[int, Case] = {}
        newest: dict[tuple[str, str], int] = {}
        events = [*self.ledger.events(model, OPENED), *self.ledger.events(model, DECIDED)]
        for event in sorted(events, key=lambda event: event.seq):
            pair = (str(event.data["kind"]), str(event.data["subject"]))
            if event.kind == OPENED:
                newest[pair] = event.seq
                found[event.seq] = _opened(event)
            else:
                found[newest[pair]] = _decided(found[newest[pair]], event)
        return list(found.values())

    def _of(self, model: str, event_kind: str, kind: str, subject: str) -> list[Event]:
        return self.ledger.events(model, event_kind, f"{kind}:{subject}")


def _opened(event: Event) -> Case:
    data = event.data
    return Case(
        event.model, data["kind"], data["subject"], data["text"], data["facts"], event.at, event.run_id, event.seq
    )


def _decided(case: Case, event: Event) -> Case:
    return Case(
        case.model, case.kind, case.subject, case.text, case.facts, case.opened_at, case.opened_in, case.number,
        state=event.data["state"], decided_at=event.at, decided_by=event.actor, comment=event.data["comment"],
    )  # fmt: skip
