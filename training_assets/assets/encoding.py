"""Stage 5: features become numbers, by a preprocessor that has seen the training split alone."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from training_assets.assets.features import ROWS
from training_assets.assets.showing import shown
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.fingerprint import canonical
from training_assets.resources.artifacts import Artifacts, Result, require_origin
from training_assets.resources.models import Models

PREPROCESSOR, ENCODED = "preprocessor", "encoded_features"
PREPROCESSOR_FILE = "preprocessor.json"
CODE = code_version("assets/encoding.py", packages=("polars", "scikit-learn", "skrub"))


@dg.asset(kinds={"polars", "scikitlearn"}, code_version=CODE)
def preprocessor(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    artifacts: Artifacts,
    feature_table: Result,
    train_split: Result,
) -> dg.MaterializeResult[Result]:
    """Imputation, scaling, encoding of categories, dates and texts, fitted on training rows alone; JSON, no pickle."""
    model = models.of(context)
    spec, table = model.spec, feature_table.artifact.facts
    require_origin("train_split", train_split, feature_table=feature_table)
    settings = {
        "kinds": table["kinds"],
        "classes": table["classes"],
        "task": spec.target.task,
        "encoding": spec.encoding.model_dump(mode="json"),
        "seed": spec.search.seed,
    }

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        train = train_split.artifact.frame(ROWS)
        fitted = fit_preprocessor(
            {"train": train}, table["kinds"], spec.encoding, spec.target.task, table["classes"], spec.search.seed
        )
        (folders[PREPROCESSOR] / PREPROCESSOR_FILE).write_bytes(canonical(fitted.to_json()))
        facts = {"fitted_on": train.height, "columns": fitted.summary()}
        return {PREPROCESSOR: Made(facts, fitted.digest)}

    result = artifacts.once(context, {"train_split": train_split.digest, **settings}, make)[PREPROCESSOR]
    facts = result.artifact.facts
    return shown(
        result, model.key(PREPROCESSOR), {"fitted_on_rows": facts["fitted_on"]}, tables={"columns": facts["columns"]}
    )


@dg.asset(kinds={"polars", "parquet"}, code_version=CODE)
def encoded_features(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    artifacts: Artifacts,
    preprocessor: Result,
    train_split: Result,
    validation_split: Result,
    test_split: Result,
) -> dg.MaterializeResult[Result]:
    """The three splits as numbers; training rows carry target encodings that have not seen their own label."""
    model = models.of(context)
    splits = {"train": train_split, "validation": validation_split, "test": test_split}

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        fitted = Preprocessor.from_json(preprocessor.artifact.json(PREPROCESSOR_FILE))
        facts: dict[str, int] = {}
        for name, split in splits.items():
            rows = split.artifact.frame(ROWS)
            encoded = fitted.encode_training(rows) if name == "train" else fitted.encode(rows)
            encoded.write_parquet(folders[ENCODED] / f"{name}.parquet")
            facts |= {name: encoded.height, "columns": encoded.width}
        return {ENCODED: Made(facts)}

    require_origin("preprocessor", preprocessor, train_split=train_split)
    made_from = {
        "preprocessor": preprocessor.digest,
        **{f"{name}_split": split.digest for name, split in splits.items()},
    }
    result = artifacts.once(context, made_from, make)[ENCODED]
    facts = result.artifact.facts
    return shown(
        result,
        model.key(ENCODED),
        {
            "dagster/row_count": sum(facts[name] for name in splits),
            "dagster/uri": str(result.artifact.folder),
            "columns": facts["columns"],
        },
    )
