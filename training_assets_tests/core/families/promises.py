"""What tests of several families ask of a model: constraints, quantiles, weights, and another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.families import Data, FittedModel
from training_assets.spec import Encoding
from training_assets.spec.target import Task

ELSEWHERE = """
import sys
from pathlib import Path
import numpy as np
import polars as pl
from training_assets.core import families
from training_assets.core.encoding import Preprocessor
folder, name = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(folder))
preprocessor = Preprocessor.from_json(__import__("json").loads((folder / "preprocessor.json").read_text()))
rows = pl.read_parquet(folder / "rows.parquet")
model = families.load(name, folder / "model", trust=tuple(sys.argv[3:]))
np.save(folder / "elsewhere.npy", model.predict(families.Data.of(preprocessor.encode(rows), preprocessor.layout)))
print(model.canonical())
"""


def predicted_elsewhere(
    model: FittedModel, preprocessor: Preprocessor, rows: pl.DataFrame, folder: Path, *trust: str
) -> tuple[str, npt.NDArray[Any]]:
    """Canonical digest and predictions of the saved model in a process of its own."""
    import json

    model.save(folder / "model")
    (folder / "preprocessor.json").write_text(json.dumps(preprocessor.to_json()))
    rows.write_parquet(folder / "rows.parquet")
    run = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(folder), model.family, *trust],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip(), np.load(folder / "elsewhere.npy")


def waves(task: Task, direction: int = 1, rows: int = 800) -> tuple[Data, Data]:
    """Rows whose label rises (-1: falls) with `x`, but not everywhere, and 20 rows with 40 values of `x` each."""
    rng = np.random.default_rng(0)
    x, z = rng.uniform(-3, 3, rows), rng.normal(size=rows)
    value = direction * x + 2 * np.sin(3 * x) + z * x + rng.normal(size=rows)
    label = pl.Series("_target", value if task == "regression" else np.where(value > 0, "yes", "no"))
    frame = pl.DataFrame({"_target": label, "x": x, "z": z})
    kinds: FeatureKinds = {"x": "numeric", "z": "numeric"}
    classes = [] if task == "regression" else ["no", "yes"]
    fitted = Preprocessor.fit(frame, kinds, Encoding(), task, classes, 0)
    grid = pl.DataFrame({"x": np.tile(np.linspace(-3, 3, 40), 20), "z": np.repeat(rng.normal(size=20), 40)})
    return Data.of(fitted.encode_training(frame), fitted.layout), Data.of(fitted.encode(grid), fitted.layout)


def steps(predictions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Changes of the grid's predictions from one value of `x` to the next."""
    return np.diff(predictions.reshape(20, 40), axis=1)


def weighted(data: Data, weights: npt.NDArray[Any]) -> Data:
    """The same rows with weights."""
    return Data.of(data.frame.with_columns(pl.Series("_weight", weights, dtype=pl.Float64)), data.layout)
