"""Stage 4: rows are dealt to training, validation and test."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import polars as pl

from training_assets.assets.features import LEFT_OUT, ROWS
from training_assets.assets.showing import shown
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.fingerprint import canonical
from training_assets.core.lineage import SPLITS
from training_assets.core.splitting import deal
from training_assets.core.statistics import of_features
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.models import Models
from training_assets.spec.target import Task

PROFILE = "profile.json"
"""Statistics of the training rows: what later batches are compared with."""
CODE = code_version("assets/splits.py", packages=("polars", "datasketches"))


def _out(what: str) -> dg.AssetOut:
    return dg.AssetOut(kinds={"polars", "parquet"}, code_version=CODE, description=what)


@dg.multi_asset(
    outs={
        "train_split": _out("Rows that models are fitted on; a row dealt here stays here for ever."),
        "validation_split": _out("Rows that stop training early and choose between candidates."),
        "test_split": _out("Rows that evaluation alone reads."),
    }
)
def splits(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    artifacts: Artifacts,
    feature_table: Result,
) -> Iterator[dg.MaterializeResult[Result]]:
    """Deal rows by their content, never by position: new batches move no old row."""
    model = models.of(context)
    spec = model.spec
    lineage = feature_table.artifact.facts["lineage"]
    dealt_by = {role: spec.one_with_role(role) for role in ("group", "time")}

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        table, left_out = (feature_table.artifact.frame(name) for name in (ROWS, LEFT_OUT))
        batches = feature_table.artifact.facts["dealt"]
        column = spec.one_with_role("split")
        task = spec.target.task
        dealt = deal(table, spec.split, task, column=column, batch_order=batches, left_out=left_out, **dealt_by)
        made = {}
        for asset in SPLITS:
            rows = table.filter(dealt == asset.removesuffix("_split"))
            rows.write_parquet(folders[asset] / ROWS)
            made[asset] = Made({"rows": rows.height, "labels": _labels(rows, spec.target.task), "lineage": lineage})
        train = table.filter(dealt == "train")
        statistics = of_features(train, feature_table.artifact.facts["kinds"], spec)
        (folders["train_split"] / PROFILE).write_bytes(canonical(statistics.to_json()))
        return made

    # Equal rows may come of tables whose classes are in another order: who asks for the splits' table gets this one.
    made_from = {
        "feature_table": feature_table.digest, "classes": feature_table.artifact.facts["classes"],
        "split": spec.split.model_dump(mode="json"), "by": dealt_by,
    }  # fmt: skip
    results = artifacts.once(context, made_from, make)
    total = sum(result.artifact.facts["rows"] for result in results.values())
    for asset in SPLITS:
        facts = results[asset].artifact.facts
        yield shown(
            results[asset],
            model.key(asset),
            {
                "dagster/row_count": facts["rows"],
                "dagster/uri": str(results[asset].artifact.folder / ROWS),
                "share": facts["rows"] / total if total else 0.0,
            },
            tables={"labels": [{"label": label, "rows": rows} for label, rows in facts["labels"].items()]},
        )


def _labels(rows: pl.DataFrame, task: Task) -> dict[str, int | float]:
    """Rows of each class, or quantiles of a regression's label."""
    label = rows["_target"]
    if task == "regression":
        return (
            {f"quantile {q:g}": float(label.quantile(q) or 0.0) for q in (0, 0.25, 0.5, 0.75, 1)} if rows.height else {}
        )
    counts = label.value_counts(name="_rows").sort("_target")
    return {str(name): int(count) for name, count in counts.iter_rows()}
