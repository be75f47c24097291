"""Whether what the ledger and the registry hold is what was once decided: chain, pointers, digests, approvals."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_assets.core import fingerprint
from training_assets.core.bundle import dependencies
from training_assets.core.errors import InputError
from training_assets.core.evaluation.verdict import Verdict
from training_assets.governance.judging import VERDICT_CASE
from training_assets.governance.packaging import BUNDLE
from training_assets.governance.production import RELEASE_CASE
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import PRODUCTION, Releases
from training_assets.resources.signing import PUBLIC_KEY, is_asked


@dataclass(frozen=True)
class Line:
    """Something that was looked at."""

    what: str
    holds: bool
    text: str


def verify(model: Model, places: Places, registry: Registry, version: str | None) -> list[dict[str, Any]]:
    """Everything that can be checked of a model, or of one version; each line says what holds, or what does not."""
    releases = Releases(places.ledger, model.name)
    chosen = releases.versions() if version is None else {version: releases.version(version)}
    lines = [_chain(places), _pointer(releases), *_moves(places, releases)]
    for number, registered in chosen.items():
        lines += [_decision(places, model.name, number, registered), _files(registry, model.name, number, registered)]
    return [{"what": line.what, "holds": line.holds, "text": line.text} for line in lines]


def table(lines: list[dict[str, Any]]) -> str:
    """The lines, for people."""
    return "\n".join(f"  {'✓' if line['holds'] else '✗'} {line['what']}: {line['text']}" for line in lines)


def _chain(places: Places) -> Line:
    broken = places.ledger.first_broken()
    whole = "every event is what was written" if broken is None else f"event {broken} is not what was written"
    return Line("ledger", broken is None, whole)


def _pointer(releases: Releases) -> Line:
    spans, pointer = releases.spans(), releases.ledger.pointer(releases.model, PRODUCTION)
    replayed = spans[-1].version if spans else None
    said = f"replaying {len(spans)} moves gives {replayed or 'nothing'}, the pointer says {pointer or 'nothing'}"
    return Line("production", replayed == pointer, said)


def _moves(places: Places, releases: Releases) -> list[Line]:
    """Moves by approval must have their approved case."""
    lines = []
    for span in releases.spans():
        case = span.move.data.get("case")
        if span.way != "approval":
            continue
        found = None if case is None else places.reviews.case(releases.model, RELEASE_CASE, str(case))
        holds = found is not None and found.state == "APPROVED"
        by = "no approved case" if found is None or not holds else f"case {found.name}, by {found.decided_by}"
        lines.append(Line(f"move to version {span.version}", holds, by))
    return lines


def _decision(places: Places, model: str, number: str, registered: Event) -> Line:
    """One verdict PASS, or one complete approval, about this very candidate."""
    what, data = f"decision about version {number}", registered.data
    event = places.ledger.latest(model, "verdict", str(data["verdict"]))
    if event is None:
        return Line(what, False, "the ledger holds no such verdict")
    verdict = Verdict.from_json(event.data)
    bound = (verdict.digest, verdict.candidate, verdict.report, verdict.policy)
    if bound != (data["verdict"], registered.subject, data["report"], data["policy"]):
        return Line(what, False, "the verdict is about something else")
    if verdict.allows("register"):
        return Line(what, True, "verdict PASS")
    case = places.reviews.case(model, VERDICT_CASE, verdict.digest)
    holds = case is not None and case.state == "APPROVED" and data["freed_by"] == case.name
    who = "nobody" if case is None else case.decided_by
    return Line(what, holds, f"verdict {verdict.name}, approved by {who}" if holds else "no PASS and no approval")


def _files(registry: Registry, model: str, number: str, registered: Event) -> Line:
    """Files, bundle and signature of a version."""
    what = f"files of version {number}"
    with tempfile.TemporaryDirectory() as scratch:
        try:
            packed = package_of(model, registry, registered, Path(scratch), refuse_compiled=True)
        except InputError as error:
            return Line(what, False, str(error))
        bundle = fingerprint.read_json(packed / BUNDLE)
        named = {each["name"]: each["digest"]["sha256"] for each in bundle["subject"]}
        there = {name: digest for name, digest in fingerprint.digests_of(packed).items() if name != BUNDLE}
        made_from = dependencies(bundle)
        holds = named == there and made_from["candidate"] == registered.subject
    unsigned = "" if is_asked() else f" (no signature asked for; {PUBLIC_KEY} names a key)"
    return Line(what, holds, f"{len(there)} files as registered{unsigned}" if holds else "the bundle names other files")
