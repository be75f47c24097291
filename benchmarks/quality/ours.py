"""This project's run on one deal: `python -m benchmarks.quality.ours FOLDER SECONDS SEED OUT`."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.quality import cpu_clock
from benchmarks.quality.sets import ROOT
from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.scoring import Scorer
from training_assets.core.training import train
from training_assets.spec import ModelSpec

PACKAGES = ("catboost", "lightgbm", "scikit-learn", "optuna", "polars")


def fit_ours(splits: dict[str, pl.DataFrame], meta: dict[str, Any], seconds: float, seed: int) -> Scorer:
    """The scorer that the default spec makes of training and validation rows: encoding and search, within the budget.

    The time that encoding takes is the budget's, too.
    """
    began = cpu_clock.budget_seconds()
    spec = ModelSpec.model_validate(meta["spec"])
    task, kinds, classes = spec.target.task, meta["kinds"], meta["classes"]
    fitted = fit_preprocessor({"train": splits["train"]}, kinds, spec.encoding, task, classes, seed)
    encoded = {"train": fitted.encode_training(splits["train"]), "validation": fitted.encode(splits["validation"])}
    left = max(seconds - (cpu_clock.budget_seconds() - began), 1.0)
    search = spec.search.model_copy(update={"budget_seconds": left, "seed": seed})
    spec = spec.model_copy(update={"search": search})
    clock, cores = cpu_clock.budget_seconds, cpu_clock.THREADS
    return train(fitted, encoded, spec, ROOT, cores=cores, clock=clock, say=print).scorer


def main() -> None:
    """Fit, predict the test rows, and write `OUT.parquet` and `OUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    meta = json.loads((asked.folder / "meta.json").read_text(encoding="utf-8"))
    splits = {name: pl.read_parquet(asked.folder / f"{name}.parquet") for name in ("train", "validation", "test")}
    spent = cpu_clock.Spent()
    scorer = fit_ours({name: splits[name] for name in ("train", "validation")}, meta, asked.seconds, asked.seed)
    used = spent.so_far()
    predictions = scorer.predict(splits["test"])
    columns = predictions.reshape(len(predictions), -1)
    frame = pl.DataFrame({f"p{at}": columns[:, at] for at in range(columns.shape[1])})
    frame.write_parquet(asked.out.with_suffix(".parquet"))
    versions = {name: version(name) for name in PACKAGES}
    asked.out.with_suffix(".json").write_text(json.dumps({**used, "versions": versions}), encoding="utf-8")


if __name__ == "__main__":
    main()
