"""Whether what the ledger and the registry hold is what was once decided: chain, pointers, digests, approvals."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training_assets.core import fingerprint
from training_assets.core.bundle import dependencies
from training_assets.core.errors import InputError
from training_assets.core.evaluation.verdict import Verdict
from training_assets.governance.judging import VERDICT_CASE
from training_assets.governance.moving import Line, moves
from training_assets.governance.packaging import BUNDLE
from training_assets.resources.ledger import Event
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import PRODUCTION, Releases
from training_assets.resources.signing import PUBLIC_KEY, is_asked


def verify(model: str, places: Places, registry: Registry, version: str | None) -> list[dict[str, Any]]:
    """Everything that can be checked of a model, or of one version; each line says what holds, or what does not.

    Raises InputError E_VERSION for a version that is not there.
    """
    releases = Releases(places.ledger, model)
    lines = [
        _chain(places),
        *_seen("end of the ledger", _anchor, releases, registry),
        *_seen("pointers", _pointers, releases),
        *_seen("moves", moves, places, releases),
        *_seen("versions", _versions, places, releases, registry, version),
    ]
    return [{"what": line.what, "holds": line.holds, "text": line.text} for line in lines]


def table(lines: list[dict[str, Any]]) -> str:
    """The lines, for people."""
    return "\n".join(f"  {'✓' if line['holds'] else '✗'} {line['what']}: {line['text']}" for line in lines)


def _seen(what: str, look: Callable[..., list[Line]], *at: Any) -> list[Line]:
    """What was seen of a part; one that cannot be read does not hold, and keeps nobody from the others."""
    try:
        return look(*at)
    except InputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        said = f"events that it is told by cannot be read: {type(error).__name__}: {str(error)[:200]}"
        return [Line(what, False, said)]


def _chain(places: Places) -> Line:
    broken = places.ledger.first_broken()
    whole = "every event is what was written" if broken is None else f"event {broken} is not what was written"
    return Line("ledger", broken is None, whole)


def _anchor(releases: Releases, registry: Registry) -> list[Line]:
    """The registry keeps the newest move that it mirrored: a ledger that lost its end lacks it."""
    what, hashes = "end of the ledger", {event.hash: event for event in releases.ledger.events(releases.model)}
    mirrored = any(event.kind == "alias_set" for event in hashes.values())
    kept = registry.anchored(releases.model)
    if kept is None:
        text = "the registry should keep the newest move, and has none" if mirrored else "nothing has moved yet"
        return [Line(what, not mirrored, text)]
    move = hashes.get(kept)
    lost = f"the registry was told of a move {kept[:12]}, and the ledger does not hold it any more"
    there = lost if move is None else f"the registry was told of event {move.seq}, and the ledger holds it"
    return [Line(what, move is not None, there)]


def _pointers(releases: Releases) -> list[Line]:
    """Each pointer is where its moves, one after another, lead."""
    ledger, model = releases.ledger, releases.model
    pointers = ledger.pointers(model)
    moved = {str(event.data["pointer"]) for event in ledger.events(model) if event.kind.endswith("_moved")}
    lines = []
    for name in sorted({*pointers, *moved, PRODUCTION}):
        every = ledger.events(model, f"{name}_moved")
        ends = [None, *(str(move.data["to"]) for move in every)]
        follows = all(move.data["from"] == before for move, before in zip(every, ends, strict=False))
        leads, says = ends[-1] or "nothing", pointers.get(name, "nothing")
        said = f"replaying {len(every)} moves gives {leads}, the pointer says {says}"
        said += "" if follows else ", and a move does not begin where the one before ended"
        lines.append(Line(name, follows and leads == says, said))
    return lines


def _versions(places: Places, releases: Releases, registry: Registry, version: str | None) -> list[Line]:
    """Decision and files of all versions, or of one."""
    model, lines = releases.model, []
    chosen = releases.versions() if version is None else {version: releases.version(version)}
    for number, registered in chosen.items():
        lines += _seen(f"decision about version {number}", _decision, places, model, number, registered)
        lines += _seen(f"files of version {number}", _files, registry, model, number, registered)
    return lines


def _decision(places: Places, model: str, number: str, registered: Event) -> list[Line]:
    """One verdict PASS, or one complete approval, about this very candidate."""
    what, data = f"decision about version {number}", registered.data
    event = places.ledger.latest(model, "verdict", str(data["verdict"]))
    if event is None:
        return [Line(what, False, "the ledger holds no such verdict")]
    verdict = Verdict.from_json(event.data)
    bound = (verdict.digest, verdict.candidate, verdict.report, verdict.policy)
    if bound != (data["verdict"], registered.subject, data["report"], data["policy"]):
        return [Line(what, False, "the verdict is about something else")]
    if verdict.allows("register"):
        return [Line(what, True, "verdict PASS")]
    case = places.reviews.approved_before(model, VERDICT_CASE, verdict.digest, registered.at)
    holds = case is not None and data["freed_by"] == case.name
    who = "nobody" if case is None else case.approved_by
    return [Line(what, holds, f"verdict {verdict.name}, approved by {who}" if holds else "no PASS and no approval")]


def _files(registry: Registry, model: str, number: str, registered: Event) -> list[Line]:
    """Files, bundle and signature of a version."""
    what = f"files of version {number}"
    with tempfile.TemporaryDirectory() as scratch:
        try:
            packed = package_of(model, registry, registered, Path(scratch), refuse_compiled=True)
        except InputError as error:
            return [Line(what, False, str(error))]
        bundle = fingerprint.read_json(packed / BUNDLE)
        named = {each["name"]: each["digest"]["sha256"] for each in bundle["subject"]}
        there = {name: digest for name, digest in fingerprint.digests_of(packed).items() if name != BUNDLE}
        made_from = dependencies(bundle)
        holds = named == there and made_from["candidate"] == registered.subject
    unsigned = "" if is_asked() else f" (no signature asked for; {PUBLIC_KEY} names a key)"
    text = f"{len(there)} files as registered{unsigned}" if holds else "the bundle names other files"
    return [Line(what, holds, text)]
