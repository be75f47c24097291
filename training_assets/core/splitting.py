"""The deal of rows to training, validation and test: by their content, never by their position.

What is dealt is a row key, not a row: rows with equal keys share a split, and a key keeps the split that it got in the
first batch that held it. So batches that come later never move an old row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.row_keys import KEY, Bits, hashed, mix, share, text_bits
from training_assets.core.strata import DEALT_BY, dealt_by_quota
from training_assets.spec import Split
from training_assets.spec.target import Task

SPLIT = "_split"
SPLITS = ("train", "validation", "test")
# What a user's own column may say.
OWN_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val"), "validation"),
    "test": "test",
}
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def deal(
    table: pl.DataFrame,
    split: Split,
    task: Task,
    *,
    group: str | None,
    time: str | None,
    column: str | None,
    batch_order: Sequence[str],
    left_out: pl.DataFrame | None = None,
) -> pl.Series:
    """The split of each row (n_rows, String, named `_split`): "train", "validation", "test", or null for left out.

    - stratified: the new keys of each batch are cut by quota inside each class (see `strata`); a regression's classes
      are quantiles of the label inside the batch.
    - random: by a hash of the row key. group: by a hash of the group; a row without a group is a group of its own.
    - time: before `validation_from`, before `test_from`, and after; rows within `gap` before either cut are left out.
      Where a row key recurs in a later split, its earlier rows are left out.
    - time+group: as time, and where a group recurs in a later split, its rows in earlier splits are left out. So test
      rows stay test rows for ever; training rows may be left out when their group turns up again.
    - column: the user's own words.

    Rows that are `left_out` (`_batch`, `_key`, `_target`), because another row of their key counts or a newer result
    replaced theirs, get no split; a key that they held first stays where it was dealt, and so do others of their batch.

    `table` has `_batch`, `_row`, `_key`, `_target` and the named columns; `batch_order` names its batches, oldest
    first (a retracted batch may stay in it: the guarantee for small classes belongs to the first batch ever).
    Raises InputError `E_SPLIT` where a row has no time, or the user's column says something else.
    """
    if split.method == "column":
        return _own(table[str(column)])
    if split.method in {"time", "time+group"}:
        dealt = _by_time(table[str(time)], split)
        held_together = hashed(table[KEY]) if split.method == "time" else _groups(table, str(group))
        return _later_split_keeps(dealt, held_together)
    if split.method == "stratified":
        units = table.select(DEALT_BY) if left_out is None else pl.concat([table[DEALT_BY], left_out[DEALT_BY]])
        codes = dealt_by_quota(units, split, task, batch_order)[: table.height]
    else:
        bits = hashed(table[KEY]) if split.method == "random" else _groups(table, str(group))
        cuts = [split.train, split.train + split.validation]
        codes = np.searchsorted(cuts, share(mix(bits, split.salt)), side="right")
    return _named(codes)


def dealt_groups(table: pl.DataFrame, split: Split, group: str | None) -> npt.NDArray[Any] | None:
    """The group of each row (n_rows,), where rows of a group were dealt together: they are no independent evidence.

    `table` has the column `group`; rows without one count as one group.
    """
    if group is None or "group" not in split.method:
        return None
    return table[group].rank("dense").fill_null(0).to_numpy()


def _named(codes: npt.NDArray[np.integer]) -> pl.Series:
    """Codes 0, 1, 2 as names of splits."""
    return pl.Series("name", SPLITS).gather(pl.Series(codes, dtype=pl.UInt32)).alias(SPLIT)


def _own(said: pl.Series) -> pl.Series:
    words = said.cast(pl.String).str.strip_chars().str.to_lowercase()
    dealt = words.replace_strict(OWN_WORDS, default=None, return_dtype=pl.String).alias(SPLIT)
    unknown = said.filter(dealt.is_null())
    if unknown.len():
        sample = "nothing" if unknown[0] is None else f"'{str(unknown[0])[:40].encode('unicode_escape').decode()}'"
        message = (
            f"column '{said.name[:80]}' names the splits, but {unknown.len()} of {said.len()} rows say something else "
            f"than train, validation (valid, val) or test, e.g. {sample}; mend those rows, or add `values` to the "
            "column so that they are quarantined"
        )
        raise InputError("E_SPLIT", message)
    return dealt


def _by_time(times: pl.Series, split: Split) -> pl.Series:
    if times.null_count():
        message = (
            f"column '{times.name[:80]}' has no time in {times.null_count()} of {times.len()} rows, which therefore "
            f"belong to no split; set `columns.{times.name[:80]}.nullable: false`, so that they are quarantined"
        )
        raise InputError("E_SPLIT", message)
    moment = pl.lit(times.cast(pl.Datetime("us")))
    validation_from, test_from = _utc(split.validation_from), _utc(split.test_from)
    gap = _duration(split.gap)
    edges = (validation_from - gap, validation_from, test_from - gap, test_from)
    cuts = [pl.lit(edge, dtype=pl.Datetime("us")) for edge in edges]
    dealt = (
        pl.when(moment < cuts[0])
        .then(pl.lit("train"))
        .when(moment < cuts[1])
        .then(None)
        .when(moment < cuts[2])
        .then(pl.lit("validation"))
        .when(moment < cuts[3])
        .then(None)
        .otherwise(pl.lit("test"))
    )
    return pl.select(dealt.alias(SPLIT)).to_series()


def _utc(moment: datetime | None) -> datetime:
    """A cut of the spec as naive UTC; one without a zone is UTC already."""
    if moment is None:  # the spec has refused this already
        message = "a split by time needs both cuts"
        raise ValueError(message)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _duration(text: str | None) -> timedelta:
    found = re.fullmatch(r"(\d+)([smhdw])", text or "0s")
    if found is None:  # the spec has refused this already
        message = f"'{text}' is no duration"
        raise ValueError(message)
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _groups(table: pl.DataFrame, group: str) -> Bits:
    """Hashes of the groups; a row without one counts by its key."""
    bits = hashed(table[group])
    alone = table[group].is_null().to_numpy()
    bits[alone] = hashed(table[KEY])[alone] ^ text_bits("alone")
    return bits


def _later_split_keeps(dealt: pl.Series, held_together: Bits) -> pl.Series:
    """Rows whose key or group recurs in a later split are left out of the earlier one."""
    order = dealt.replace_strict(SPLITS, range(len(SPLITS)), default=None, return_dtype=pl.Int8)
    frame = pl.DataFrame({"dealt": dealt, "order": order, "together": held_together})
    latest = frame.select(pl.col("order").max().over("together")).to_series()
    return pl.select(pl.when(order == latest).then(dealt)).to_series().alias(SPLIT)
