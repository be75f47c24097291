"""What must hold for validated rows."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from training_assets.assets.splits import PROFILE
from training_assets.assets.validation import CODE
from training_assets.checks.wearing import remembered, worn
from training_assets.core import fingerprint
from training_assets.core.validation import findings
from training_assets.core.validation.drift import columns_have_not_drifted
from training_assets.core.validation.findings import Finding
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.models import Models
from training_assets.resources.places import Places

VALIDATED = "validated_data"


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("rows_obey_schema", asset=VALIDATED, blocking=True),
        dg.AssetCheckSpec("nulls_within_limits", asset=VALIDATED, blocking=True),
        dg.AssetCheckSpec("values_in_range", asset=VALIDATED, blocking=True),
        dg.AssetCheckSpec("rows_are_unique", asset=VALIDATED, blocking=True),
        dg.AssetCheckSpec("label_is_balanced", asset=VALIDATED, blocking=True),
        dg.AssetCheckSpec("columns_have_not_drifted", asset=VALIDATED, blocking=True),
    ]
)
def validation_checks(
    context: dg.AssetCheckExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    validated_data: Result,
) -> Iterator[dg.AssetCheckResult]:
    """Schema, nulls, ranges, duplicates and label over all rows; drift of the batches that no release has seen."""
    model = models.of(context)
    facts = validated_data.artifact.facts
    reference = _reference(model.name, places, artifacts)

    def find() -> Iterator[Finding]:
        batches = [BatchFacts.from_json(line) for line in facts["facts"]]
        yield findings.rows_obey_schema(batches, model.spec.validation.max_quarantined)
        yield findings.values_in_range(batches)
        rows = places.tables.read(model.name, facts["table"], facts["batches"])
        yield findings.nulls_within_limits(rows, model.spec)
        yield findings.rows_are_unique(rows, model.spec)
        yield findings.label_is_balanced(rows, model.spec)
        known = [] if reference is None else reference["batches"]
        unseen = rows.filter(~rows["_batch"].is_in(known))
        profile = None if reference is None else reference["profile"]
        yield columns_have_not_drifted(profile, unseen, model.spec.validation.drift)

    made_from = {
        "rows": validated_data.digest,
        "facts": facts["facts"],
        "rules": [model.spec.schema_part(), model.spec.validation.model_dump(mode="json")],
        "reference": None if reference is None else fingerprint.digest(reference),
        "code": CODE,
    }
    yield from worn(context, remembered(artifacts, model.name, "validation_checks", made_from, find))


def _reference(model: str, places: Places, artifacts: Artifacts) -> dict[str, Any] | None:
    """Batches and column profile of what the newest released (staged or live) version was trained on."""
    version = places.ledger.pointer(model, "production") or places.ledger.pointer(model, "staging")
    registered = [event for event in places.ledger.events(model, "registered") if str(event.data["version"]) == version]
    if not registered:
        return None
    run = str(registered[-1].data["trained_in"])
    split, table = artifacts.of_run(model, run, "train_split"), artifacts.of_run(model, run, "feature_table")
    if split is None or table is None:
        return None
    return {"batches": table.artifact.facts["batches"], "profile": split.artifact.json(PROFILE), "version": version}
