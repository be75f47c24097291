"""What typed rows are, as one digest: the identity of a batch that has no bytes of its own."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core import fingerprint
from training_assets.core.row_keys import Bits, hashed, mix

# Rows whose values stand together: bounds the memory beside the rows. Another number gives other digests: keep it.
PIECE = 1 << 16


def content_digest(rows: pl.DataFrame) -> str:
    """Sha256 (64 hex digits) of rows in logical types: equal exactly where names, types and the rows are.

    Neither the order of rows nor that of columns counts; how often a row occurs does. Integers of any width, floats of
    any width and times of any unit or zone count by their values; there is one NaN and one zero. Row hashes only put
    the rows in order: the digest is over every value, so that no two batches share one by a weak hash. Raises TypeError
    for columns of other types (lists, decimals, durations).
    """
    names = sorted(rows.columns)
    columns = {name: _plain(rows[name]) for name in names}
    order = _order(columns, rows.height)
    digest = hashlib.sha256(
        fingerprint.canonical([[[name, _type(values.dtype)] for name, values in columns.items()], rows.height])
    )
    for values in columns.values():
        for start in range(0, rows.height, PIECE):
            piece = values.gather(order[start : start + PIECE])
            digest.update(np.packbits(piece.is_null().to_numpy(), bitorder="little").tobytes())
            digest.update(_bytes(piece))
    return digest.hexdigest()


def _plain(values: pl.Series) -> pl.Series:
    """Values in the widest type of their kind; times as UTC in microseconds, as everywhere in the tables."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        utc = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else values
        return utc.dt.cast_time_unit("us")
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    if dtype.is_integer():
        return values.cast(pl.Int64)
    return values.cast(pl.Float64) if dtype.is_float() else values


def _type(dtype: pl.DataType) -> str:
    """The spec's word for a type."""
    if isinstance(dtype, pl.Datetime):
        return "datetime"
    words: dict[Any, str] = {
        pl.Int64: "integer",
        pl.Float64: "number",
        pl.String: "string",
        pl.Boolean: "boolean",
        pl.Date: "date",
    }
    for known, word in words.items():
        if dtype == known:
            return word
    message = f"columns of type {dtype} have no content digest; cast them to the types of a spec"
    raise TypeError(message)


def _order(columns: dict[str, pl.Series], height: int) -> npt.NDArray[np.int64]:
    """Positions (n_rows) of the rows in an order that their content alone decides; only equal rows may tie."""
    one: Bits = np.zeros(height, dtype=np.uint64)
    other: Bits = np.zeros(height, dtype=np.uint64)
    for name, values in columns.items():
        bits = hashed(values)
        one += mix(bits, f"content:{name}")
        other += mix(bits, f"order:{name}")
    return np.lexsort((other, one)).astype(np.int64)


def _bytes(piece: pl.Series) -> bytes:
    """Values as bytes that tell them apart: numbers little-endian, texts as their lengths and their UTF-8."""
    if piece.dtype == pl.String:
        texts = piece.fill_null("")
        lengths = texts.str.len_bytes().to_numpy().astype("<u8").tobytes()
        return lengths + str(texts.str.join("").item()).encode()
    if piece.dtype == pl.Float64:
        floats = piece.fill_null(0.0).to_numpy().astype("<f8") + 0.0  # -0.0 + 0.0 is 0.0
        return np.where(np.isnan(floats), np.nan, floats).astype("<f8").tobytes()
    return piece.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()
