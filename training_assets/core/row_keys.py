"""Row keys: 64 bits of a row's content, by arithmetic of our own that no library version can change.

The split of every row hangs on these bits, so nothing here may ever change: a change would turn old test rows into
training rows. Golden values in the tests hold them still.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.spec import ModelSpec

KEY = "_key"
Bits = npt.NDArray[np.uint64]
# Constants of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
# What a missing value hashes as, whatever its type: the bits of pi after the point.
NULL = np.uint64(0x243F6A8885A308D3)


def row_keys(rows: pl.DataFrame, spec: ModelSpec) -> pl.Series:
    """Keys (n_rows, Int64, named `_key`) of typed rows: equal content gives an equal key, in any order of rows.

    Content is the columns with role key where there are any; otherwise every column that may be read beside the label:
    roles feature, time and group. The order of columns, in the spec or in the rows, does not matter.
    """
    names = spec.with_role("key") or [*spec.raw_features, *spec.with_role("time"), *spec.with_role("group")]
    total = np.zeros(rows.height, dtype=np.uint64)
    for name in names:
        # A sum of well mixed terms does not depend on their order; each term knows the column that it came from.
        total += _finish(hashed(rows[name]) ^ text_bits(name))
    return pl.Series(KEY, _finish(total).view(np.int64))


def hashed(values: pl.Series) -> Bits:
    """Hashes (n) of the values of a column in its logical type; equal values hash equal, on every machine.

    Integers, booleans, dates and times by their bits; floats by their IEEE 754 bits with one zero and one NaN; text by
    the first eight bytes of its BLAKE2b, taken once for each distinct text.
    """
    bits = _texts(values) if values.dtype == pl.String else _numbers(values)
    mixed = _finish(bits)
    mixed[values.is_null().to_numpy()] = NULL
    return mixed


def mix(values: npt.NDArray[Any], salt: str) -> Bits:
    """Other hashes (n, uint64) of 64-bit values, as unlike the given ones as the salt is unlike another salt."""
    return _finish(_finish(values.astype(np.uint64, copy=False) ^ text_bits(salt)))


def text_bits(text: str) -> np.uint64:
    """The first eight bytes of a text's BLAKE2b, little-endian."""
    return np.uint64(int.from_bytes(_digest(text), "little"))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def share(bits: Bits) -> npt.NDArray[np.float64]:
    """Hashes (n) as fractions of the whole range, in [0, 1)."""
    # 53 bits are what a float holds exactly: more would round up to 1.
    return (bits >> np.uint64(11)).astype(np.float64) / float(2**53)


def _finish(bits: Bits) -> Bits:
    """One step of splitmix64: a bijection of 64 bits in which each bit in turns half of the bits out."""
    mixed = bits + GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST_FACTOR
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND_FACTOR
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _numbers(values: pl.Series) -> Bits:
    """The bits of numbers, booleans, dates and date-times; zero where there is none."""
    if values.dtype.is_float():
        floats = values.cast(pl.Float64).fill_null(0.0).to_numpy().astype(np.float64)
        floats = np.where(np.isnan(floats), np.nan, floats + 0.0)  # -0.0 + 0.0 is 0.0
        return np.ascontiguousarray(floats).view(np.uint64)
    integers = values.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
    return np.ascontiguousarray(integers).view(np.uint64)


def _texts(values: pl.Series) -> Bits:
    """The hashes of texts; zero where there is none."""
    distinct = values.drop_nulls().unique()
    digests = b"".join(_digest(text) for text in distinct)
    known = pl.DataFrame({"text": distinct, "bits": np.frombuffer(digests, dtype="<u8").astype(np.uint64)})
    found = values.to_frame("text").join(known, on="text", how="left", maintain_order="left")
    return np.ascontiguousarray(found["bits"].fill_null(0).to_numpy())
