"""What becomes of files: from the folder that they lie in to what the checks say of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from training_assets.core.drift import against_window, columns_have_not_drifted
from training_assets.core.errors import InputError
from training_assets.core.features.table import feature_table
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.leakage.suite import leaks_of, split_findings
from training_assets.core.splitting import SPLITS, deal
from training_assets.core.statistics import label_name, merge, of_batch
from training_assets.core.validation import findings
from training_assets.core.validation.duplicates import key_columns, repeats
from training_assets.core.validation.findings import Finding
from training_assets.core.validation.quarantine import BatchFacts, Sorted, sort_rows
from training_assets.core.validation.uniqueness import BatchRepeats, rows_are_unique
from training_assets.core.validation.volume import batches_have_their_usual_size
from training_assets.spec import ModelSpec

ARRIVED = datetime(2026, 6, 1)  # noqa: DTZ001 - naive UTC, as all times of rows
ENOUGH_TO_LEARN = 1000


@dataclass(frozen=True)
class Outcome:
    """The refusal, or the sorted rows and what is claimed about them."""

    error: InputError | None = None
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    quarantined: pl.DataFrame = field(default_factory=pl.DataFrame)
    findings: tuple[Finding, ...] = ()


def outcome(spec: ModelSpec, root: Path) -> Outcome:
    """All files of a spec below a folder, read and judged as the assets and checks do."""
    try:
        files = [identify(stamp) for stamp in stamps(spec.source, root)]
        raw = [read_batch(file, spec) for file in files]
        batches = [sort_rows(rows, spec, ARRIVED) for rows in raw]
    except InputError as error:
        return Outcome(error)
    facts = [BatchFacts.of(file.name, file.digest, each) for file, each in zip(files, batches, strict=True)]
    kept = [
        each for each, fact in zip(batches, facts, strict=True)
        if fact.share_quarantined <= spec.validation.max_quarantined
    ]  # fmt: skip
    rows = pl.concat([each.rows for each in batches])
    quarantined = pl.concat([each.quarantined for each in batches])
    claimed = tuple(_findings(spec, facts, kept, root))
    return Outcome(None, rows, quarantined, claimed)


def _findings(spec: ModelSpec, facts: list[BatchFacts], kept: list[Sorted], root: Path) -> Iterator[Finding]:
    yield findings.rows_obey_schema(facts, spec.validation.max_quarantined)
    yield findings.values_in_range(facts, spec.validation.rules)
    yield batches_have_their_usual_size(facts)
    if not kept:
        return
    rows = pl.concat([each.rows for each in kept])
    names = {fact.digest: fact.name for fact in facts}
    statistics = {names[str(each.rows["_batch"][0])]: of_batch(each.rows, spec) for each in kept}
    yield findings.nulls_within_limits(statistics, spec)
    yield findings.label_is_balanced(merge(list(statistics.values())).columns[label_name(spec)], spec)
    keys, own = key_columns(spec), []
    if spec.validation.duplicates.keep == "refuse":
        parts = rows.partition_by("_batch", maintain_order=True)
        found = [(part["_batch"][0], repeats(part, keys)) for part in parts]
        own = [BatchRepeats(names[batch], batch, each) for batch, each in found if each.count]
    yield rows_are_unique(rows, spec, own, names)
    yield columns_have_not_drifted(
        against_window(statistics, list(statistics)[-1:], spec) if len(kept) > 1 else [], spec.validation.drift
    )
    if rows.height >= ENOUGH_TO_LEARN:
        yield from _leaks(rows, spec, root)


def _leaks(rows: pl.DataFrame, spec: ModelSpec, root: Path) -> Iterator[Finding]:
    table = feature_table(rows, spec, root)
    order = rows["_batch"].unique(maintain_order=True).to_list()
    dealt = deal(table.rows, spec.split, spec.target.task, group=None, time=None, column=None, batch_order=order)
    splits = {name: table.rows.filter(dealt == name) for name in SPLITS}
    yield from split_findings(leaks_of(splits, table.kinds, spec, lambda: rows, root), spec)
