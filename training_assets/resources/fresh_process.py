"""Run as a file: loads one registry version with the code that it carries, and scores rows with it.

Arguments: the version's number, Parquet file of rows, and a folder for the scores: `together.parquet`,
`reordered.parquet` (columns the other way round) and `alone.parquet` (the last rows, each asked for by itself). The
version's folder is a line of its standard input, for which it waits once its libraries are there. It imports nothing of
this project before the version does. Whoever starts it fetches the version by `packages.package_of`, which holds every
file against the ledger and leaves compiled code out.
"""

from __future__ import annotations

import sys
from pathlib import Path

LOADER = "training_assets.serving"
CODE = "training_assets"
ALONE = 8
"""Rows that are asked for one by one: the awkward ones are last."""


def main(version: str, rows: str, scores: str) -> None:
    """Score; raises `ValueError` where the version would be loaded by other code than its own."""
    import mlflow.pyfunc
    import polars as pl
    import yaml

    local = Path(sys.stdin.readline().removesuffix("\n")).resolve()
    flavors = yaml.safe_load((local / "MLmodel").read_text())["flavors"]
    flavor = flavors.get("python_function", {})
    loaded = (flavor.get("loader_module"), flavor.get("code"))
    if set(flavors) != {"python_function"} or loaded != (LOADER, "code"):
        message = f"version {version} asks to be loaded by something else than {LOADER}; it is not one of ours"
        raise ValueError(message)
    if {path.name for path in (local / "code").iterdir()} != {CODE}:
        message = f"version {version} carries code that is not its own"
        raise ValueError(message)
    asked = pl.read_parquet(rows, glob=False).with_columns(
        pl.col(pl.Int64).cast(pl.Float64)
    )  # the signature's quantities
    # Nobody would see the warning that packages are not those of the requirements; finding out takes a second.
    model_of = mlflow.pyfunc.load_model(str(local), suppress_warnings=True)
    last = asked.tail(ALONE)
    served = {
        "together": [asked],
        "reordered": [asked.select(reversed(asked.columns))],
        "alone": [last.slice(place, 1) for place in range(last.height)],
    }
    answers = {
        way: pl.concat([pl.from_pandas(model_of.predict(each.to_pandas())) for each in frames])
        for way, frames in served.items()
    }
    origin = Path(sys.modules[LOADER].__file__ or "").resolve()
    if not origin.is_relative_to(local.resolve()):
        message = f"version {version} was loaded by {origin}, not by the code that it carries"
        raise ValueError(message)
    for way, answer in answers.items():
        answer.write_parquet(Path(scores) / f"{way}.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
