"""The claims about splits that the checks for leakage make, from the rows of one deal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from training_assets.core.features.declared import intermediates
from training_assets.core.features.logical import Kind
from training_assets.core.features.table import widened
from training_assets.core.leakage.content import dealt_by, shared_content
from training_assets.core.leakage.dates import dated_after
from training_assets.core.leakage.evidence import SAMPLE, Evidence, Leak
from training_assets.core.leakage.groups import candidates, parted_groups
from training_assets.core.leakage.label_leaks import label_leaks
from training_assets.core.leakage.time_order import disorder, promised
from training_assets.core.leakage.waivers import judged, with_idle
from training_assets.core.splitting import SPLITS
from training_assets.core.validation.findings import Finding
from training_assets.spec import ModelSpec


def leaks_of(
    splits: Mapping[str, pl.DataFrame],
    kinds: Mapping[str, Kind],
    spec: ModelSpec,
    raw: Callable[[], pl.DataFrame],
    root: Path,
) -> dict[str, list[Leak]]:
    """What each claim about the splits found.

    Labels and values are those of training rows; of validation and test rows, keys, groups, times and content hashes
    are compared. `splits` are parts of the feature table by name; `raw` gives the validated rows behind them, and is
    called only where the spec has columns that no feature shows.
    """
    train = splits["train"]
    position = ["_batch", "_row"]
    dates: list[Leak] = []
    groups: list[Leak] = []
    named = candidates(spec)
    if named or reads_dates(spec, kinds):
        rows = raw()
        dealt = _dealt(splits, [*position, "_target"])
        groups = parted_groups(dealt.join(rows.select(*position, *named), on=position), spec) if named else []
        if reads_dates(spec, kinds):
            some = train if train.height <= SAMPLE else train.sample(SAMPLE, seed=0)
            dates = dated_after(widened(rows.join(some.select(position), on=position, how="semi"), spec, root), spec)
    time, by = promised(spec), dealt_by(spec)
    return {
        "no_column_gives_the_label_away": label_leaks(Evidence.of(train, "_target", spec.target.task, kinds)),
        "no_column_is_dated_after_the_outcome": dates,
        "splits_share_no_content": shared_content(splits, list(kinds), by) if by else [],
        "groups_stay_together": groups,
        "splits_keep_time_order": disorder(_dealt(splits, [time]), spec) if time else [],
    }


def split_findings(leaks: Mapping[str, list[Leak]], spec: ModelSpec) -> list[Finding]:
    """A finding a claim: the leaks that were found, less those that the spec waives."""
    waive = spec.validation.leakage.waive
    clean = {
        "no_column_gives_the_label_away": "no feature alone gives the label, decides it by nulls, or names the rows",
        "no_column_is_dated_after_the_outcome": _about_dates(spec),
        "splits_share_no_content": "no more validation and test rows repeat earlier ones than is natural",
        "groups_stay_together": "no column that names somebody, and on whom the label depends, is in several splits",
        "splits_keep_time_order": _about_time(spec),
    }
    found = [judged(claim, leaks[claim], waive, clean[claim]) for claim in clean]
    return with_idle(found, [leak for each in leaks.values() for leak in each], waive)


def reads_dates(spec: ModelSpec, kinds: Mapping[str, Kind]) -> bool:
    """Whether a feature may be made from a date beside the row's own time, and there is a time to compare it with."""
    time, read = spec.one_with_role("time"), intermediates(spec) | {name for name in kinds if kinds[name] == "date"}
    dates = {name for name, column in spec.columns.items() if column.type in {"date", "datetime"} and name != time}
    joined = {join.prefix + name for join in spec.features.joins for name in join.columns}
    return time is not None and bool((dates | joined) & read)


def _dealt(splits: Mapping[str, pl.DataFrame], columns: list[str]) -> pl.DataFrame:
    """Columns of all three splits, with `_split`."""
    return pl.concat([splits[name].select(*columns, pl.lit(name).alias("_split")) for name in SPLITS])


def _about_dates(spec: ModelSpec) -> str:
    if spec.one_with_role("time") is None:
        return "no column has `role: time`, so no date can be said to be later than its row"
    return "features read no date that is later than its row"


def _about_time(spec: ModelSpec) -> str:
    time = promised(spec)
    if time is None:
        return f"split.method {spec.split.method} promises no order in time"
    return f"by '{time[:60]}', training comes before validation, and validation before test"
