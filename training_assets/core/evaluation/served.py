"""What a model is as it is served: how fast and how large, and whether raw rows give the scores that were evaluated."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.core.parity import largest_difference
from training_assets.core.scoring import Scorer, table

ALONE = 60
"""Rows that are scored one by one."""
TOGETHER = 10_000
"""Rows that are scored at once."""


def runtime(scorer: Scorer, rows: pl.DataFrame, folder: Path) -> dict[str, Any] | None:
    """Latency of one raw row (95th percentile and median, milliseconds), rows a second, and the size; as JSON.

    None where there are no rows. Times are of the machine that evaluates, on one row after another. `size_mb` is what
    the files in `folder` take on disk, in 10^6 bytes: what is shipped, and not the memory of a process that serves it.
    """
    if not rows.height:
        return None
    scorer.predict(rows.head(1))  # imports and caches are no part of it
    alone = [_seconds(scorer, rows.slice(place % rows.height, 1)) for place in range(ALONE)]
    together = rows.head(TOGETHER)
    took = _seconds(scorer, together)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "latency_ms": float(np.quantile(alone, 0.95)) * 1e3,
        "latency_ms_median": float(np.median(alone)) * 1e3,
        "rows_per_second": together.height / took if took > 0 else None,
        "size_mb": size / 1e6,
    }


def parity(scorer: Scorer, golden: pl.DataFrame, golden_scores: pl.DataFrame) -> dict[str, Any]:
    """Raw rows scored by the files as they were read back, against what training saw, as JSON.

    None instead of a difference where shapes, names or classes differ.
    """
    difference = largest_difference(golden_scores, table(scorer, golden))
    return {"rows": golden.height, "largest_difference": difference if np.isfinite(difference) else None}


def _seconds(scorer: Scorer, rows: pl.DataFrame) -> float:
    began = time.perf_counter()
    scorer.predict(rows)
    return time.perf_counter() - began
