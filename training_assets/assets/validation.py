"""Stage 2: rows that obey the schema, and the others with their reasons."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.core import fingerprint
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.dataset_version import DatasetVersion
from training_assets.core.validation.quarantine import BatchFacts, sort_rows
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Model, Models
from training_assets.resources.places import Places

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
    table, broken = (f"{name}-{schema[: fingerprint.SHORT]}" for name in (VALIDATED, QUARANTINED))
    done = {event.subject: event.data for event in places.ledger.events(model.name, f"validated/{schema}")}
    raw, limit = raw_data.artifact.facts, spec.validation.max_quarantined
    sorted_batches: list[BatchFacts] = []
    for batch in raw["batches"]:
        if batch not in done:
            with clear_failures():
                rows = sort_rows(places.tables.read(model.name, raw["table"], [batch]), spec)
            facts = BatchFacts.of(raw["names"].get(batch, batch), batch, rows)
            if rows.quarantined.height:
                places.tables.append(model.name, broken, rows.quarantined, batch)
            if facts.share_quarantined <= limit and rows.rows.height:
                places.tables.append(model.name, table, rows.rows, batch)
            counts = f"{facts.kept:,} sound, {facts.quarantined:,} quarantined, {facts.unlabelled:,} without a label"
            context.log.info(f"{facts.name}: {facts.read:,} rows: {counts}")
            done[batch] = places.ledger.record(
                model.name, f"validated/{schema}", batch, facts.to_json(), run_id=context.run.run_id, actor=VALIDATED,
                once=f"{model.name}/validated/{schema}/{batch}",
            ).data  # fmt: skip
        sorted_batches.append(BatchFacts.from_json(done[batch]))
        if sorted_batches[-1].share_quarantined > limit:
            places.ledger.record(
                model.name, "batch_refused", batch, {"schema": schema}, run_id=context.run.run_id, actor=VALIDATED,
                once=f"{model.name}/refused/{schema}/{batch}",
            )  # fmt: skip
    # What was refused and taken away again is history: it is in the ledger, and blocks nothing any more.
    sorted_batches = [
        facts for facts in sorted_batches if facts.share_quarantined <= limit or facts.digest in raw["here"]
    ]
    sound = [facts for facts in sorted_batches if facts.share_quarantined <= limit and facts.kept]
    identity = {"schema": schema, "batches": [facts.digest for facts in sound]}
    dataset = DatasetVersion(places.tables.version(model.name, table), fingerprint.digest(identity))
    kept = {**identity, "table": table, "dataset": str(dataset), "facts": [facts.to_json() for facts in sorted_batches]}
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
        tables={"sample": _sample(places, model, broken, rejected["batches"])},
    )


def _sample(places: Places, model: Model, table: str, batches: Sequence[str], most: int = 20) -> list[dict[str, Any]]:
    """The first broken rows, for a reader; cell values are escaped where they were quarantined."""
    if places.tables.open(model.name, table) is None:
        return []
    return places.tables.read(model.name, table, batches).head(most).drop("_batch").to_dicts()
