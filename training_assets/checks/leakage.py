"""What must hold so that no column gives the label away, no split knows of another, and no label gets into features."""

from collections.abc import Iterator, Mapping

import dagster as dg
import polars as pl

from training_assets.assets.encoding import ENCODED, PREPROCESSOR, PREPROCESSOR_FILE
from training_assets.assets.features import FEATURES, ROWS
from training_assets.assets.validation import VALIDATED
from training_assets.checks.origins import origin
from training_assets.checks.wearing import claims, record, remembered, worn
from training_assets.core.code_identity import code_version
from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.leakage.poison import Fit
from training_assets.core.leakage.poison import preprocessor_saw_training_rows_alone as poison_test
from training_assets.core.leakage.shuffled import shuffled_labels_fall_to_chance as shuffled_test
from training_assets.core.leakage.suite import leaks_of, split_findings
from training_assets.core.lineage import SPLITS, encoding_subject, leak_subject, preprocessor_subject
from training_assets.core.validation.findings import Finding
from training_assets.resources.artifacts import MADE_FROM, Artifacts, Result
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

CODE = code_version("checks/leakage.py", packages=("polars", "scikit-learn"))


@dg.multi_asset_check(
    specs=[
        *claims(
            "train_split",
            no_column_gives_the_label_away="No feature alone gives the label, decides it by nulls, or names the rows.",
            no_column_is_dated_after_the_outcome="No feature is made from a date that is later than its row.",
        ),
        *(
            spec
            for split in SPLITS
            for spec in claims(
                split,
                splits_share_no_content="No row is in two splits under different keys, beyond natural duplicates.",
                groups_stay_together="No column that names somebody, on whom the label depends, is in several splits.",
                splits_keep_time_order="Where splits go by time, no row of an earlier one is later than a later one's.",
            )
        ),
    ]
)
def leakage_checks(
    context: dg.AssetCheckExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    train_split: Result,
    validation_split: Result,
    test_split: Result,
) -> Iterator[dg.AssetCheckResult]:
    """Tests of training rows column by column, and of what the three splits have in common; waivers are listed."""
    model = models.of(context)
    spec = model.spec
    stored = {"train": train_split, "validation": validation_split, "test": test_split}
    table = origin(context, artifacts, model, FEATURES, train_split)
    validated = origin(context, artifacts, model, VALIDATED, table).artifact.facts

    def find() -> Iterator[Finding]:
        leaks = leaks_of(
            {name: result.artifact.frame(ROWS) for name, result in stored.items()},
            table.artifact.facts["kinds"],
            spec,
            lambda: places.tables.read(model.name, validated["table"], validated["batches"]),
            places.root,
        )
        yield from split_findings(leaks, spec)

    waive = spec.validation.leakage.waive
    made_from = {
        **{name: result.digest for name, result in stored.items()},
        "features": table.artifact.facts[MADE_FROM],
        "columns": spec.feature_part(),
        "split": spec.split.model_dump(mode="json"),
        "waive": waive,
        "code": CODE,
    }
    found = remembered(artifacts, model.name, "leakage_checks", made_from, find)
    record(context, places, model.name, leak_subject([split.digest for split in stored.values()], waive), found)
    yield from worn(context, found)


@dg.multi_asset_check(
    specs=claims(
        PREPROCESSOR,
        preprocessor_saw_training_rows_alone="Scrambled validation and test rows do not change the preprocessor.",
    )
)
def preprocessor_checks(
    context: dg.AssetCheckExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    preprocessor: Result,
) -> Iterator[dg.AssetCheckResult]:
    """The poison test: fitted anew beside poisoned rows, the preprocessor has the digest of the one in use."""
    model = models.of(context)
    train = origin(context, artifacts, model, "train_split", preprocessor)
    table = origin(context, artifacts, model, FEATURES, train)

    def find() -> Iterator[Finding]:
        stored = Preprocessor.from_json(preprocessor.artifact.json(PREPROCESSOR_FILE)).digest
        fit = _fit(model.spec, table)
        yield poison_test(stored, train.artifact.frame(ROWS), list(table.artifact.facts["kinds"]), fit)

    made_from = {"preprocessor": preprocessor.digest, "train": train.digest, "code": CODE}
    found = remembered(artifacts, model.name, "preprocessor_checks", made_from, find)
    record(context, places, model.name, preprocessor_subject(preprocessor.digest, train.digest), found)
    yield from worn(context, found)


@dg.multi_asset_check(
    specs=claims(
        ENCODED,
        shuffled_labels_fall_to_chance="A model of shuffled labels scores no better than chance on rows held out.",
    )
)
def encoding_checks(
    context: dg.AssetCheckExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    encoded_features: Result,
) -> Iterator[dg.AssetCheckResult]:
    """Labels dealt to rows at random, the same encoding, a small model: nothing is left to be predicted."""
    model = models.of(context)
    splits = {
        name: origin(context, artifacts, model, f"{name}_split", encoded_features) for name in ("train", "validation")
    }
    table = origin(context, artifacts, model, FEATURES, splits["train"])
    seed = model.spec.search.seed

    def find() -> Iterator[Finding]:
        rows = {name: split.artifact.frame(ROWS) for name, split in splits.items()}
        yield shuffled_test(rows, _fit(model.spec, table), seed)

    made_from = {"encoded_features": encoded_features.digest, "seed": seed, "code": CODE}
    found = remembered(artifacts, model.name, "encoding_checks", made_from, find)
    record(context, places, model.name, encoding_subject(encoded_features.digest), found)
    yield from worn(context, found)


def _fit(spec: ModelSpec, table: Result) -> Fit:
    """The very function that fits the preprocessor, with all that it takes beside the rows."""
    facts = table.artifact.facts

    def fit(splits: Mapping[str, pl.DataFrame]) -> Preprocessor:
        return fit_preprocessor(
            splits, facts["kinds"], spec.encoding, spec.target.task, facts["classes"], spec.search.seed
        )

    return fit
