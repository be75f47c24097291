"""MLflow's model registry: one version a candidate, and proof that a version loads back as it was trained."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.resources.signing import SIGNATURE, sign

TRUST = "TRAINING_ASSETS_TRUST"
"""Variable that names the packages which `training_assets.serving` reads models of a user's own family with."""
LOADER = "training_assets.serving"
ADDED_BY_MLFLOW = "registered_model_meta"
"""The file that MLflow writes, anew each time, into every copy of a version that it fetches: name and number of it."""
ANCHOR = "newest_move"
"""Tag of a registered model that keeps the hash of the newest move in the ledger."""
NO_PROGRESS_BAR = ("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
FRESH_PROCESS = Path(__file__).with_name("fresh_process.py")
FRESH_PROCESS_SECONDS = 300
REQUIREMENTS = (
    "polars",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "scikit-learn",
    "catboost",
    "lightgbm",
    "skops",
)


@dataclass(frozen=True)
class Registry:
    """The registry at an MLflow URI."""

    uri: str

    def version_of(
        self, model: str, candidate: str, files: str, code: str, *, taken: Collection[str] = ()
    ) -> str | None:
        """The version that was made of a candidate with these very files and this very code, if there is one.

        None of the numbers that are `taken`: see `register`.
        """
        asked = (
            f"name = '{model}' and tags.candidate = '{candidate}' and tags.model_files = '{files}' "
            f"and tags.code_files = '{code}'"
        )
        found = self._client().search_model_versions(asked)
        return min({str(version.version) for version in found} - set(taken), key=int, default=None)

    def register(
        self,
        mlflow: Any,
        model: str,
        folder: Path,
        code: Path,
        example: pl.DataFrame,
        tags: Mapping[str, str],
        description: str,
        *,
        taken: Collection[str] = (),
    ) -> str:
        """Log a folder with a package as a pyfunc with signature, example and the code to serve it; make a version.

        Where a key is given it is signed once all of its files are there: MLflow writes some of them, with the time,
        while it logs. The description is Markdown, for the version's page in MLflow's UI. Numbers that are `taken`,
        which MLflow gives once more after somebody removed versions in it, are passed over.
        """
        from importlib.metadata import version as installed

        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema, TensorSpec
        from mlflow.utils.logging_utils import disable_logging, enable_logging

        quantities = example.select(pl.col(pl.Float64, pl.Int64).cast(pl.Float64))
        sample = example.with_columns(quantities).head(5)
        columns: list[ColSpec | TensorSpec] = [
            ColSpec(
                "double" if dtype == pl.Float64 else "datetime" if dtype.is_temporal() else "string",
                name,
                required=False,
            )
            for name, dtype in sample.schema.items()
        ]
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=LOADER,
            data_path=str(folder),
            code_paths=[str(code)],
            signature=ModelSignature(inputs=Schema(columns)),
            input_example=sample.to_pandas(),
            pip_requirements=[f"{name}=={installed(name)}" for name in REQUIREMENTS],
            metadata=dict(tags),
        )
        self._sign(logged.model_id)
        disable_logging()  # type: ignore[no-untyped-call] # register_model prints to standard error what the run's log says already
        try:
            made = mlflow.register_model(logged.model_uri, model, tags=dict(tags))
            passed = []
            while str(made.version) in taken:
                passed.append(made.version)
                made = mlflow.register_model(logged.model_uri, model, tags=dict(tags))
            for number in passed:
                self._client().delete_model_version(model, number)
        finally:
            enable_logging()  # type: ignore[no-untyped-call] # MLflow has no annotation there
        self._client().update_model_version(model, made.version, description)
        return str(made.version)

    def download(self, model: str, version: str, folder: Path) -> Path:
        """Fetch a version's files into a folder; the MLflow model's folder in it.

        Raises InputError E_VERSION where the registry does not have it, or its files cannot be had.
        """
        from mlflow.exceptions import MlflowException

        try:
            return self._fetch(f"models:/{model}/{version}", folder)
        except (MlflowException, OSError) as error:
            message = f"version {version} of {model} cannot be had from the registry: {str(error)[:300]}"
            raise InputError("E_VERSION", message) from error

    def _fetch(self, uri: str, folder: Path) -> Path:
        import mlflow

        os.environ.setdefault(*NO_PROGRESS_BAR)
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)  # where `models:/` leads to is a setting of the process, the registry's too
        try:
            return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))
        finally:
            mlflow.set_tracking_uri(before)

    def _sign(self, logged: str) -> None:
        """Add its signature to what was logged, where a key is given."""
        with tempfile.TemporaryDirectory() as scratch:
            signature = Path(scratch) / SIGNATURE
            (Path(scratch) / "model").mkdir()
            if sign(self._fetch(f"models:/{logged}", Path(scratch) / "model"), signature, ADDED_BY_MLFLOW):
                self._client().log_model_artifact(logged, str(signature))

    def has(self, model: str, version: str) -> bool:
        """Whether the registry holds a version: somebody may have deleted it there."""
        return bool(self._client().search_model_versions(f"name = '{model}' and version_number = {int(version)}"))

    def alias(self, model: str, alias: str, version: str | None) -> None:
        """Let an alias name a version, or nothing; does nothing where it already does."""
        client = self._client()
        if self.aliases(model).get(alias) == version:
            return
        if version is None:
            client.delete_registered_model_alias(model, alias)
        else:
            client.set_registered_model_alias(model, alias, version)

    def aliases(self, model: str) -> dict[str, str]:
        """The version that each alias names; none where the registry does not know the model."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client().get_registered_model(model).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return {alias: str(version) for alias, version in found.items()}

    def anchor(self, model: str, move: str) -> None:
        """Keep the hash of a move, outside of the ledger that it is in."""
        self._client().set_registered_model_tag(model, ANCHOR, move)

    def anchored(self, model: str) -> str | None:
        """The hash of the newest move that this registry was told of; none where it knows of no move."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client().get_registered_model(model).tags.get(ANCHOR)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return None if found is None else str(found)

    def scores_in_a_fresh_process(
        self, version: str, fetch: Callable[[], Path], rows: bytes, *, root: Path, trust: tuple[str, ...] = ()
    ) -> dict[str, pl.DataFrame]:
        """Score feature rows (Parquet bytes) with a version, loaded by another Python process.

        By the way they were asked for: `together`, `reordered` with columns the other way round, and the last few of
        them `alone`, one by one.

        `fetch` gives the version's folder, and is called while the process imports its libraries; `trust` names
        packages below `root` that the model may be read back with. Raises what `fetch` does, and `InputError`
        (`E_PARITY`) with the other process's last words where it fails.
        """
        with tempfile.TemporaryDirectory() as folder:
            asked, answers = Path(folder) / "rows.parquet", Path(folder) / "scores"
            answers.mkdir()
            asked.write_bytes(rows)
            command = [sys.executable, "-P", "-B", str(FRESH_PROCESS), version]
            started = subprocess.Popen(  # noqa: S603 - our own file, arguments checked by name patterns
                [*command, str(asked), str(answers)],
                env={
                    **os.environ,
                    "MLFLOW_TRACKING_URI": self.uri,
                    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
                    NO_PROGRESS_BAR[0]: NO_PROGRESS_BAR[1],
                    TRUST: ",".join(trust),
                    **({"PYTHONPATH": str(root)} if trust else {}),
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            with started:
                try:
                    _, said = started.communicate(f"{fetch()}\n", timeout=FRESH_PROCESS_SECONDS)
                finally:
                    started.kill()
            if started.returncode != 0:
                last = said.strip().splitlines()[-1:] or ["it said nothing"]
                message = f"version {version} does not load in a fresh process: {last[0][:500]}"
                raise InputError("E_PARITY", message)
            return {path.stem: pl.read_parquet(io.BytesIO(path.read_bytes())) for path in answers.iterdir()}

    def _client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
