"""Stage 2: rows that obey the schema, and the others with their reasons."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.core import fingerprint
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.dataset_version import DatasetVersion
from training_assets.core.validation.quarantine import BatchFacts, sort_rows
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.batch_statistics import keep
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Model, Models
from training_assets.resources.places import Places
from training_assets.resources.repeated_keys import repeated_keys
from training_assets.resources.retractions import erase_rows, erased, retracted
from training_assets.resources.schema_cases import close_answered, refused_at_sorting

VALIDATED, QUARANTINED = "validated_data", "quarantined_rows"
CODE = code_version("assets/validation.py", packages=("pandera", "polars"))


@dg.multi_asset(
    outs={
        VALIDATED: dg.AssetOut(
            kinds={"deltalake", "pandera"},
            code_version=CODE,
            description="Rows that obey the schema, typed, each with its row key; append only.",
        ),
        QUARANTINED: dg.AssetOut(
            kinds={"deltalake", "pandera"},
            code_version=CODE,
            description="Rows that broke the schema: position, column, rule and value of each break; append only.",
        ),
    }
)
def validation(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    raw_data: Result,
) -> Iterator[dg.MaterializeResult[Result]]:
    """Sort each batch that this schema has not yet seen; a batch with too many broken rows is refused whole."""
    model = models.of(context)
    spec = model.spec
    schema = fingerprint.digest({**spec.schema_part(), "read": raw_data.artifact.facts["table"], "code": CODE})
    table, broken = _tables(schema)
    raw, limit = raw_data.artifact.facts, spec.validation.max_quarantined
    with clear_failures():
        # A run that was under way while they were erased may have written them again.
        erase_rows(places, artifacts, model.name, erased(places.ledger, model.name))
    replaced = list(raw.get("replaced", ()))  # records of earlier releases lack it
    sorted_batches = list(_sorted(context, model, places, artifacts, raw, schema, [*replaced, *raw["batches"]]))
    # What was refused and taken away again is history: it is in the ledger, and blocks nothing any more.
    sorted_batches = [
        facts for facts in sorted_batches if facts.share_quarantined <= limit or facts.digest in raw["here"]
    ]
    readable = [facts for facts in sorted_batches if facts.share_quarantined <= limit and facts.kept]
    repeated = repeated_keys(places, model, table, readable, run_id=context.run.run_id)
    # What a newer result took the place of has no rows among these, but its keys were dealt, and stay where they are.
    dealt = [facts.digest for facts in readable if facts.digest in replaced and facts.digest not in repeated]
    sorted_batches = [facts for facts in sorted_batches if facts.digest not in replaced]
    sound = [facts for facts in readable if facts.digest not in repeated and facts.digest not in replaced]
    accepted = [facts.digest for facts in sorted_batches if facts.share_quarantined <= limit]
    close_answered(places, model.name, accepted=accepted, here=raw["here"], run_id=context.run.run_id)
    identity = {"schema": schema, "batches": [facts.digest for facts in sound]}
    identity |= {"replaced": dealt} if dealt else {}
    held_up = [facts.digest for facts in sorted_batches if facts.share_quarantined > limit or facts.digest in repeated]
    if waiting := [batch for batch in held_up if batch in raw["here"]]:
        # A failed check is about the rows with the refused batch beside them: it must not be said of the rows alone,
        # which an earlier run may have carried to a version, and which a later one may stand on.
        identity["refused"] = waiting
    dataset = DatasetVersion(places.tables.version(model.name, table), fingerprint.digest(identity))
    kept: dict[str, Any] = {**identity, "table": table, "dataset": str(dataset)}
    kept["facts"] = [facts.to_json() for facts in sorted_batches]
    kept["repeated"] = {digest: found.to_json() for digest, found in repeated.items() if digest in raw["here"]}
    rejected = {"schema": schema, "table": broken, "batches": [facts.digest for facts in sorted_batches]}
    results = artifacts.once(
        context,
        {"kept": kept, "rejected": rejected},
        lambda _: {VALIDATED: Made(kept, dataset.digest), QUARANTINED: Made(rejected, fingerprint.digest(rejected))},
    )
    yield shown(
        results[VALIDATED],
        model.key(VALIDATED),
        {
            "dagster/row_count": sum(facts.kept for facts in sound),
            "dagster/uri": str(places.tables.path(model.name, table)),
            "dataset_version": str(dataset),
            "batches": len(sound),
            "refused_batches": len(sorted_batches) - len(sound),
            "unlabelled_rows": sum(facts.unlabelled for facts in sound),
        },
    )
    yield shown(
        results[QUARANTINED],
        model.key(QUARANTINED),
        {
            "dagster/row_count": sum(facts.quarantined for facts in sorted_batches),
            "dagster/uri": str(places.tables.path(model.name, broken)),
        },
        tables={"rules": _by_rule(sorted_batches), "sample": _sample(places, model, broken, sorted_batches)},
    )


def _tables(schema: str) -> tuple[str, str]:
    """Names of the tables of sound and of broken rows."""
    return f"{VALIDATED}-{schema[: fingerprint.SHORT]}", f"{QUARANTINED}-{schema[: fingerprint.SHORT]}"


def _sorted(
    context: dg.AssetExecutionContext,
    model: Model,
    places: Places,
    artifacts: Artifacts,
    raw: Mapping[str, Any],
    schema: str,
    batches: Sequence[str],
) -> Iterator[BatchFacts]:
    """What each batch of the raw table holds under a schema, sorted where it never was; retracted ones are left out."""
    spec, (table, broken) = model.spec, _tables(schema)
    limit, run_id = spec.validation.max_quarantined, context.run.run_id
    gone = retracted(places.ledger, model.name)
    done = {event.subject: event.data for event in places.ledger.events(model.name, f"validated/{schema}")}
    arrived = {
        event.subject: datetime.fromisoformat(event.at).astimezone(UTC).replace(tzinfo=None)
        for event in places.ledger.events(model.name, "batch_ingested")
    }
    for batch in (batch for batch in batches if batch not in gone):
        if batch not in done:
            with clear_failures():
                rows = sort_rows(places.tables.read(model.name, raw["table"], [batch]), spec, arrived.get(batch))
            if batch in retracted(places.ledger, model.name):
                continue
            facts = BatchFacts.of(raw["names"].get(batch, batch), batch, rows)
            if rows.quarantined.height:
                places.tables.append(model.name, broken, rows.quarantined, batch)
            if facts.share_quarantined <= limit and rows.rows.height:
                places.tables.append(model.name, table, rows.rows, batch)
            counts = f"{facts.kept:,} sound, {facts.quarantined:,} quarantined, {facts.unlabelled:,} without a label"
            context.log.info(f"{facts.name}: {facts.read:,} rows: {counts}")
            done[batch] = places.ledger.record(
                model.name, f"validated/{schema}", batch, facts.to_json(), run_id=run_id, actor=VALIDATED,
                once=f"{model.name}/validated/{schema}/{batch}",
            ).data  # fmt: skip
            # After the event, by which what is kept is found again when it is to be erased.
            keep(artifacts, model, schema, batch, rows.rows)
        facts = BatchFacts.from_json(done[batch])
        if facts.share_quarantined > limit:
            places.ledger.record(
                model.name, "batch_refused", batch, {"schema": schema}, run_id=run_id, actor=VALIDATED,
                once=f"{model.name}/refused/{schema}/{batch}",
            )  # fmt: skip
            if batch in raw["here"]:
                with clear_failures():
                    refused_at_sorting(places, model, facts, raw["table"], run_id=run_id)
        yield facts


def _by_rule(batches: Sequence[BatchFacts]) -> list[dict[str, Any]]:
    """How many rows of how many batches break which rule of which column, the commonest first."""
    rows: dict[str, int] = {}
    seen: dict[str, int] = {}
    for batch in batches:
        for name, count in batch.rules.items():
            rows[name] = rows.get(name, 0) + count
            seen[name] = seen.get(name, 0) + 1
    lines = []
    for name in sorted(rows, key=lambda each: (-rows[each], each)):
        column, rule = name.rsplit(": ", 1)
        lines.append({"column": column, "rule": rule, "rows": rows[name], "batches": seen[name]})
    return lines


def _sample(
    places: Places, model: Model, table: str, batches: Sequence[BatchFacts], most: int = 20
) -> list[dict[str, Any]]:
    """Broken rows of the newest batches that have any; cell values are escaped where they were quarantined."""
    found: list[dict[str, Any]] = []
    for facts in (each for each in reversed(batches) if each.quarantined):
        if len(found) >= most:
            break
        rows = places.tables.read(model.name, table, [facts.digest]).head(most - len(found))
        found += [{"batch": facts.name, **line} for line in rows.drop("_batch").to_dicts()]
    return found
