"""What must hold for validated rows."""

from collections.abc import Iterator

import dagster as dg

from training_assets.assets.drift import CODE as DRIFT_CODE
from training_assets.assets.drift import released_reference
from training_assets.assets.validation import CODE
from training_assets.checks.drift import drift_finding, reviewed
from training_assets.checks.wearing import claims, record, remembered, worn
from training_assets.core.statistics import label_name, merged
from training_assets.core.validation import findings
from training_assets.core.validation.duplicates import Repeats
from training_assets.core.validation.findings import Finding
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.core.validation.uniqueness import BatchRepeats, columns_of_keys, rows_are_unique
from training_assets.core.validation.volume import batches_have_their_usual_size
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.batch_statistics import kept
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
        values_in_range="No readable value broke a range, domain, pattern, uniqueness or declared rule (warns).",
        rows_are_unique="Rows of a key are dealt with as `validation.duplicates.keep` says; only `refuse` blocks.",
        label_is_balanced="There are classes, or values, to tell apart; none is too rare (warns).",
        batches_have_their_usual_size="The newest batch has about as many rows as those before it (warns).",
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
    reference = released_reference(model.name, places, artifacts)

    def find() -> Iterator[Finding]:
        batches = [BatchFacts.from_json(line) for line in facts["facts"]]
        yield findings.rows_obey_schema(batches, model.spec.validation.max_quarantined, model.name)
        yield findings.values_in_range(batches, model.spec.validation.rules)
        yield batches_have_their_usual_size(batches)
        names = {batch.digest: batch.name for batch in batches}
        refused = [
            BatchRepeats(names[digest], digest, Repeats.from_json(line)) for digest, line in facts["repeated"].items()
        ]
        if not facts["batches"]:
            said = "; ".join(str(each.repeats.refusal(each.name)) for each in refused[:1])
            text = f"{NO_ROWS}; {said}" if said else NO_ROWS
            yield from (Finding(claim, False, "block", text, {}) for claim in OF_ROWS)
            return
        statistics = kept(artifacts, places, model, facts, facts["batches"])
        yield findings.nulls_within_limits({names[each]: statistics[each] for each in statistics}, model.spec)
        rows = places.tables.read(model.name, facts["table"], facts["batches"], columns_of_keys(model.spec))
        yield rows_are_unique(rows, model.spec, refused, names, model.name)
        label = merged([each.columns[label_name(model.spec)] for each in statistics.values()])
        yield findings.label_is_balanced(label, model.spec)
        yield drift_finding(model, places, artifacts, facts, reference)

    made_from = {
        "rows": validated_data.digest,
        "facts": facts["facts"],
        "repeated": facts["repeated"],
        "rules": [model.spec.schema_part(), model.spec.validation.model_dump(mode="json")],
        "reference": None if reference is None else [reference.name, reference.digest],
        "code": [CODE, DRIFT_CODE],
    }
    found = [
        reviewed(finding, model, places, validated_data.digest, run_id=context.run.run_id)
        for finding in remembered(artifacts, model.name, "validation_checks", made_from, find)
    ]
    record(context, places, model.name, validated_data.digest, found)
    yield from worn(context, found)
