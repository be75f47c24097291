"""A person's decision about a case, whichever way it comes: the command line, a job's form, or a file in Git."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from training_assets.core.errors import InputError
from training_assets.core.release.approvals import Vote, may_vote
from training_assets.governance.judging import VERDICT_CASE, anew
from training_assets.governance.production import RELEASE_CASE
from training_assets.resources.aliases import ALIAS_CASE, Aliases
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.reviews import ONE
from training_assets.resources.schema_cases import SCHEMA
from training_assets.spec.release import Approvals

RELEASING = (VERDICT_CASE, RELEASE_CASE)
"""Cases that the spec's approvals hold for; a single yes decides the others."""


@dataclass(frozen=True)
class Decision:
    """What somebody says of a case."""

    says: Literal["approve", "reject"]
    by: str
    comment: str
    waives: Sequence[str] = ()
    until: datetime | None = None

    @property
    def vote(self) -> Vote:
        """The yes that it is, where it is one."""
        return Vote(self.by, tuple(sorted(set(self.waives))), self.until, self.comment)


def asked_of(model: Model, case: Case) -> Approvals:
    """Who has to agree to a case."""
    return model.spec.release.approvals if case.kind in RELEASING else ONE


def require_decidable(model: Model, places: Places, case: Case, said: Decision) -> None:
    """Raise InputError E_CASE where a case is not open, or nobody says who and why; it names what asks anew."""
    lapsed = case.lapsed(model.spec.release.approvals, places.ledger.now()) if case.kind in RELEASING else None
    if lapsed is not None:
        how = f"training-assets promote {model.name} {case.facts.get('version')} asks anew"
        how = anew(model.name) if case.kind == VERDICT_CASE else how
        message = f"case {case.name} was approved by {case.decided_by}, and needs {lapsed} now; {how}"
        raise InputError("E_CASE", message)
    places.reviews.require_decidable(case, actor=said.by, comment=said.comment)


def decide(
    model: Model,
    places: Places,
    registry: Registry,
    case: Case,
    said: Decision,
    *,
    run_id: str = "",
    is_committed: bool = False,
) -> Case:
    """Take a decision down, and give the case as it stands then: approved, rejected, or still open for others.

    Raises InputError E_CASE where the case is not open, nobody says who and why, this person's word does not count, or
    a changed schema is approved that the caller has not committed to the spec's file.
    """
    if (case.kind, said.says) == (SCHEMA, "approve") and not is_committed:
        command = f"training-assets review {model.name} {case.name} --approve --comment TEXT"
        raise InputError("E_CASE", f"case {case.name}: a changed schema is committed to the spec's file: {command}")
    require_decidable(model, places, case, said)
    asked = asked_of(model, case)
    by = {"actor": said.by, "comment": said.comment, "run_id": run_id}
    if said.says == "reject":
        listed = may_vote(said.vote, asked, launched_by=None)  # who launched a run may withdraw it
        if listed is not None:
            raise InputError("E_CASE", f"case {case.name}: {listed}")
        return places.reviews.decide(case, "REJECTED", **by)
    if case.overridden and (said.until is not None and said.until <= places.ledger.now()):
        raise InputError("E_CASE", f"case {case.name}: a waiver has to end in the future")
    return _done(places, registry, places.reviews.agree(case, asked, waives=said.waives, until=said.until, **by))


def close_agreed(model: Model, places: Places, registry: Registry) -> list[Case]:
    """Approve the open cases whose votes are enough: the last voter's process died, or fewer are asked for since."""
    waiting = [case for case in places.reviews.cases(model.name) if case.state == "OPEN"]
    cases = [places.reviews.complete(case, asked_of(model, case)) for case in waiting]
    return [_done(places, registry, case) for case in cases if case.state != "OPEN"]


def _done(places: Places, registry: Registry, case: Case) -> Case:
    """The case, once what its approval frees at once is done."""
    if (case.kind, case.state) == (ALIAS_CASE, "APPROVED"):
        Aliases(places, registry, case.model).restore()
    return case
