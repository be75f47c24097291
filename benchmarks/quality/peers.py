"""A peer's run on one deal, in the peer's own environment: `python -m benchmarks.quality.peers SYSTEM …`.

Both are given the training and validation rows together as their development data, and choose their own holdout.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.quality import cpu_clock

if TYPE_CHECKING:
    import pandas as pd

METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
PACKAGES = {
    "autogluon": ("autogluon.tabular", "lightgbm", "catboost", "xgboost-cpu", "fastai", "torch", "scikit-learn"),
    "flaml": ("flaml", "lightgbm", "catboost", "xgboost", "scikit-learn"),
}


def main() -> None:
    """Fit, predict the test rows, and write `OUT.parquet` and `OUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=tuple(PACKAGES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    # Before the peer is imported, so that whatever keeps a clock of its own keeps this one.
    cpu_clock.install()
    meta = json.loads((asked.folder / "meta.json").read_text(encoding="utf-8"))
    parts = {name: _read(asked.folder / f"{name}.parquet", meta) for name in ("train", "validation", "test")}
    run = {"autogluon": _autogluon, "flaml": _flaml}[asked.system]
    predictions, spent = run(parts, meta, asked.seconds, asked.seed)
    _write(asked.out, predictions)
    versions = {name: version(name) for name in PACKAGES[asked.system]}
    asked.out.with_suffix(".json").write_text(json.dumps({**spent, "versions": versions}), encoding="utf-8")


def _read(path: Path, meta: dict[str, Any]) -> pd.DataFrame:
    """Features and label, as a user's frame would have them: numbers, dates, truth values, else text."""
    import pandas as pd
    import pyarrow.parquet as pq

    rows: pd.DataFrame = pq.read_table(path).to_pandas(date_as_object=False)
    rows = rows[[*meta["kinds"], *(name for name in meta["beside"] if name not in meta["kinds"]), "_target"]]
    for name in rows.columns:
        if pd.api.types.is_datetime64_any_dtype(rows[name]):
            rows[name] = rows[name].astype("datetime64[ns]")
    return rows


def _autogluon(
    parts: dict[str, pd.DataFrame], meta: dict[str, Any], seconds: float, seed: int
) -> tuple[Any, dict[str, Any]]:
    """AutoGluon's `medium_quality`."""
    import numpy as np
    import pandas as pd
    import torch  # type: ignore[import-not-found]
    from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found]

    torch.set_num_threads(cpu_clock.THREADS)
    np.random.seed(seed)  # noqa: NPY002 - what the peer itself draws from, where it is given no seed
    torch.manual_seed(seed)
    development = pd.concat([parts["train"], parts["validation"]], ignore_index=True)
    task = meta["task"]
    with tempfile.TemporaryDirectory() as folder:
        spent = cpu_clock.Spent()
        predictor = TabularPredictor(
            label="_target",
            problem_type=task,
            eval_metric=METRICS[task],
            path=folder,
            **({"positive_class": meta["positive"]} if task == "binary" else {}),
            learner_kwargs={"random_state": seed},
        )
        predictor.fit(
            development,
            presets="medium_quality",
            time_limit=seconds,
            num_cpus=cpu_clock.THREADS,
            num_gpus=0,
        )
        used = spent.so_far()
        test = parts["test"].drop(columns="_target")
        if task == "regression":
            return predictor.predict(test).to_numpy(), used
        probabilities = predictor.predict_proba(test)
        if task == "binary":
            return probabilities[meta["positive"]].to_numpy(), used
        return probabilities.reindex(columns=meta["classes"], fill_value=0.0).to_numpy(), used


def _flaml(
    parts: dict[str, pd.DataFrame], meta: dict[str, Any], seconds: float, seed: int
) -> tuple[Any, dict[str, Any]]:
    """FLAML's `AutoML.fit` with its defaults."""
    import numpy as np
    import pandas as pd
    from flaml import AutoML  # type: ignore[import-not-found]

    task, classes = meta["task"], meta["classes"]
    development = pd.concat([parts["train"], parts["validation"]], ignore_index=True)
    test = parts["test"].drop(columns="_target")
    features = development.drop(columns="_target")
    labels = development["_target"].to_numpy()
    if task != "regression":
        labels = labels.astype(str)
        labels = np.array([classes.index(label) for label in labels])
    for name, kind in meta["kinds"].items():
        if kind == "categorical":
            levels = pd.CategoricalDtype(features[name].dropna().unique())
            features[name], test[name] = features[name].astype(levels), test[name].astype(levels)
    spent = cpu_clock.Spent()
    automl = AutoML()
    automl.fit(
        features,
        labels,
        task="regression" if task == "regression" else "classification",
        metric=METRICS[task],
        time_budget=seconds,
        n_jobs=cpu_clock.THREADS,
        seed=seed,
        verbose=2,
    )
    used = spent.so_far()
    if task == "regression":
        return automl.predict(test), used
    found = automl.predict_proba(test)
    probabilities = np.zeros((len(test), len(classes)))
    probabilities[:, np.asarray(automl.classes_, dtype=int)] = found
    return (probabilities[:, classes.index(meta["positive"])] if task == "binary" else probabilities), used


def _write(out: Path, predictions: Any) -> None:
    """One column of values or of the positive class's probabilities, or one for each class, by number."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = np.asarray(predictions, dtype=np.float64).reshape(len(predictions), -1)
    table = pa.table({f"p{at}": columns[:, at] for at in range(columns.shape[1])})
    pq.write_table(table, out.with_suffix(".parquet"))


if __name__ == "__main__":
    main()
