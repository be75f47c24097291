"""Review cases: what waits for a person, and what the person decided; kept as events of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from training_assets.core.errors import InputError
from training_assets.core.release.approvals import Vote, may_vote
from training_assets.resources.cases import DECIDED, OPENED, VOTED, Case, State, told_by
from training_assets.resources.ledger import Event, Ledger
from training_assets.spec.release import Approvals

ONE = Approvals()
"""One yes of anybody: what questions need that are no release."""


@dataclass(frozen=True)
class Reviews:
    """The cases of all models; at most one is open for a kind and subject, whoever asks."""

    ledger: Ledger

    def open(
        self,
        model: str,
        kind: str,
        subject: str,
        text: str,
        facts: Mapping[str, Any],
        *,
        run_id: str,
        actor: str,
        due_days: float | None = None,
        asked: Approvals | None = None,
    ) -> Case:
        """The case of a subject: opened now, or the one there is; a decision taken before stands.

        One that expired, or was superseded, is asked anew; so is one whose approval is not complete any more by what is
        `asked` now, and expires with that.
        """
        known = self.case(model, kind, subject)
        lapsed = None if known is None or asked is None else known.lapsed(asked, self.ledger.now())
        if known is not None and known.state == "EXPIRED":
            self._close(known, "EXPIRED", comment=f"nobody decided until {known.due}", actor="clock", run_id=run_id)
        elif known is not None and lapsed is not None:
            why = f"approved by {known.decided_by}, and needs {lapsed} now"
            self._close(known, "EXPIRED", comment=why, actor="clock", run_id=run_id, again="/lapsed")
        elif known is not None and known.state != "SUPERSEDED":
            return known
        asked_anew = ("SUPERSEDED", "EXPIRED")
        rounds = sum(event.data["state"] in asked_anew for event in self._of(model, DECIDED, kind, subject))
        due = None if due_days is None else (self.ledger.now() + timedelta(days=due_days)).isoformat(timespec="seconds")
        data = {"kind": kind, "subject": subject, "text": text, "facts": dict(facts), "due": due}
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
        event = self._close(now, state, comment=comment, actor=actor, run_id=run_id)
        if (event.actor, event.data["state"]) != (actor, state):
            raise InputError("E_CASE", f"case {case.name} was decided by {event.actor} at the same time")
        return self._again(now)

    def agree(
        self,
        case: Case,
        asked: Approvals,
        *,
        actor: str,
        comment: str,
        waives: Sequence[str] = (),
        until: datetime | None = None,
        run_id: str = "",
    ) -> Case:
        """Somebody's yes to an open case; it is approved with the one that makes the approval complete.

        Said again, it is not taken down again. Raises InputError E_CASE where the case is not open, or this person's
        yes does not count, or changes nothing, and says why.
        """
        now = self.require_decidable(case, actor=actor, comment=comment)
        vote = Vote(actor, tuple(sorted(set(waives))), until, comment)
        if refusal := may_vote(vote, asked, launched_by=now.launched_by):
            raise InputError("E_CASE", f"case {case.name}: {refusal}")
        if unknown := set(waives) - set(now.overridden):
            known = ", ".join(now.overridden) or "none"
            message = f"case {case.name}: no failed rule is named {min(unknown)[:80]!r}; those to waive: {known}"
            raise InputError("E_CASE", message)
        if vote not in now.votes:
            data = {"kind": case.kind, "subject": case.subject, "case": now.number, "comment": comment}
            data |= {"waives": list(vote.waives), "expires": None if until is None else until.isoformat()}
            self.ledger.record(
                case.model, VOTED, f"{case.kind}:{case.subject}", data, run_id=run_id, actor=actor,
                once=f"{case.model}/{VOTED}/{now.number}/{len(now.votes)}/{actor}",
            )  # fmt: skip
        elif lacks := now.lacks(asked, self.ledger.now()):
            raise InputError("E_CASE", f"case {case.name}: {actor} agreed to this already; it still needs {lacks}")
        return self.complete(self._again(now), asked, run_id=run_id)

    def complete(self, case: Case, asked: Approvals, *, run_id: str = "") -> Case:
        """The case, approved by the last vote that counts where it is open and its votes are enough."""
        if case.state != "OPEN" or case.lacks(asked, self.ledger.now()) is not None:
            return case
        last = next(vote for vote in reversed(case.votes) if case.counts(vote, asked))
        self._close(case, "APPROVED", comment=last.comment, actor=last.actor, run_id=run_id)
        return self._again(case)

    def supersede(self, model: str, kind: str, *, but: str | None, because: str, run_id: str, actor: str) -> None:
        """Close the open cases of a kind but that of one subject: they ask about what is not so any more."""
        for case in self.cases(model):
            if case.kind == kind and case.state == "OPEN" and case.subject != but:
                self.decide(case, "SUPERSEDED", actor=actor, comment=because, run_id=run_id)

    def approval(self, model: str, kind: str, subject: str, asked: Approvals) -> Case | None:
        """The approved case of a subject, where its approval is complete by what is asked now; none where it is not.

        Roles may have changed since it was decided, and a waiver ends: whatever cannot be taken back asks again.
        """
        case = self.case(model, kind, subject)
        if case is None or case.state != "APPROVED" or case.lapsed(asked, self.ledger.now()) is not None:
            return None
        return case

    def approved_before(self, model: str, kind: str, subject: str, moment: str) -> Case | None:
        """The newest case of a subject that people had approved by then, also where its approval has ended since."""
        found = [each for each in self.cases(model) if (each.kind, each.subject) == (kind, subject)]
        return next((each for each in reversed(found) if each.approved_at and each.approved_at <= moment), None)

    def _again(self, case: Case) -> Case:
        """A case as it stands now; events are never removed, so it is there."""
        return next(each for each in self.cases(case.model) if each.number == case.number)

    def _close(self, case: Case, state: State, *, comment: str, actor: str, run_id: str, again: str = "") -> Event:
        data = {"kind": case.kind, "subject": case.subject, "state": state, "comment": comment}
        return self.ledger.record(
            case.model, DECIDED, f"{case.kind}:{case.subject}", data, run_id=run_id, actor=actor,
            once=f"{case.model}/{DECIDED}/{case.kind}/{case.subject}/{case.number}{again}",
        )  # fmt: skip

    def require_decidable(self, case: Case, *, actor: str, comment: str) -> Case:
        """The case as it stands; raises InputError E_CASE where it is not open, or actor or comment are missing."""
        now = self.case(case.model, case.kind, case.subject)
        if now is None or now.state != "OPEN":
            by = "" if now is None or now.decided_by is None else f", by {now.decided_by}"
            what = "does not exist" if now is None else f"is {now.state.lower()} already{by}"
            raise InputError("E_CASE", f"case {case.name} {what}")
        if not actor.strip() or not comment.strip():
            raise InputError("E_CASE", f"case {case.name}: say who decides, and why (--comment TEXT)")
        return now

    def case(self, model: str, kind: str, subject: str) -> Case | None:
        """The newest case of a kind and subject."""
        found = [case for case in self.cases(model) if (case.kind, case.subject) == (kind, subject)]
        return found[-1] if found else None

    def named(self, model: str, name: str) -> Case:
        """The newest case whose name starts with a text, open ones first; InputError E_CASE for none or several."""
        every = {case.name: case for case in self.cases(model) if case.name.startswith(name)}
        found = {name: case for name, case in every.items() if case.state == "OPEN"} or every
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
        events = (event for kind in (OPENED, VOTED, DECIDED) for event in self.ledger.events(model, kind))
        return told_by(events, self.ledger.now())

    def _of(self, model: str, event_kind: str, kind: str, subject: str) -> list[Event]:
        return self.ledger.events(model, event_kind, f"{kind}:{subject}")
