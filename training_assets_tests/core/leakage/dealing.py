"""Rows and a spec carried through the real steps, as far as the checks for leakage look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.features.table import FeatureTable, feature_table
from training_assets.core.leakage.poison import preprocessor_saw_training_rows_alone
from training_assets.core.leakage.shuffled import shuffled_labels_fall_to_chance
from training_assets.core.leakage.suite import leaks_of, split_findings
from training_assets.core.splitting import SPLITS, deal
from training_assets.core.validation.findings import Finding
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import ModelSpec

FitFunction = Callable[..., Preprocessor]


@dataclass(frozen=True)
class Dealt:
    """Validated rows, their feature table and its three splits."""

    spec: ModelSpec
    validated: pl.DataFrame
    table: FeatureTable
    splits: Mapping[str, pl.DataFrame]
    root: Path

    def fitted(self, function: FitFunction, splits: Mapping[str, pl.DataFrame]) -> Preprocessor:
        return function(
            splits,
            self.table.kinds,
            self.spec.encoding,
            self.spec.target.task,
            self.table.classes,
            self.spec.search.seed,
        )

    def about_splits(self) -> list[Finding]:
        """All claims about columns and splits."""
        return split_findings(
            leaks_of(self.splits, self.table.kinds, self.spec, lambda: self.validated, self.root), self.spec
        )

    def about_the_pipeline(
        self, function: FitFunction = fit_preprocessor, *, handed_to_the_asset: Mapping[str, pl.DataFrame] | None = None
    ) -> list[Finding]:
        """All claims about preprocessing by a function that fits, which the asset hands these rows."""

        def fit(splits: Mapping[str, pl.DataFrame]) -> Preprocessor:
            return self.fitted(function, splits)

        stored = fit(handed_to_the_asset or self.splits).digest
        poison = preprocessor_saw_training_rows_alone(stored, self.splits["train"], list(self.table.kinds), fit)
        return [poison, shuffled_labels_fall_to_chance(self.splits, fit, 0)]


def dealt(raw: pl.DataFrame, spec: ModelSpec, root: Path) -> Dealt:
    """Sort, widen and deal raw rows, as the assets do."""
    validated = sort_rows(raw, spec).rows
    table = feature_table(validated, spec, root)
    by = {role: spec.one_with_role(role) for role in ("group", "time")}
    batches = table.rows["_batch"].unique(maintain_order=True).to_list()
    column = spec.one_with_role("split")
    parts = deal(table.rows, spec.split, spec.target.task, column=column, batch_order=batches, **by)
    return Dealt(spec, validated, table, {name: table.rows.filter(parts == name) for name in SPLITS}, root)


def blocked(findings: list[Finding]) -> dict[str, str]:
    """What blocks, by claim, with what is said of it."""
    return {each.claim: each.text for each in findings if not each.passed and each.severity == "block"}
