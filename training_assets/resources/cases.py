"""What a review case is: a question to a person, as the events of the ledger tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from training_assets.core.release.approvals import Vote, lacking, may_vote
from training_assets.resources.ledger import Event
from training_assets.spec.release import Approvals

State = Literal["OPEN", "APPROVED", "REJECTED", "SUPERSEDED", "EXPIRED"]
OPENED, VOTED, DECIDED = "case_opened", "case_voted", "case_decided"


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
    approved_by: str | None = None
    """Whose yes made the approval complete, also where it has ended since."""
    approved_at: str | None = None
    due: str | None = None
    """When it expires if nobody has decided: time never approves."""
    votes: tuple[Vote, ...] = ()

    @property
    def launched_by(self) -> str | None:
        """Who launched what is asked about, where that is known."""
        by = self.facts.get("launched_by")
        return None if by is None else str(by)

    @property
    def page(self) -> str | None:
        """The page of the report that it is about, below the home; none where it is about none."""
        page = self.facts.get("page")
        return None if page is None else str(page)

    @property
    def run_id(self) -> str:
        """The run that the report was made in, else the one that asked; empty where no run did."""
        return str(self.facts.get("run") or self.opened_in)

    @property
    def overridden(self) -> tuple[str, ...]:
        """Failed rules that only a waiver goes past."""
        return tuple(self.facts.get("overridden", ()))

    def counts(self, vote: Vote, asked: Approvals) -> bool:
        """Whether this very vote was given, and counts by what is asked."""
        return vote in self.votes and may_vote(vote, asked, launched_by=self.launched_by) is None

    def lacks(self, asked: Approvals, now: datetime) -> str | None:
        """What is missing before the votes so far are a complete approval; none where they are one."""
        return lacking(self.votes, asked, launched_by=self.launched_by, overridden=self.overridden, now=now)

    def lapsed(self, asked: Approvals, now: datetime) -> str | None:
        """What an approval lacks since, where a waiver has ended or roles changed; none where it is complete."""
        return self.lacks(asked, now) if self.state == "APPROVED" else None

    @property
    def name(self) -> str:
        """`schema-1f2e3d4c5b6a`: what people type."""
        return f"{self.kind}-{self.subject[:12]}"


def told_by(events: Iterable[Event], now: datetime) -> list[Case]:
    """The cases that events of a model tell of, oldest first, each as it stands by then."""
    found: dict[int, Case] = {}
    newest: dict[tuple[str, str], int] = {}
    for event in sorted(events, key=lambda event: event.seq):
        pair = (str(event.data["kind"]), str(event.data["subject"]))
        if event.kind == OPENED:
            newest[pair] = event.seq
            found[event.seq] = opened_by(event)
        elif event.kind == VOTED:
            case = found[event.data["case"]]
            found[case.number] = replace(case, votes=(*case.votes, _vote(event)))
        else:
            found[newest[pair]] = _decided(found[newest[pair]], event)
    return [_as_of(case, now) for case in found.values()]


def opened_by(event: Event) -> Case:
    """The case that an event opened, as it stood then."""
    data = event.data
    return Case(
        event.model, data["kind"], data["subject"], data["text"], data["facts"], event.at, event.run_id, event.seq,
        due=data.get("due"),
    )  # fmt: skip


def _vote(event: Event) -> Vote:
    expires = event.data["expires"]
    until = None if expires is None else datetime.fromisoformat(expires)
    return Vote(event.actor, tuple(event.data["waives"]), until, event.data["comment"])


def _decided(case: Case, event: Event) -> Case:
    state = event.data["state"]
    if state == "APPROVED":
        case = replace(case, approved_by=event.actor, approved_at=event.at)
    return replace(case, state=state, decided_at=event.at, decided_by=event.actor, comment=event.data["comment"])


def _as_of(case: Case, now: datetime) -> Case:
    late = case.state == "OPEN" and case.due is not None and datetime.fromisoformat(case.due) <= now
    return replace(case, state="EXPIRED") if late else case
