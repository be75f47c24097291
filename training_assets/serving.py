"""What MLflow calls to serve a version: the scorer behind `mlflow.pyfunc.load_model`, with no pickle in sight.

A model with a family of the user's own is served where that family's module can be imported and the environment
variable TRAINING_ASSETS_TRUST names it (several are separated by commas); by default, none is trusted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from training_assets.core.scoring import Scorer, table

if TYPE_CHECKING:
    import pandas as pd

TRUST = "TRAINING_ASSETS_TRUST"
PACKAGE, SCORER = "package", "scorer"
"""What is packed for the registry, and the folder of the model in it."""


class ServedModel:
    """Predictions for a pandas frame of feature rows: one row a row, `prediction` first, then class probabilities."""

    def __init__(self, scorer: Scorer) -> None:
        """Serve a loaded scorer."""
        self._scorer = scorer

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predictions of `n_rows` feature rows, as a frame of `n_rows`; takes no `params`."""
        if params:
            message = f"the model takes no parameters, got {sorted(params)}"
            raise ValueError(message)
        return table(self._scorer, pl.from_pandas(rows)).to_pandas()


def _load_pyfunc(path: str) -> ServedModel:
    """Entry point that MLflow looks for; `path` is the folder that registration packed."""
    return ServedModel(Scorer.load(Path(path) / PACKAGE / SCORER, trusted(os.environ)))


def trusted(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The modules that whoever serves allows models to import."""
    return tuple(name.strip() for name in environment.get(TRUST, "").split(",") if name.strip())
