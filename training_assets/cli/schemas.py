"""The committed schema against what the present rows show, and committing the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from training_assets.assets.intake import Standing, raw_table
from training_assets.cli.accepting import accept_changes
from training_assets.cli.project import Project, open_project
from training_assets.core.errors import InputError
from training_assets.core.inference.files import MOST_BYTES
from training_assets.core.inference.own_columns import has_own_columns, own_rows
from training_assets.core.inference.schema_review import Review, review
from training_assets.core.ingestion.databases.reader import query_rows
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.validation.changes import Change
from training_assets.resources.retractions import retracted
from training_assets.spec import ModelSpec

SAME, DIFFERS = 0, 3


def schema(model: str, *, accept: bool, only: Sequence[str], by: str) -> dict[str, Any]:
    """The differences of the present rows from the committed schema; with `accept`, commit them to the spec's file.

    Rows so few that they merely go to quarantine (strays) are not accepted unless `only` names their column. Raises
    InputError E_MISSING where there are no rows, E_SCHEMA where nothing can be accepted, E_SPEC where the accepted
    columns would make no sound spec.
    """
    with open_project() as project:
        project.require(model)
        spec = project.models.specs[model]
        found, notes = _compared(project, model, spec)
        told = _told(model, spec, found, notes)
        if not accept:
            return told
        limit = spec.validation.max_quarantined
        chosen = [
            change
            for change in found.changes
            if change.update is not None and (change.column in only if only else not change.is_stray(limit))
        ]
        if not chosen:
            raise InputError("E_SCHEMA", _nothing_to_accept(found.changes, only))
        left = [change for change in found.changes if change not in chosen and not change.is_stray(limit)]
        done = accept_changes(project, model, chosen, by=by)
        return {**told, **done, "left": [change.to_json() for change in left]}


def _compared(project: Project, model: str, spec: ModelSpec) -> tuple[Review, list[str]]:
    """The present rows against the committed schema, and what could not be looked at."""
    parts: dict[str, pl.DataFrame] = {}
    notes: list[str] = []
    gone = retracted(project.places.ledger, model)
    if has_own_columns(spec):
        size = 0
        for stamp in stamps(spec.source, project.places.root, project.places.secrets):
            size += stamp.size
            if parts and size > MOST_BYTES:
                notes.append(f"only the first {len(parts)} files are compared ({MOST_BYTES >> 30} GiB)")
                break
            try:
                file = identify(stamp)
                if file.digest not in gone:
                    parts[_free(file.name, file.digest, parts)] = own_rows(file, spec)
            except InputError as error:
                notes.append(str(error))
    elif spec.source.database is not None:
        parts["the query"] = query_rows(spec.source.database, project.places.root, project.places.secrets)
    else:
        table = raw_table(spec)
        names = {
            event.subject: str(event.data["name"]) for event in project.places.ledger.events(model, "batch_ingested")
        }
        for batch in Standing.of(model, spec, project.places).batches:
            name = _free(names.get(batch, batch), batch, parts)
            parts[name] = project.places.tables.read(model, table, [batch])
    if not parts:
        reason = f" ({notes[0]})" if notes else ""
        message = f"no rows of {model} to compare with its schema{reason}; put a batch where `source` looks"
        raise InputError("E_MISSING", message)
    return review(parts, spec), notes


def _free(name: str, digest: str, taken: Mapping[str, object]) -> str:
    return name if name not in taken else f"{name} ({digest[:12]})"


def _told(model: str, spec: ModelSpec, found: Review, notes: Sequence[str]) -> dict[str, Any]:
    limit = spec.validation.max_quarantined
    return {
        "model": model,
        "rows": found.rows,
        "columns": len(spec.columns),
        "differs": bool(found.changes),
        "changes": [{**change.to_json(), "stray": change.is_stray(limit)} for change in found.changes],
        "questions": [vars(question) for question in found.questions],
        "notes": list(notes),
    }


def _nothing_to_accept(changes: Sequence[Change], only: Sequence[str]) -> str:
    if not changes:
        return "the rows are as the schema says; there is nothing to accept"
    if only:
        named = ", ".join(only)[:200]
        return f"no difference of {named} is answered by a change of the column; mend the files or the spec"
    stray = next((change for change in changes if change.update is not None), None)
    if stray is None:
        return f"no change of a column answers what differs; mend the files or the spec: {changes[0]}"
    return (
        "what differs are strays that go to quarantine; to widen the schema by them all the same, name the column: "
        f"--column {stray.column}"
    )


def table(found: Mapping[str, Any]) -> str:
    """The differences, for people."""
    lines = []
    changes: list[dict[str, Any]] = found["changes"]
    differing = {change["column"] for change in changes}
    same = found["columns"] - len(differing & {change["column"] for change in changes if change["kind"] != "new"})
    lines.append(
        f"{found['model']}: {found['rows']:,} rows compared; {same} of {found['columns']} columns as committed"
    )
    if changes:
        head = ("column", "committed", "inferred", "first row", "rows")
        cells = [head, *(_cells(change) for change in changes)]
        widths = [max(len(line[at]) for line in cells) for at in range(len(head))]
        lines += [
            "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
    lines += [f"  note: {note}" for note in found["notes"]]
    lines += [
        f"  please check {each['key']}: {each['text']}\n    proposal: {each['proposal']}" for each in found["questions"]
    ]
    return "\n".join([*lines, *_next(found)])


def _cells(change: Mapping[str, Any]) -> tuple[str, ...]:
    row = f"{change['batch']}" if change["first_row"] is None else f"{change['batch']} row {change['first_row']}"
    count = f"{change['rows']:,}" + (" (stray: to quarantine)" if change.get("stray") else "")
    return change["column"][:40], change["was"][:60], change["is"][:60], row, count


def _next(found: Mapping[str, Any]) -> list[str]:
    if "accepted" in found:
        named = ", ".join(dict.fromkeys(change["column"] for change in found["accepted"]))
        lines = [f"accepted by {found['by']}: {named}; wrote {found['spec']}"]
        lines += [
            f"left: {change['column']} ({change['kind']}): change the spec or the files by hand"
            for change in found["left"]
        ]
        return [*lines, f"next: training-assets run {found['model']}"]
    if any(change["update"] is not None and not change["stray"] for change in found["changes"]):
        return [f"next: training-assets schema {found['model']} --accept, or mend the files"]
    return []
