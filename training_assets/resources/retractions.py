"""Batches that a person took back: what is left out of every later dataset version, and which versions saw it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.resources import batch_statistics
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.ledger import Event, Ledger
from training_assets.resources.places import Places

RETRACTED, RESTORED, ERASED = "batch_retracted", "batch_restored", "batch_erased"
SORTED = "validated/"
"""What the kind of the event of a sorted batch begins with; the digest of the schema follows."""
# Fewer digits of a digest are likelier a slip than a name.
LEAST_DIGITS = 6


@dataclass(frozen=True)
class Batch:
    """A batch by its digest and the name that it arrived under."""

    digest: str
    name: str


@dataclass(frozen=True)
class Release:
    """A registered version whose training saw a batch, and where it stands now."""

    version: str
    stands: str
    dataset_version: str
    registered_at: str

    def to_json(self) -> dict[str, Any]:
        """The release as JSON values."""
        return asdict(self)


def retracted(ledger: Ledger, model: str) -> set[str]:
    """Digests of the batches that are taken back at this moment."""
    gone: set[str] = set()
    events = [event for kind in (RESTORED, RETRACTED) for event in ledger.events(model, kind)]
    for event in sorted(events, key=lambda event: event.seq):
        (gone.add if event.kind == RETRACTED else gone.discard)(event.subject)
    return gone


def erased(ledger: Ledger, model: str) -> set[str]:
    """Digests of the batches whose rows are to be in no table."""
    return retracted(ledger, model) & {event.subject for event in ledger.events(model, ERASED)}


def retractions(ledger: Ledger, model: str) -> list[Event]:
    """The newest retraction of each batch that is taken back, oldest first."""
    gone = retracted(ledger, model)
    newest = {event.subject: event for event in ledger.events(model, RETRACTED) if event.subject in gone}
    return sorted(newest.values(), key=lambda event: event.seq)


def batch_named(ledger: Ledger, model: str, name: str) -> Batch:
    """The one batch of a file name or a digest's beginning; raises InputError `E_BATCH` for none or several."""
    known = {event.subject: str(event.data["name"]) for event in ledger.events(model, "batch_ingested")}
    found = {digest: each for digest, each in known.items() if name in {each, digest}}
    if not found and len(name) >= LEAST_DIGITS:
        found = {digest: each for digest, each in known.items() if digest.startswith(name)}
    if len(found) == 1:
        return Batch(*next(iter(found.items())))
    if found:
        which = ", ".join(digest[:12] for digest in list(found)[:10])
        message = f"{len(found)} batches of {model} are called {excerpt(name)}; name one by its digest: {which}"
    else:
        names = listed(dict.fromkeys(known.values()), 8) if known else "none yet"
        message = f"no batch of {model} is called {excerpt(name)} or has a digest that starts so; batches: {names}"
    raise InputError("E_BATCH", message)


def retract(ledger: Ledger, model: str, batch: Batch, data: Mapping[str, Any], *, because: str, actor: str) -> Event:
    """Take a batch back, once; raises InputError `E_BATCH` without a reason."""
    if not because.strip():
        message = f"say why {batch.name} is taken back: --because TEXT"
        raise InputError("E_BATCH", message)
    known = ledger.latest(model, RETRACTED, batch.digest)
    if known is not None and batch.digest in retracted(ledger, model):
        return known
    facts = {"name": batch.name, "because": because, **data}
    return ledger.record(
        model, RETRACTED, batch.digest, facts, run_id="", actor=actor, once=_once(ledger, model, RETRACTED, batch)
    )


def restore(ledger: Ledger, model: str, batch: Batch, *, because: str, actor: str) -> Event:
    """Take a retraction back; raises InputError `E_BATCH` where there is none, or the rows are erased."""
    if batch.digest not in retracted(ledger, model):
        message = f"{batch.name} of {model} is not retracted"
        raise InputError("E_BATCH", message)
    if ledger.events(model, ERASED, batch.digest):
        message = f"the rows of {batch.name} were erased; deliver them again, in another file"
        raise InputError("E_BATCH", message)
    facts = {"name": batch.name, "because": because}
    return ledger.record(
        model, RESTORED, batch.digest, facts, run_id="", actor=actor, once=_once(ledger, model, RESTORED, batch)
    )


def erase_rows(places: Places, artifacts: Artifacts, model: str, batches: Collection[str]) -> dict[str, int]:
    """Remove the rows of batches from every table of a model, and what was counted in them, for good; rows by table."""
    tables, counts = places.tables, dict[str, int]()
    logs = (tables.folder / model).glob("*/_delta_log") if batches else ()
    for table in sorted(log.parent.name for log in logs):
        for batch in tables.held(model, table) & set(batches):
            counts[table] = counts.get(table, 0) + tables.erase(model, table, batch)
    for batch in batches:
        kinds = {event.kind for event in places.ledger.events(model, subject=batch)}
        schemas = [kind.removeprefix(SORTED) for kind in kinds if kind.startswith(SORTED)]
        batch_statistics.erase(artifacts, model, schemas, batch)
    return {table: rows for table, rows in counts.items() if rows}


def _once(ledger: Ledger, model: str, kind: str, batch: Batch) -> str:
    """A key that two commands at the same time share, and that the next round does not."""
    rounds = len(ledger.events(model, RESTORED, batch.digest))
    return f"{model}/{kind}/{batch.digest}/{rounds}"
