"""Encoded rows to search on: flights of a year, and made ones of any number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from benchmarks.quality.cells import Cells
from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.encoding.layout import Layout
from training_assets.core.families.data import Data
from training_assets.spec.encoding import Encoding

LEVELS = (2, 3, 5, 8, 12, 20, 50, 200, 2_000, 20_000)
QUANTITIES = 20
VALIDATION = 0.2
BLANK = 0.1
"""Share of every third quantity that is missing."""


@dataclass(frozen=True)
class Encoded:
    """Two encoded splits."""

    frames: dict[str, pl.DataFrame]  # "train", "validation"
    layout: Layout

    @property
    def bytes(self) -> int:
        """Bytes of both frames."""
        return sum(int(frame.estimated_size()) for frame in self.frames.values())

    def data(self) -> tuple[Data, Data]:
        """Both splits as families read them, with nothing built yet."""
        return Data.of(self.frames["train"], self.layout), Data.of(self.frames["validation"], self.layout)


def flights(rows: int | None = None) -> Encoded:
    """Training and validation rows of `benchmarks.quality`'s first deal of flights; `rows`: the first so many of each.

    The deal is made where it is not there yet.
    """
    deals = Cells()
    deals.make_deals("flights_late", [0])
    folder = deals.deal("flights_late", 0)
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    splits = {name: pl.read_parquet(folder / f"{name}.parquet").head(rows or 2**31) for name in ("train", "validation")}
    return _encoded(splits, meta["kinds"], meta["classes"])


def made(rows: int) -> Encoded:
    """Rows of 20 quantities and 10 categories of 2 to 20,000 levels, a fifth of them for validation; binary."""
    rng = np.random.default_rng(0)
    quantities = rng.standard_normal((rows, QUANTITIES))
    quantities[:, ::2] = np.exp(quantities[:, ::2])
    categories = [(rng.random(rows) ** 2 * levels).astype(np.int64) for levels in LEVELS]
    effects = [rng.standard_normal(levels)[codes] for levels, codes in zip(LEVELS, categories, strict=True)]
    signal = quantities[:, 0] * quantities[:, 1] + np.sin(quantities[:, 3]) + 0.3 * sum(effects)
    late = rng.random(rows) < 1 / (1 + np.exp(-(signal - np.median(signal))))
    quantities[:, ::3][rng.random((rows, len(range(0, QUANTITIES, 3)))) < BLANK] = np.nan
    columns: dict[str, Any] = {f"x{place}": column for place, column in enumerate(quantities.T)}
    columns |= {f"c{place}": np.char.add("level ", codes.astype(str)) for place, codes in enumerate(categories)}
    frame = pl.DataFrame(columns).with_columns(
        pl.lit("made").alias("_batch"),
        pl.int_range(1, rows + 1).alias("_row"),
        pl.int_range(1, rows + 1).alias("_key"),
        pl.Series("_target", np.where(late, "yes", "no")),
        pl.col(r"^x\d+$").fill_nan(None),
    )
    cut = round(rows * (1 - VALIDATION))
    kinds = {name: "numeric" if name.startswith("x") else "categorical" for name in columns}
    return _encoded({"train": frame[:cut], "validation": frame[cut:]}, kinds, ["no", "yes"])


def _encoded(splits: dict[str, pl.DataFrame], kinds: Any, classes: list[str]) -> Encoded:
    fitted = fit_preprocessor({"train": splits["train"]}, kinds, Encoding(), "binary", classes, 0)
    train, validation = fitted.encode_training(splits["train"]), fitted.encode(splits["validation"])
    return Encoded({"train": train, "validation": validation}, fitted.layout)
