"""Rows made up for tests: a feature for each encoding that a spec can ask for."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.spec import Encoding
from training_assets_tests.core.encoding.made_rows import holed

KINDS: FeatureKinds = {
    "amount": "numeric",
    "skewed": "numeric",
    "colour": "categorical",
    "shop": "categorical",
    "street": "categorical",
    "size": "categorical",
    "agent": "categorical",
    "note": "categorical",
    "tags": "categorical",
    "opened": "date",
    "moved": "date",
}
SKEWED = {"method": "quantity", "impute": "constant", "value": 1, "scale": "robust", "log": True, "clip": [0, 0.99]}
ENCODING = Encoding.model_validate(
    {
        "scale": "quantile",
        "min_level_rows": 2,
        "columns": {
            "skewed": SKEWED,
            "colour": {"method": "one_hot"},
            "shop": {"method": "target", "max_levels": 20},
            "street": {"method": "native"},
            "size": {"method": "ordinal", "order": ["small", "middle", "large"]},
            "agent": {"method": "count"},
            "note": {"method": "embedded", "components": 5},
            "tags": {"method": "multi_hot", "separator": "|", "max_items": 3},
            "moved": {"method": "date", "parts": ["elapsed", "weekday", "hour"], "since": "opened"},
        },
    }
)
START = datetime.fromisoformat("2024-01-01")
WORDS = ("red", "blue", "fast", "slow", "car", "house", "river", "bridge")


@cache
def mixed(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    """Rows of a binary task, with holes in every feature, the same for the same arguments."""
    rng = np.random.default_rng(seed)

    def texts(words: list[str]) -> pl.Series:
        return holed(pl.Series(words), rng)

    def moments() -> pl.Series:
        return holed(pl.Series([START + timedelta(minutes=int(each)) for each in rng.integers(0, 900_000, rows)]), rng)

    return pl.DataFrame(
        {
            "_batch": ["b" * 64] * rows,
            "_row": np.arange(1, rows + 1),
            "_target": rng.choice(["no", "yes"], rows),
            "amount": holed(pl.Series(rng.normal(size=rows)), rng),
            "skewed": holed(pl.Series(rng.lognormal(3, 2, rows)), rng),
            "colour": texts(rng.choice(["red", "green", "blue"], rows).tolist()),
            "shop": texts([f"shop {code}" for code in rng.geometric(0.1, rows)]),
            "street": texts([f"street {code}" for code in rng.geometric(0.2, rows)]),
            "size": texts(rng.choice(["small", "middle", "large", "odd"], rows).tolist()),
            "agent": texts([f"a{code}" for code in rng.geometric(0.2, rows)]),
            "note": texts([" ".join(rng.choice(WORDS, 2)) for _ in range(rows)]),
            "tags": texts(["|".join(rng.choice(WORDS, rng.integers(0, 4))) for _ in range(rows)]),
            "opened": moments(),
            "moved": moments().cast(pl.Date),
        }
    )


def fitted(rows: pl.DataFrame | None = None, seed: int = 0) -> Preprocessor:
    """Fitted on these rows, or on the rows made up."""
    return Preprocessor.fit(mixed() if rows is None else rows, KINDS, ENCODING, "binary", ["no", "yes"], seed)
