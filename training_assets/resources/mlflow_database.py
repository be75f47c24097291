"""MLflow's own database: there with all its tables, or not at all."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from training_assets.resources.locks import exclusively
from training_assets.resources.places import Places


def make_database(places: Places) -> None:
    """Make the database where there is none: beside its place first, because a half made one is never mended.

    MLflow makes its tables in many steps, and cannot go on where a kill or a full disk ended them.
    """
    with exclusively(places.locks, "mlflow"):
        if places.mlflow_database.exists():
            return
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        places.mlflow_database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=places.mlflow_database.parent) as folder:
            made = Path(folder) / "mlflow.db"
            client = MlflowClient(tracking_uri=f"sqlite:///{made}", registry_uri=f"sqlite:///{made}")
            client.search_experiments(max_results=1)
            client.search_registered_models(max_results=1)
            made.replace(places.mlflow_database)
