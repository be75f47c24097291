"""A small project of its own for a test: one model, its files, and every real part behind it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from training_assets.component import assemble
from training_assets.definitions import resources
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

MODEL = "churn"
LONG_AGO = 1_600_000_000
SPEC: dict[str, Any] = {
    "description": "Will a customer leave?",
    "owners": ["team:test"],
    "source": {"path": "landing/*.csv", "format": "csv"},
    "columns": {
        "customer": {"type": "string", "role": "key", "nullable": False},
        "age": {"type": "integer", "min": 0, "max": 120},
        "income": {"type": "number"},
        "plan": {"type": "string", "values": ["basic", "plus", "pro"]},
        "left_on": {"type": "string", "role": "leaking", "because": "known after the outcome"},
        "churned": {"type": "string", "nullable": False},
    },
    "target": {"column": "churned", "task": "binary", "classes": ["no", "yes"], "positive": "yes"},
    "features": {"derived": {"income_per_year": "income / (age + 1)"}},
    "search": {"families": ["linear", "hist_gradient_boosting"], "trials": 2, "max_iterations": 40, "parallel": 1},
    "evaluation": {
        "replicates": 50,
        "gates": [
            {"kind": "value", "metric": "roc_auc", "min": 0.6},
            {"kind": "beats_dummy", "metric": "log_loss"},
        ],
    },
}


def customers(rows: int, seed: int, *, learnable: bool = True) -> pl.DataFrame:
    """Rows whose label follows from age and plan, or from nothing at all."""
    rng = np.random.default_rng(seed)
    age, plan = rng.integers(18, 80, rows), rng.choice(["basic", "plus", "pro"], rows)
    signal = (age - 50) / 10 + (plan == "basic") * 1.5 if learnable else np.zeros(rows)
    churned = rng.random(rows) < 1 / (1 + np.exp(-signal))
    return pl.DataFrame(
        {
            "customer": [f"c{seed}-{number}" for number in range(rows)],
            "age": age,
            "income": rng.normal(40_000, 9_000, rows).round(2),
            "plan": plan,
            "left_on": np.where(churned, "2026-01-01", ""),
            "churned": np.where(churned, "yes", "no"),
        }
    )


@dataclass(frozen=True)
class Workplace:
    """One model in a folder, with an instance that keeps its events."""

    root: Path
    instance: dg.DagsterInstance
    spec: ModelSpec = field(default_factory=lambda: ModelSpec.model_validate(SPEC))

    @property
    def places(self) -> Places:
        return Places(self.root, self.root / "home")

    def definitions(self, *more: dg.Definitions) -> dg.Definitions:
        models = Models({MODEL: self.spec})
        outside = dg.Definitions(resources=resources(models, self.places), executor=dg.in_process_executor)
        return dg.Definitions.merge(assemble(MODEL, self.spec), outside, *more)

    def land(self, name: str, rows: pl.DataFrame, *, young: bool = False) -> Path:
        """Put a file into the landing folder; one that is not young was last written to long ago."""
        path = self.root / "landing" / name
        path.parent.mkdir(exist_ok=True)
        rows.write_csv(path)
        if not young:
            os.utime(path, (LONG_AGO, LONG_AGO))
        return path

    def with_spec(self, **sections: Any) -> Workplace:
        """The same place with other sections in the spec."""
        return replace(self, spec=ModelSpec.model_validate({**self.spec.model_dump(mode="json"), **sections}))

    def train(self, *, force: bool = False) -> dg.ExecuteInProcessResult:
        return self.execute(f"{MODEL}_train", {"resources": {"artifacts": {"config": {"force": force}}}})

    def stage(self) -> dg.ExecuteInProcessResult:
        return self.execute(f"{MODEL}_stage", {})

    def execute(self, job: str, run_config: dict[str, Any]) -> dg.ExecuteInProcessResult:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return (
            self.definitions()
            .resolve_job_def(job)
            .execute_in_process(run_config={**run_config, **quiet}, instance=self.instance, raise_on_error=False)
        )

    def tick(self, event: str, cursor: str | None = None) -> dg.SensorExecutionData:
        """What a sensor of the model says at a tick."""
        definitions = self.definitions()
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            definitions=definitions,
            resources={name: definitions.resources[name] for name in ("models", "places", "artifacts", "registry")},
        ) as context:
            return definitions.resolve_sensor_def(f"{MODEL}_{event}").evaluate_tick(context)

    def materialise(self, *assets: str) -> dg.ExecuteInProcessResult:
        """What a click on Materialize launches: a run of just these assets, without their checks' upstream."""
        selection = [dg.AssetKey([MODEL, asset]) for asset in assets]
        job = self.definitions().resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=selection,
            instance=self.instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )

    def versions(self) -> list[str]:
        """Versions of the model in MLflow's registry, whoever made them."""
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self.places.mlflow_uri, registry_uri=self.places.mlflow_uri)
        return [str(version.version) for version in client.search_model_versions(f"name = '{MODEL}'")]


@contextmanager
def workplace(root: Path) -> Iterator[Workplace]:
    """A workplace whose instance is closed at the end."""
    home = root / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (root / "home").mkdir()
    shutil.copy(_migrated_mlflow_database(), root / "home" / "mlflow.db")
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield Workplace(root, instance)


@cache
def _migrated_mlflow_database() -> Path:
    """An empty MLflow database with its tables; making one takes seconds, so each place copies this one."""
    from mlflow import MlflowClient

    path = Path(tempfile.mkdtemp()) / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """What failed steps said, user's words where there are any."""
    said = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            said.append(
                data.user_failure_data.description if data.user_failure_data else str(data.error.cause or data.error)
            )
        elif event.is_failure and not said:
            said.append(str(event.event_specific_data))
    return said


def failed_checks(result: dg.ExecuteInProcessResult) -> list[str]:
    """Names of the checks that did not pass."""
    return sorted(each.check_name for each in result.get_asset_check_evaluations() if not each.passed)


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """Metadata of an asset's materialisation in a run, as plain values."""
    for event in result.get_asset_materialization_events():
        if event.asset_key == dg.AssetKey([MODEL, asset]):
            return {name: value.value for name, value in event.materialization.metadata.items()}
    message = f"{asset} was not materialised"
    raise AssertionError(message)
