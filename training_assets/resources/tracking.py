"""MLflow tracking through dagster-mlflow: one MLflow run a Dagster run, found by its tag, ended on every path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg


class Tracking(dg.ConfigurableResource):  # type: ignore[type-arg] # generic only for pythonic IO managers
    """Opens the run's MLflow run for a moment of logging; nothing is imported and no run exists before that."""

    uri: str
    artifact_folder: str

    @contextmanager
    def run(self, context: dg.AssetExecutionContext, model: str) -> Iterator[Any]:
        """dagster-mlflow's resource, which has MLflow's functions; the MLflow run is closed, FAILED after an error."""
        import mlflow
        from dagster_mlflow import mlflow_tracking

        mlflow.set_tracking_uri(self.uri)
        if mlflow.get_experiment_by_name(model) is None:
            mlflow.create_experiment(model, artifact_location=f"{self.artifact_folder}/{model}")
        config = {"experiment_name": model, "mlflow_tracking_uri": self.uri, "env": {}, "extra_tags": {"model": model}}
        status = "FAILED"
        try:
            with dg.build_resources(
                {"mlflow": mlflow_tracking},
                instance=context.instance,
                resource_config={"mlflow": {"config": config}},
                dagster_run=context.run,
                log_manager=context.log,
            ) as resources:
                yield resources.mlflow
            status = "FINISHED"
        finally:
            mlflow.end_run(status)
