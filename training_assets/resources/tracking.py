"""MLflow tracking through dagster-mlflow: one MLflow run a Dagster run, found by its tag, ended on every path."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from training_assets.core.errors import InputError
from training_assets.resources.failures import clear_failures
from training_assets.resources.locks import exclusively
from training_assets.resources.mlflow_database import make_database
from training_assets.resources.places import Places

OPENING = "Starting a new mlflow run"
"""How dagster-mlflow's log line begins, also where it opens the same run once more."""


class Tracking(dg.ConfigurableResource):  # type: ignore[type-arg] # generic only for pythonic IO managers
    """Opens the run's MLflow run for a moment of logging; nothing is imported and no run exists before that."""

    places: dg.ResourceDependency[Places]

    @contextmanager
    def run(self, context: dg.AssetExecutionContext, model: str) -> Iterator[Any]:
        """dagster-mlflow's resource, which has MLflow's functions; the MLflow run is closed, FAILED after an error."""
        with _no_chatter():
            import mlflow
            from dagster_mlflow import mlflow_tracking

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        make_database(self.places)
        mlflow.set_tracking_uri(self.places.mlflow_uri)
        with clear_failures():
            self._have_experiment(mlflow, model)
        self._close_leftovers(mlflow, context.instance, model)
        config = {
            "experiment_name": model,
            "mlflow_tracking_uri": self.places.mlflow_uri,
            "env": {},
            "extra_tags": {"model": model},
        }
        status = "FAILED"
        try:
            with (
                _no_chatter(),
                dg.build_resources(
                    {"mlflow": mlflow_tracking},
                    instance=context.instance,
                    resource_config={"mlflow": {"config": config}},
                    dagster_run=context.run,
                    log_manager=context.log,
                ) as resources,
            ):
                yield resources.mlflow
            status = "FINISHED"
        finally:
            mlflow.end_run(status)

    def page_of_report(self, model: str, report: str) -> str | None:
        """Where MLflow's UI shows an evaluation's page, below its root; None where no run was tracked for it."""
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=self.places.mlflow_uri)
        experiment = client.get_experiment_by_name(model)
        found = (
            [] if experiment is None else client.search_runs([experiment.experiment_id], f"tags.report = '{report}'")
        )
        if experiment is None or not found:
            return None
        return f"#/experiments/{experiment.experiment_id}/runs/{found[0].info.run_id}/artifacts/evaluation/report.html"

    def _have_experiment(self, mlflow: Any, model: str) -> None:
        """The model's experiment is there; raises InputError E_MLFLOW where somebody deleted it."""
        with exclusively(self.places.locks, "mlflow"):  # two processes must not both create it
            found = mlflow.get_experiment_by_name(model)
            if found is None:
                mlflow.create_experiment(model, artifact_location=str(self.places.mlflow_artifacts / model))
            elif found.lifecycle_stage != "active":
                uri, number = self.places.mlflow_uri, found.experiment_id
                message = (
                    f"MLflow's experiment {model} was deleted, and its runs with it; bring it back, then run again: "
                    f"MLFLOW_TRACKING_URI={uri} mlflow experiments restore -x {number}"
                )
                raise InputError("E_MLFLOW", message)

    def _close_leftovers(self, mlflow: Any, instance: dg.DagsterInstance, model: str) -> None:
        """End, as KILLED, MLflow runs that still say RUNNING although their Dagster run is over: its process died."""
        client = mlflow.MlflowClient(tracking_uri=self.places.mlflow_uri)
        experiment = client.get_experiment_by_name(model)
        for left in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
            run = instance.get_run_by_id(left.data.tags.get("dagster_run_id", ""))
            if run is None or run.is_finished:
                client.set_terminated(left.info.run_id, "KILLED")


@contextmanager
def _no_chatter() -> Iterator[None]:
    """Leave out what others say about themselves: dagster-mlflow is in beta, and both call what they deprecate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
