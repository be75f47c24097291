"""Promotion, rollback, and what was live when."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from training_assets.assets.cases import show_cases
from training_assets.assets.live import LIVE, show_live
from training_assets.cli.launching import FAILED, PASSED, REVIEW, execute
from training_assets.cli.progress import Progress
from training_assets.cli.project import Project, open_project
from training_assets.core.errors import InputError
from training_assets.core.release.dates import moment
from training_assets.governance.production import RELEASE_CASE, application
from training_assets.governance.reproducing import reproduce
from training_assets.governance.rollback import roll_back
from training_assets.resources.ledger import Event
from training_assets.resources.outbox import Outbox
from training_assets.resources.releases import STAGING, Releases, Span

TOLD = {
    "batch_judged": "batch carried to a verdict",
    "verdict": "verdict",
    "registered": "registered",
    "parity": "proved in staging",
    "staging_moved": "staging moved",
    "production_moved": "production moved",
    "case_opened": "case opened",
    "case_voted": "somebody agreed",
    "case_decided": "case decided",
    "retracted": "batch retracted",
    "restored": "batch restored",
    "delivered": "delivered",
    "delivery_failed": "delivery failed",
}
"""Kinds of events that a history tells, in words."""


def promote(model: str, number: str | None, *, by: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Promote staging's version, or another one, as the UI's job does; a case is opened where people must agree."""
    with open_project() as project:
        project.require(model)
        releases = Releases(project.places.ledger, model)
        wanted = number or project.places.ledger.pointer(model, STAGING)
        if wanted is None:
            raise InputError(
                "E_VERSION", f"{model} has no version in staging yet; start with training-assets run {model}"
            )
        releases.version(wanted)
        live = releases.live()
        if live is not None and live.data["to"] == wanted:
            return {
                "model": model,
                "version": wanted,
                "live": wanted,
                "case": None,
                "problems": [],
                "exit_status": PASSED,
            }
        return promoted(project, model, wanted, by=by, say=say)


def promoted(project: Project, model: str, number: str, *, by: str, say: Callable[[str], None]) -> dict[str, Any]:
    """What came of the job that promotes a version."""
    progress = Progress(say)
    config = {"ops": {LIVE: {"config": {"version": number}}}}
    done = execute(project, f"{model}_promote", config, progress, by=by)
    live = project.places.ledger.pointer(model, "production")
    waiting = [
        case.name
        for case in project.places.reviews.cases(model)
        if (case.kind, case.state, case.facts.get("version")) == (RELEASE_CASE, "OPEN", number)
    ]
    status = PASSED if done.success else REVIEW if waiting else FAILED
    return {
        "model": model, "version": number, "live": live, "case": waiting[-1] if waiting and not done.success else None,
        "problems": progress.problems, "exit_status": status,
    }  # fmt: skip


def free_by_policy(project: Project, model: str) -> str | None:
    """Staging's version, where it may go to production without a person and is not there yet."""
    releases, staged = Releases(project.places.ledger, model), project.places.ledger.pointer(model, STAGING)
    live = releases.live()
    if staged is None or (live is not None and live.data["to"] == staged):
        return None
    try:
        asked = application(project.models.named(model), project.places, project.artifacts, staged)
    except InputError:
        return None  # the promotion itself says why, when somebody asks for it
    return staged if asked.way is not None else None


def rollback(model: str, to: str | None, *, reason: str, by: str) -> dict[str, Any]:
    """Bring an earlier version back, and say what moved."""
    with open_project() as project:
        project.require(model)
        outside = project.definitions.resources or {}
        moved = roll_back(
            project.models.named(model), project.places, project.artifacts, outside["registry"],
            to=to, reason=reason, actor=by, run_id=f"command-{uuid.uuid4()}",
        )  # fmt: skip
        show_cases(project.instance, project.places, model)
        show_live(project.instance, model, moved)
        said: list[str] = []
        outbox = Outbox(project.models.named(model), project.places, outside["registry"])
        outbox.send(run_id=moved.run_id, say=said.append, at_once=True)
        return {"model": model, "deliveries": said, "at": moved.at, "by": moved.actor, **_told(moved)}


