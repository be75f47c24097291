"""Cutting strata by quota: inside each batch and class, shares are exact up to rounding, and rounding is by content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.row_keys import KEY, mix, share
from training_assets.spec import Split
from training_assets.spec.target import Task

QUANTILES = 10
# A quantile of fewer rows than this would be rounded more than it is balanced: small batches get fewer quantiles.
ROWS_PER_QUANTILE = 20
# The fewest keys of a class that can be in all three splits.
ALL_SPLITS = 3
BY_STRATUM = ["rank", "stratum"]
DEALT_BY = ["_batch", KEY, "_target"]


def dealt_by_quota(
    table: pl.DataFrame, split: Split, task: Task, batch_order: Sequence[str]
) -> npt.NDArray[np.integer]:
    """Split codes (n_rows; 0 train, 1 validation, 2 test) of rows with `_batch`, `_key` and `_target`.

    A key counts in the oldest batch that holds it, with as many rows as it has there. Inside a batch and class, keys
    are ordered by a hash of (key, salt) and cut at `floor(share * rows + u)` cumulative rows, where u in [0, 1) is a
    hash of (batch, class, salt): each split is within one row of its quota (more only where one key has many rows), and
    over many small batches the shares come out right. In the first batch, a class of three keys or more gets a row in
    each split. Raises ValueError for rows of a batch that `batch_order` does not name.
    """
    ranks = pl.DataFrame(
        {"_batch": list(batch_order), "rank": range(len(batch_order))}, schema={"_batch": pl.String, "rank": pl.UInt32}
    )
    rows = table.select(DEALT_BY).join(ranks, on="_batch", how="left", maintain_order="left")
    if rows["rank"].null_count():
        message = "the table holds rows of a batch that is not in batch_order"
        raise ValueError(message)
    units = _units(rows, split, task)
    units = units.with_columns(_codes(units, split, batch_order))
    return (
        rows.select(KEY).join(units.select(KEY, "code"), on=KEY, how="left", maintain_order="left")["code"].to_numpy()
    )


def _units(rows: pl.DataFrame, split: Split, task: Task) -> pl.DataFrame:
    """One line a key: its oldest batch, its rows there, its stratum, its place in the order of hashes."""
    oldest = rows.group_by(KEY).agg(pl.col("rank").min().alias("oldest"))
    units = (
        rows.join(oldest, on=KEY)
        .filter(pl.col("rank") == pl.col("oldest"))
        # A key with several labels in one batch counts in the smallest: all that matters is that it is always the same.
        .group_by(KEY, "rank")
        .agg(pl.col("_target").min().alias("stratum"), pl.len().alias("rows"))
    )
    hashes = mix(units[KEY].to_numpy().view(np.uint64), split.salt)
    units = units.with_columns(pl.Series("hash", hashes, dtype=pl.UInt64))
    if task == "regression":
        place = pl.int_range(pl.len()).over("rank")
        quantiles = (pl.len().over("rank") // ROWS_PER_QUANTILE).clip(1, QUANTILES)
        units = units.sort("rank", "stratum", "hash", KEY).with_columns(
            (place * quantiles // pl.len().over("rank")).cast(pl.String).alias("stratum")
        )
    return units.sort(*BY_STRATUM, "hash", KEY)


def _codes(units: pl.DataFrame, split: Split, batch_order: Sequence[str]) -> pl.Series:
    """Split codes of keys in the order of `_units`."""
    strata = units.group_by(BY_STRATUM, maintain_order=True).agg(
        pl.col("rows").sum().alias("total"), pl.len().cast(pl.Int64).alias("keys")
    )
    names = [
        f"{batch_order[rank]}\x00{stratum}\x00{split.salt}" for rank, stratum in strata.select(BY_STRATUM).iter_rows()
    ]
    hashes = [int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") for name in names]
    strata = strata.with_columns(pl.Series("offset", share(np.array(hashes, dtype=np.uint64))))
    by = units.join(strata, on=BY_STRATUM, how="left", maintain_order="left")
    end = pl.col("rows").cum_sum().over(BY_STRATUM)
    first, second = (
        (pl.col("total") * part + pl.col("offset")).floor() for part in (split.train, split.train + split.validation)
    )
    # A key lies where the middle of its rows lies.
    middle = end - pl.col("rows") / 2
    by = by.with_columns(((middle > first).cast(pl.UInt8) + (middle > second).cast(pl.UInt8)).alias("code"))
    lacks_one = pl.col("code").n_unique().over(BY_STRATUM) < ALL_SPLITS
    eligible = (pl.col("rank") == 0) & (pl.col("keys") >= ALL_SPLITS)
    if not by.select((lacks_one & eligible).any()).item():
        return by["code"]
    place = pl.int_range(1, pl.len() + 1).over(BY_STRATUM)
    first = (pl.col("keys") * split.train + pl.col("offset")).floor().clip(1, pl.col("keys") - 2)
    second = (pl.col("keys") * (split.train + split.validation) + pl.col("offset")).floor()
    second = second.clip(first + 1, pl.col("keys") - 1)
    each_has_one = (place > first).cast(pl.UInt8) + (place > second).cast(pl.UInt8)
    return by.select(pl.when(lacks_one & eligible).then(each_has_one).otherwise("code").alias("code")).to_series()
