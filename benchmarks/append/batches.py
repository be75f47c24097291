"""Batches of orders, made from a seed: four texts, eight numbers, a time, a key and a label."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

MODEL = "orders"
SPEC: dict[str, Any] = {
    "source": {"path": "landing/*.csv", "format": "csv"},
    "columns": {
        "order_id": {"type": "string", "role": "key", "nullable": False},
        "placed_at": {"type": "datetime", "role": "time"},
        "country": {"type": "string", "values": ["at", "be", "ch", "de", "fr", "it", "nl"]},
        "channel": {"type": "string", "pattern": "[a-z]+"},
        "city": {"type": "string"},
        "coupon": {"type": "string"},
        **{f"amount_{number}": {"type": "number", "min": 0} for number in range(8)},
        "returned": {"type": "boolean", "nullable": False},
    },
    "target": {"column": "returned", "task": "binary", "positive": "true"},
    "validation": {"rules": {"parts_below_total": "amount_0 <= amount_0 + amount_1"}},
}


def write(folder: Path, number: int, rows: int) -> Path:
    """The n-th batch as a CSV file."""
    rng = np.random.default_rng(number)
    start = dt.datetime(2026, 1, 1) + dt.timedelta(days=number)  # noqa: DTZ001 - naive UTC, as in the file
    seconds = rng.integers(0, 86_400, rows)
    frame = pl.DataFrame(
        {
            "order_id": [f"{number}-{at}" for at in range(rows)],
            "placed_at": pl.Series([start], dtype=pl.Datetime("us")).new_from_index(0, rows)
            + pl.Series(seconds * 1_000_000).cast(pl.Duration("us")),
            "country": rng.choice(SPEC["columns"]["country"]["values"], rows),
            "channel": rng.choice(["web", "shop", "phone"], rows),
            "city": [f"city {at}" for at in rng.zipf(1.5, rows).clip(1, 5_000)],
            "coupon": np.where(rng.random(rows) < 0.8, "", "SPRING"),
            **{f"amount_{at}": rng.gamma(2.0, 30.0, rows).round(2) for at in range(8)},
            "returned": rng.random(rows) < 0.2,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:03}.csv"
    frame.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S")
    return path
