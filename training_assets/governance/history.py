"""What happened to a model, and what was live when, told from the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event, Ledger
from training_assets.resources.releases import Releases, Span
from training_assets.resources.retractions import ERASED, RESTORED, RETRACTED

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
    RETRACTED: "batch retracted",
    RESTORED: "batch restored",
    ERASED: "rows of a batch erased",
    "delivered": "delivered",
    "delivery_failed": "delivery failed",
}
"""Kinds of events that a history tells, in words."""


def history(ledger: Ledger, model: str) -> list[dict[str, Any]]:
    """Everything that the ledger tells of a model, oldest first."""
    return [
        {
            "seq": event.seq, "at": event.at, "kind": event.kind, "subject": event.subject, "actor": event.actor,
            "run_id": event.run_id, "text": _sentence(event), "data": dict(event.data), "hash": event.hash,
        }
        for event in ledger.events(model)
        if event.kind in TOLD
    ]  # fmt: skip


def who_was_live(ledger: Ledger, model: str, at: datetime | None) -> dict[str, Any]:
    """The spans of all live versions, and the one that a moment lies in (now, where none is given).

    Raises InputError E_TIME for a moment that is still to come.
    """
    releases, now = Releases(ledger, model), ledger.now()
    when = now if at is None else at
    if when > now:
        message = f"{when:%Y-%m-%d %H:%M} is still to come, and nobody knows what is live then; ask for an earlier one"
        raise InputError("E_TIME", message)
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
