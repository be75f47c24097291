"""Stage 3: validated rows gain joined and derived columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from training_assets.assets.showing import shown
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.features.joins import table_digest
from training_assets.core.features.table import feature_table as build
from training_assets.core.features.table import labelled
from training_assets.core.validation.duplicates import Kept, counting
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

FEATURES = "feature_table"
ROWS = "rows.parquet"
LEFT_OUT = "left_out.parquet"
"""Keys and labels of rows that count no more, but were dealt, so that their keys stay there: see `counted`."""


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
    batches = validated["batches"]
    lineage = {"dataset": validated["dataset"], "validated_data": validated_data.digest, "batches": batches}

    if not batches:
        message = "no batch is sound, so there is nothing to make features of; see the checks of validated_data"
        raise dg.Failure(message, allow_retries=False)

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        kept, dealt = counted(validated, model.name, model.spec, places)
        built = build(kept.rows, model.spec, places.root)
        built.rows.write_parquet(folders[FEATURES] / ROWS)
        facts = {"rows": built.rows.height, "kinds": built.kinds, "classes": built.classes, "lineage": lineage}
        facts |= {"dealt": dealt, "duplicates_left_out": int(kept.left_out["_batch"].is_in(batches).sum())}
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


def counted(validated: Mapping[str, Any], model: str, spec: ModelSpec, places: Places) -> tuple[Kept, list[str]]:
    """The rows that validated facts name, sorted by whether they count, and the batches that were dealt, oldest first.

    Left out are rows for which another row of their key counts, and those of results that a newer one replaced.
    """
    table, batches, replaced = str(validated["table"]), list(validated["batches"]), list(validated.get("replaced", ()))
    kept = counting(places.tables.read(model, table, batches), spec)
    before = places.tables.read(model, table, replaced)
    return Kept(kept.rows, pl.concat([before, kept.left_out])), [*replaced, *batches]
