"""Run as a module: loads one registry version, after checking its files, and scores rows with it.

Arguments: model, version, digest of the version's files, Parquet file of rows, Parquet file for the scores.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import polars as pl

from training_assets.core import fingerprint
from training_assets.resources.registry import LOADER


def main(model: str, version: str, files: str, rows: str, scores: str) -> None:
    """Score; raises `ValueError` where the version's files are not those that were registered."""
    import mlflow
    import yaml

    with tempfile.TemporaryDirectory() as folder:
        local = Path(mlflow.artifacts.download_artifacts(f"models:/{model}/{version}", dst_path=folder))
        flavors = yaml.safe_load((local / "MLmodel").read_text())["flavors"]
        flavor = flavors.get("python_function", {})
        if set(flavors) != {"python_function"} or flavor.get("loader_module") != LOADER or flavor.get("code"):
            message = f"version {version} asks to be loaded by something else than {LOADER}; it is not one of ours"
            raise ValueError(message)
        data = local / flavor["data"]
        if not data.resolve().is_relative_to(local.resolve()) or _digest(data) != files:
            message = f"the files of version {version} have changed since it was registered"
            raise ValueError(message)
        asked = pl.read_parquet(rows).with_columns(pl.col(pl.Int64).cast(pl.Float64))  # the signature's quantities
        served = mlflow.pyfunc.load_model(str(local)).predict(asked.to_pandas())
        pl.from_pandas(served).write_parquet(scores)


def _digest(folder: Path) -> str:
    """Identity of a folder's files, as registration computed it."""
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return fingerprint.digest(
        {f"{folder.name}/{path.relative_to(folder).as_posix()}": fingerprint.digest_file(path) for path in names}
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
