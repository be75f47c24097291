"""Review cases of batches that differ from the committed schema: opened with the differences, closed once answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.inference.schema_review import review
from training_assets.core.validation.changes import Change
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.spec import Source

SCHEMA = "schema"
REFUSALS = ("E_SCHEMA", "E_TYPE")
"""What reading a file says where its columns are not the committed ones."""
MOST_CHANGES = 50
SAID = 3
OF_A_FILE = "mend the file, or move it away"


def refused_at_reading(
    places: Places,
    model: Model,
    batch: str,
    name: str,
    error: InputError,
    *,
    run_id: str,
    own: Callable[[], pl.DataFrame] | None,
) -> Case | None:
    """The case of what has other columns than the committed ones; none where it was refused for another reason.

    `own` reads the same rows by their own columns and types, where they have any.
    """
    if error.code not in REFUSALS:
        return None
    changes: list[Change] = []
    if own is not None and not _known(places, model.name, batch):
        try:
            changes = review({name: own()}, model.spec).changes
        except InputError as other:
            # The columns differ so much that the file cannot be read without them: the refusal itself is the fact.
            error = other if other.code in REFUSALS else error
    remedy = OF_A_FILE if model.spec.source.kind == "files" else "mend the rows where they come from"
    return schema_case(places, model, batch, name, str(error), changes, remedy=remedy, run_id=run_id)


def refused_at_sorting(places: Places, model: Model, batch: BatchFacts, table: str, *, run_id: str) -> Case:
    """The case of a batch (its raw rows in `table`) of which too many rows break the schema."""
    known = places.reviews.case(model.name, SCHEMA, batch.digest)
    if known is not None and known.state != "SUPERSEDED":
        return known
    changes = review({batch.name: places.tables.read(model.name, table, [batch.digest])}, model.spec).changes
    reason = f"{batch.quarantined:,} of {batch.read:,} rows break the schema"
    remedy = mend(model.name, model.spec.source, batch.digest)
    return schema_case(places, model, batch.digest, batch.name, reason, changes, remedy=remedy, run_id=run_id)


def schema_case(
    places: Places,
    model: Model,
    batch: str,
    name: str,
    reason: str,
    changes: Sequence[Change],
    *,
    remedy: str,
    run_id: str,
) -> Case:
    """The open case of a batch that differs from the committed schema, with column, was, is and first row of each."""
    said = "; ".join(str(change)[:300] for change in changes[:SAID]) or reason[:600]
    more = f" and {len(changes) - SAID} more" if len(changes) > SAID else ""
    accept = f"`training-assets schema {model.name}` shows the differences, and `--accept` commits them"
    text = f"{name} differs from the committed schema: {said}{more}. {accept}; or {remedy}"
    facts = {"name": name, "reason": reason, "changes": [change.to_json() for change in changes[:MOST_CHANGES]]}
    return places.reviews.open(model.name, SCHEMA, batch, text, facts, run_id=run_id, actor="validation")


def mend(model: str, source: Source, batch: str) -> str:
    """What to do about a refused batch of a source, where the spec is right and the batch is not."""
    if source.kind == "files":
        return OF_A_FILE
    if source.is_replaced:
        return "mend the rows where they come from: the next result takes this one's place"
    # What was read once is not read again, whatever becomes of it where it came from.
    return (
        f"take the batch back, and deliver its rows anew: `training-assets retract {model} {batch[:12]} --because TEXT`"
    )


def close_answered(
    places: Places, model: str, *, accepted: Collection[str], here: Collection[str], run_id: str
) -> list[Case]:
    """Close the open cases of batches that are accepted now, or that are not there any more; they are superseded."""
    closed = []
    for case in places.reviews.cases(model):
        if case.kind != SCHEMA or case.state != "OPEN":
            continue
        if case.subject in accepted:
            comment = "the batch is accepted under the present schema"
        elif case.subject not in here:
            comment = "the batch was mended, taken away or retracted"
        else:
            continue
        closed.append(places.reviews.decide(case, "SUPERSEDED", actor="validation", comment=comment, run_id=run_id))
    return closed


def _known(places: Places, model: str, batch: str) -> bool:
    case = places.reviews.case(model, SCHEMA, batch)
    return case is not None and case.state != "SUPERSEDED"
