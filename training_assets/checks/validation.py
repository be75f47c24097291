"""What must hold for validated rows."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from training_assets.assets.splits import PROFILE
from training_assets.assets.validation import CODE
from training_assets.checks.wearing import claims, record, remembered, worn
from training_assets.core import fingerprint
from training_assets.core.validation import findings
from training_assets.core.validation.drift import columns_have_not_drifted
from training_assets.core.validation.findings import Finding
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.models import Models
from training_assets.resources.places import Places

VALIDATED = "validated_data"
OF_ROWS = ("nulls_within_limits", "rows_are_unique", "label_is_balanced", "columns_have_not_drifted")
NO_ROWS = "no batch is sound, so there are no rows to look at"


@dg.multi_asset_check(
    specs=claims(
        VALIDATED,
        rows_obey_schema="No batch has more broken rows than `validation.max_quarantined`.",
        nulls_within_limits="No column of a batch has more nulls than its `max_null_share`.",
        values_in_range="No readable value broke a range, domain, pattern or uniqueness rule (warns).",
        rows_are_unique="Rows repeat no more often than `validation.max_duplicates` (warns).",
        label_is_balanced="There are classes, or values, to tell apart; none is too rare (warns).",
        columns_have_not_drifted="Batches that no release has seen look like the released version's training data.",
    )
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
        if not facts["batches"]:
            yield from (Finding(claim, False, "block", NO_ROWS, {}) for claim in OF_ROWS)
            return
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
    found = remembered(artifacts, model.name, "validation_checks", made_from, find)
    record(context, places, model.name, validated_data.digest, found)
    yield from worn(context, found)


def _reference(model: str, places: Places, artifacts: Artifacts) -> dict[str, Any] | None:
    """Batches and column profile of what the newest released (live, else staged) version was trained on.

    Raises `dagster.Failure` where a version is released and what it was trained on is gone: that is no clean pass.
    """
    version = places.ledger.pointer(model, "production") or places.ledger.pointer(model, "staging")
    if version is None:
        return None
    registered = [event for event in places.ledger.events(model, "registered") if str(event.data["version"]) == version]
    tuned = artifacts.of_run(model, str(registered[-1].data["trained_in"]), "tuned_model") if registered else None
    if tuned is None:
        message = f"what version {version} was trained on is gone, so drift cannot be judged; restore the artifacts"
        raise dg.Failure(message, allow_retries=False)
    batches = tuned.artifact.facts["lineage"]["batches"]
    return {"batches": batches, "profile": tuned.artifact.json(PROFILE), "version": version}
