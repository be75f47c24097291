"""Taking a batch back, and the releases that saw it."""

from __future__ import annotations

from typing import Any

from training_assets.assets.tuning import TUNED
from training_assets.cli.project import Project, open_project
from training_assets.resources.retractions import (
    ERASED,
    SORTED,
    Batch,
    Release,
    batch_named,
    erase_rows,
    restore,
    retract,
)

POINTERS = ("production", "staging")


def take_back(model: str, name: str, *, because: str, by: str, undo: bool, erase: bool) -> dict[str, Any]:
    """Retract a batch (or take that back), and say which releases saw it; `erase` removes its rows from all tables.

    Raises InputError E_BATCH where the batch is not known, no reason is given, or there is nothing to take back.
    """
    with open_project() as project:
        project.require(model)
        ledger = project.places.ledger
        batch = batch_named(ledger, model, name)
        releases, unknown = releases_with(project, model, batch)
        rows = _rows(project, model, batch)
        if undo:
            event = restore(ledger, model, batch, because=because, actor=by)
        else:
            seen = {"rows": rows, "versions": [release.version for release in releases]}
            event = retract(ledger, model, batch, seen, because=because, actor=by)
        said: dict[str, Any] = {
            "model": model,
            "batch": batch.digest,
            "name": batch.name,
            "rows": rows,
            "kind": event.kind,
        }
        said |= {"at": event.at, "by": event.actor, "because": event.data["because"]}
        said |= {"releases": [release.to_json() for release in releases], "unknown_versions": unknown}
        return {**said, **(_erase(project, model, batch, by) if erase and not undo else {})}


def releases_with(project: Project, model: str, batch: Batch) -> tuple[list[Release], list[str]]:
    """Registered versions whose training rows hold a batch, and those of which that is not known any more."""
    ledger = project.places.ledger
    points = {name: ledger.pointer(model, name) for name in POINTERS}
    found, unknown = [], []
    for event in ledger.events(model, "registered"):
        version = str(event.data["version"])
        tuned = project.artifacts.of_run(model, str(event.data["trained_in"]), TUNED)
        if tuned is None:
            unknown.append(version)
        elif batch.digest in tuned.artifact.facts["lineage"]["batches"]:
            stands = " and ".join(name for name, at in points.items() if at == version) or "registered"
            found.append(Release(version, stands, str(event.data["dataset_version"]), event.at))
    return found, unknown


def _rows(project: Project, model: str, batch: Batch) -> int | None:
    """How many rows of a batch were sound when it was last sorted; none where it never was."""
    events = project.places.ledger.events(model, subject=batch.digest)
    kept = [event.data["kept"] for event in events if event.kind.startswith(SORTED)]
    return int(kept[-1]) if kept else None


def _erase(project: Project, model: str, batch: Batch, by: str) -> dict[str, Any]:
    """Remove a batch's rows from every table of a model, and what was counted in them, for good."""
    erased = erase_rows(project.places, project.artifacts, model, [batch.digest])
    project.places.ledger.record(
        model, ERASED, batch.digest, {"name": batch.name, "tables": erased}, run_id="", actor=by
    )
    return {"erased": erased}


def sentence(said: dict[str, Any]) -> str:
    """What was done, for people."""
    batch = f"{said['name']} ({said['batch'][:12]})"
    rows = "never sorted" if said["rows"] is None else f"{said['rows']:,} sound rows"
    if said["kind"] == "batch_restored":
        done = f"{said['model']}: {batch} counts again ({rows}), by {said['by']}"
        return f"{done}\nnext: training-assets run {said['model']}"
    lines = [f"{said['model']}: {batch} is retracted ({rows}), by {said['by']}: {said['because']}"]
    lines += [
        f"  version {release['version']} ({release['stands']}) was trained on it: dataset "
        f"{release['dataset_version']}, registered {release['registered_at']}"
        for release in said["releases"]
    ]
    lines += ["  no registered version was trained on it"] if not said["releases"] else []
    if said["unknown_versions"]:
        lines.append(f"  not known of version {', '.join(said['unknown_versions'])}: the artifacts are gone")
    if "erased" in said:
        counts = ", ".join(f"{table} {count:,}" for table, count in said["erased"].items()) or "none were there"
        lines.append(f"  erased from the tables: {counts}")
        lines.append("  its file, and the artifacts of runs and versions that were made from it, are yours to delete")
    return "\n".join([*lines, f"next: training-assets run {said['model']} trains without it"])
