"""What must hold for the files of a model."""

from collections.abc import Iterator

import dagster as dg

from training_assets.checks.wearing import claims, worn
from training_assets.core.ingestion.findings import files_are_readable
from training_assets.resources.artifacts import Result


@dg.multi_asset_check(
    specs=claims(
        "raw_data", files_are_readable="Every file of the source was read, whole, as the spec says it is written."
    )
)
def raw_checks(context: dg.AssetCheckExecutionContext, raw_data: Result) -> Iterator[dg.AssetCheckResult]:
    """Every file of the source was read, whole, as the spec says that it is written."""
    facts = raw_data.artifact.facts
    yield from worn(context, [files_are_readable(len(facts["batches"]), facts["refused"], facts["left_behind"])])
