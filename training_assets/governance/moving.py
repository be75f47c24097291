"""Whether each move of production was allowed when it was made, by what the ledger says had happened before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from training_assets.core.evaluation.verdict import Verdict
from training_assets.governance.production import RELEASE_CASE
from training_assets.resources.ledger import Event
from training_assets.resources.places import Places
from training_assets.resources.releases import Releases, pulled_by
from training_assets.spec.release import Approvals


@dataclass(frozen=True)
class Line:
    """Something that was looked at."""

    what: str
    holds: bool
    text: str


def moves(places: Places, releases: Releases) -> list[Line]:
    """Each move, with who let it happen, or why it should not have happened."""
    every, versions = releases.moves(), releases.versions()
    lines = []
    for place, move in enumerate(every):
        number = str(move.data["to"])
        allowed, text = _judged(places, move, versions.get(number), every[:place])
        lines.append(Line(f"move to version {number}", allowed, text))
    return lines


def _judged(places: Places, move: Event, registered: Event | None, before: list[Event]) -> tuple[bool, str]:
    """Whether a move was allowed, and by what or why not."""
    if registered is None or registered.hash != move.data.get("registration"):
        return False, "it names no registration of such a version"
    proved = places.ledger.events(move.model, "parity", registered.subject)
    if move.data["candidate"] != registered.subject or not any(event.seq < move.seq for event in proved):
        return False, "the version was not proved before"
    way = str(move.data["way"])
    if way == "approval":
        return _by_approval(places, move)
    if way == "policy":
        refusal = _no_policy(places, move, before)
        return refusal is None, refusal or f"by policy: verdict PASS; set off by {move.actor}"
    if way == "rollback":
        refusal = _no_rollback(move, before)
        return refusal is None, refusal or f"rolled back by {move.actor}: {move.data['reason']}"
    return False, f"no way to production is called {way[:40]!r}"


def _by_approval(places: Places, move: Event) -> tuple[bool, str]:
    """A complete approval, by what was asked then, of a case about this very version."""
    named = move.data.get("case")
    case = None if named is None else places.reviews.approved_before(move.model, RELEASE_CASE, str(named), move.at)
    if case is None:
        return False, "no approved case"
    if (str(case.facts["version"]), case.facts["candidate"]) != (str(move.data["to"]), move.data["candidate"]):
        return False, f"case {case.name} is about another version"
    asked = Approvals.model_validate(move.data.get("asked", {}))
    lacks = case.lacks(asked, datetime.fromisoformat(move.at))
    if lacks is not None:
        return False, f"case {case.name} lacks {lacks}"
    return True, f"case {case.name}, by {case.approved_by}"


def _no_policy(places: Places, move: Event, before: list[Event]) -> str | None:
    """Why policy alone did not let a move happen, where it did not."""
    verdict = places.ledger.latest(move.model, "verdict", str(move.data.get("verdict")))
    if verdict is None or verdict.seq > move.seq or verdict.data["candidate"] != move.data["candidate"]:
        return "there is no verdict about it that policy could go by"
    said = Verdict.from_json(verdict.data)
    if not said.allows("register") or said.digest != verdict.subject:
        return f"policy does not let {said.name} through"
    if not before:
        return "policy does not let the first version through"
    if str(move.data["to"]) in pulled_by(before):
        return "policy does not let a version through that was rolled back"
    ends = [str(each.data["frozen_until"]) for each in before if each.data["way"] == "rollback"]
    if ends and datetime.fromisoformat(move.at) < datetime.fromisoformat(ends[-1]):
        return f"policy was frozen until {ends[-1]}"
    return None


def _no_rollback(move: Event, before: list[Event]) -> str | None:
    """Why a move was no rollback, where it was none."""
    number = str(move.data["to"])
    if number not in {str(each.data["to"]) for each in before} or number in pulled_by(before):
        return "a rollback goes to a version that was live before and not rolled back itself"
    return None if str(move.data["reason"]).strip() else "a rollback says why"
