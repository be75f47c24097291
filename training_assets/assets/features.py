"""Stage 3: validated rows gain joined and derived columns."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.features.joins import table_digest
from training_assets.core.features.table import feature_table as build
from training_assets.core.features.table import labelled
from training_assets.core.validation.duplicates import counting
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.places import Places

FEATURES = "feature_table"
ROWS = "rows.parquet"
LEFT_OUT = "left_out.parquet"
"""Keys and labels of the rows that another row of their key counts for: they were dealt, and their keys stay there."""


@dg.asset(
    kinds={"polars", "parquet"},
    code_version=code_version("assets/features.py", packages=("polars",)),
)
def feature_table(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    validated_data: Result,
) -> dg.MaterializeResult[Result]:
    """One row a validated row: its label, its features, declared derived columns and point-in-time joins."""
    model = models.of(context)
    validated = validated_data.artifact.facts
    batches, table = validated["batches"], validated["table"]
    lineage = {"dataset": validated["dataset"], "validated_data": validated_data.digest, "batches": batches}

    if not batches:
        message = "no batch is sound, so there is nothing to make features of; see the checks of validated_data"
        raise dg.Failure(message, allow_retries=False)

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        kept = counting(places.tables.read(model.name, table, batches), model.spec)
        built = build(kept.rows, model.spec, places.root)
        built.rows.write_parquet(folders[FEATURES] / ROWS)
        facts = {"rows": built.rows.height, "kinds": built.kinds, "classes": built.classes, "lineage": lineage}
        facts["duplicates_left_out"] = kept.left_out.height
        labelled(kept.left_out, model.spec).write_parquet(folders[FEATURES] / LEFT_OUT)
        return {FEATURES: Made(facts)}

    with clear_failures():
        joined = [table_digest(join, places.root) for join in model.spec.features.joins]
    made_from = {"validated_data": validated_data.digest, "spec": model.spec.feature_part(), "joined": joined}
    result = artifacts.once(context, made_from, make)[FEATURES]
    facts = result.artifact.facts
    kinds = list(facts["kinds"].values())
    return shown(
        result,
        model.key(FEATURES),
        {
            "dagster/row_count": facts["rows"],
            "dagster/uri": str(result.artifact.folder / ROWS),
            "quantities": kinds.count("numeric"),
            "categories": kinds.count("categorical"),
            "dates": kinds.count("date"),
            "joined_tables": len(joined),
            "duplicates_left_out": facts["duplicates_left_out"],
        },
    )
