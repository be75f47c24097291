"""A person's decision about a case, whichever way it comes: the command line, a job's form, or a file in Git."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from training_assets.core.errors import InputError
from training_assets.core.release.approvals import Vote, may_vote
from training_assets.governance.judging import VERDICT_CASE
from training_assets.governance.production import RELEASE_CASE
from training_assets.resources.aliases import ALIAS_CASE, Aliases
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.reviews import ONE, Case
from training_assets.resources.schema_cases import SCHEMA

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
    asked = model.spec.release.approvals if case.kind in RELEASING else ONE
    by = {"actor": said.by, "comment": said.comment, "run_id": run_id}
    if said.says == "reject":
        listed = may_vote(Vote(said.by), asked, launched_by=None)  # who launched a run may withdraw it
        if listed is not None:
            raise InputError("E_CASE", f"case {case.name}: {listed}")
        return places.reviews.decide(case, "REJECTED", **by)
    if case.overridden and (said.until is not None and said.until <= places.ledger.now()):
        raise InputError("E_CASE", f"case {case.name}: a waiver has to end in the future")
    decided = places.reviews.agree(case, asked, waives=said.waives, until=said.until, **by)
    if (decided.kind, decided.state) == (ALIAS_CASE, "APPROVED"):
        Aliases(places, registry, model.name).restore()
    return decided
