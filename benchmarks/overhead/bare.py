"""The work alone: from files to a registered version, in one script, with no Dagster, ledger, artifact or check."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import polars as pl

from benchmarks.overhead.flights import MODEL, ROOT, spec
from training_assets.core import plots
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.evaluation.permutation import permutation_importance
from training_assets.core.evaluation.report import evaluate
from training_assets.core.families.data import Data
from training_assets.core.features.table import feature_table
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.splitting import deal
from training_assets.core.training import train
from training_assets.core.validation.quarantine import sort_rows
from training_assets.governance.packaging import bundled_code
from training_assets.resources.registry import Registry


def main(folder: Path, trials: int) -> None:
    """Train, evaluate and register, once."""
    model = spec(trials)
    task = model.target.task
    files = [identify(stamp) for stamp in stamps(model.source, ROOT)]
    rows = pl.concat([sort_rows(read_batch(file, model), model).rows for file in files])
    table = feature_table(rows, model, ROOT)
    dealt = deal(
        table.rows, model.split, task, group=None, time=model.one_with_role("time"), column=None,
        batch_order=[file.digest for file in files],
    )  # fmt: skip
    splits = {name: table.rows.filter(dealt == name) for name in ("train", "validation", "test")}
    fitted = Preprocessor.fit(splits["train"], table.kinds, model.encoding, task, table.classes, model.search.seed)
    encoded = {name: fitted.encode(split) for name, split in splits.items() if name != "train"}
    encoded["train"] = fitted.encode_training(splits["train"])
    trained = train(fitted, encoded, model, ROOT, cores=len(os.sched_getaffinity(0)), say=print)
    scorer, study = trained.scorer, trained.tuned.study
    learnt, test = (Data.of(encoded[name], fitted.layout) for name in ("train", "test"))
    known: dict[str, Any] = {"classes": table.classes, "threshold": scorer.threshold, "seed": model.search.seed}
    report = evaluate(
        task, test.labels, scorer.predict_encoded(test), spec=model.evaluation, train_target=learnt.labels, **known
    )
    importances = fitted.layout.by_feature(scorer.model.importances())
    report["importance"] = permutation_importance(
        task, splits["test"], test.labels, scorer.predict, importances, **known
    )
    scorer.save(folder / "model" / "package" / "scorer")
    for name, picture in {
        **plots.plots_for(report),
        **plots.study_plots(study, trained.tuned.best_model_curves),
    }.items():
        (folder / f"{name}.png").write_bytes(picture)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment(MODEL, artifact_location=str(folder / "mlflow"))
    mlflow.set_experiment(MODEL)
    with mlflow.start_run():
        mlflow.log_params(study.best_trial.params)
        mlflow.log_metrics({name: value["value"] for name, value in report["metrics"].items()})
        example = splits["validation"].select(list(table.kinds)).head(64)
        code = bundled_code(folder / "code")
        Registry(uri).register(mlflow, MODEL, folder / "model", code, example, {"candidate": scorer.digest}, "")
    print("score", study.best_trial.score)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary), int(sys.argv[1]))
