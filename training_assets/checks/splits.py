"""What must hold for the deal of rows."""

from collections.abc import Iterator

import dagster as dg

from training_assets.assets.features import ROWS
from training_assets.assets.splits import CODE
from training_assets.checks.wearing import claims, record, remembered, worn
from training_assets.core import split_findings
from training_assets.core.lineage import SPLITS, split_subject
from training_assets.core.validation.findings import Finding
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.models import Models
from training_assets.resources.places import Places


@dg.multi_asset_check(
    specs=[
        spec
        for split in SPLITS
        for spec in claims(
            split,
            proportions_hold="No split is empty, and the shares are the declared ones up to chance.",
            labels_are_balanced="The label is dealt alike to all three splits, up to chance.",
            splits_share_no_rows="No row, by its key, and no group is in two splits.",
        )
    ]
)
def split_checks(
    context: dg.AssetCheckExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    train_split: Result,
    validation_split: Result,
    test_split: Result,
) -> Iterator[dg.AssetCheckResult]:
    """Shares, label balance and disjointness, recomputed from the rows as they were written."""
    model = models.of(context)
    spec = model.spec
    stored = {"train": train_split, "validation": validation_split, "test": test_split}
    group = spec.one_with_role("group") if "group" in spec.split.method else None

    def find() -> Iterator[Finding]:
        columns = ["_key", "_target", *([group] if group else [])]
        rows = {name: result.artifact.frame(ROWS).select(columns) for name, result in stored.items()}
        groups = {name: frame[group] for name, frame in rows.items()} if group else None
        dealt = None if groups is None else sum(each.n_unique() for each in groups.values())
        counts = {name: frame.height for name, frame in rows.items()}
        yield split_findings.proportions_hold(counts, spec.split, groups=dealt)
        yield split_findings.labels_are_balanced(
            {name: frame["_target"] for name, frame in rows.items()}, spec.target.task
        )
        yield split_findings.splits_share_no_rows({name: frame["_key"] for name, frame in rows.items()}, groups)

    made_from = {
        **{name: result.digest for name, result in stored.items()},
        "split": spec.split.model_dump(mode="json"),
        "code": CODE,
    }
    found = remembered(artifacts, model.name, "split_checks", made_from, find)
    record(context, places, model.name, split_subject([split.digest for split in stored.values()]), found)
    yield from worn(context, found)