def reproduced(model: str, number: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Build a version again, and say how equal it is."""
    with open_project() as project:
        project.require(model)
        registered = Releases(project.places.ledger, model).version(number)
        registry = (project.definitions.resources or {})["registry"]
        found = reproduce(project.models.named(model), project.places, project.artifacts, registry, registered, say=say)
        return {"model": model, "version": number, **asdict(found)}


def history(model: str) -> list[dict[str, Any]]:
    """Everything that the ledger tells of a model, oldest first."""
    with open_project() as project:
        project.require(model)
        return [
            {
                "seq": event.seq, "at": event.at, "kind": event.kind, "subject": event.subject, "actor": event.actor,
                "run_id": event.run_id, "text": _sentence(event), "data": dict(event.data), "hash": event.hash,
            }
            for event in project.places.ledger.events(model)
            if event.kind in TOLD
        ]  # fmt: skip


def who_was_live(model: str, at: str | None) -> dict[str, Any]:
    """The spans of all live versions, and the one that a moment lies in (now, where none is given)."""
    with open_project() as project:
        project.require(model)
        releases, when = Releases(project.places.ledger, model), datetime.now(UTC) if at is None else moment(at)
        found = releases.live_at(when)
        return {
            "model": model,
            "at": when.isoformat(timespec="seconds"),
            "version": None if found is None else found.version,
            "span": None if found is None else _span(found),
            "spans": [_span(span) for span in releases.spans()],
        }


def history_table(lines: list[dict[str, Any]]) -> str:
    """The history, for people."""
    return "\n".join(f"{line['at'][:19]}  {line['text']}" for line in lines) or "nothing has happened yet"


def live_table(found: dict[str, Any]) -> str:
    """Who was live, for people."""
    version = found["version"]
    first = f"{found['model']}: {'nothing' if version is None else f'version {version}'} was live at {found['at']}"
    return "\n".join(
        [
            first,
            *(
                f"  version {span['version']:<4}{span['since'][:19]} to {(span['until'] or 'now')[:19]:<21}"
                f"{span['way']}, {span['by']}: {span['reason']}"
                for span in found["spans"]
            ),
        ]
    )


def _span(span: Span) -> dict[str, Any]:
    return {
        "version": span.version, "since": span.since, "until": span.until, "way": span.way,
        "by": span.move.actor, "reason": span.move.data["reason"],
    }  # fmt: skip


def _told(moved: Event) -> dict[str, Any]:
    return {name: moved.data[name] for name in ("from", "to", "way", "reason", "frozen_until") if name in moved.data}


def _sentence(event: Event) -> str:
    """One event in words."""
    data, said = event.data, TOLD[event.kind]
    if event.kind == "verdict":
        return f"{said} on candidate {str(data['candidate'])[:12]}: {data['explanation']}"
    if event.kind == "registered":
        return f"{said}: version {data['version']}, candidate {event.subject[:12]}, dataset {data['dataset_version']}"
    if event.kind.endswith("_moved"):
        before = "nothing" if data["from"] is None else f"version {data['from']}"
        how = f" by {data['way']}" if "way" in data else ""
        return f"{said} from {before} to version {data['to']}{how}, {event.actor}: {data.get('reason', '')}"
    if event.kind.startswith("case_"):
        state = f" {data['state'].lower()}" if "state" in data else ""
        why = data.get("comment") or data.get("text", "")
        return f"{said}: {data['kind']}-{data['subject'][:12]}{state}, {event.actor}: {why}"
    if event.kind == "parity":
        return f"{said}: version {data['version']}, scores differ by {data['largest_difference']:g} at most"
    what = data.get("name") or data.get("target") or event.subject[:12]
    return f"{said}: {what}, {event.actor}: {data.get('because') or data.get('reason') or ''}"
