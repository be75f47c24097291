"""Scoring: what turns raw feature rows into predictions, as one thing that is saved to a folder and loaded from it."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.core import calibration, families
from training_assets.core.calibration import Calibration
from training_assets.core.encoding import Preprocessor
from training_assets.core.encoding.target_transform import UNCHANGED, TargetTransform
from training_assets.core.errors import InputError
from training_assets.core.families.base import FittedModel
from training_assets.core.families.data import Data, Floats
from training_assets.core.fingerprint import digest

FORMAT = 2
MORE_LIKELY = 0.5


class Scorer:
    """A preprocessor, a model, and what is made of its predictions.

    For a regression, the target's transform turns them back; for a task with classes, they are calibrated, or not
    (None); for a binary task, a row counts as positive from the threshold on, or where that is more likely (None).
    """

    def __init__(
        self,
        preprocessor: Preprocessor,
        model: FittedModel,
        threshold: float | None,
        *,
        transform: TargetTransform = UNCHANGED,
        calibration: Calibration | None = None,
    ) -> None:
        """Put the parts together; `ValueError` for a part that the task has no use for."""
        task = preprocessor.task
        if threshold is not None and task != "binary":
            message = f"a {task} task has no threshold; give None instead of {threshold}"
            raise ValueError(message)
        if task == "regression" and calibration is not None:
            message = "a regression has no probabilities to calibrate; give None"
            raise ValueError(message)
        if task != "regression" and transform != UNCHANGED:
            message = f"a {task} task has no values to transform; leave the target as it is"
            raise ValueError(message)
        self.preprocessor = preprocessor
        self.model = model
        self.threshold = threshold
        self.transform = transform
        self.calibration = calibration

    @property
    def task(self) -> str:
        """The task: binary, multiclass or regression."""
        return self.preprocessor.task

    @property
    def classes(self) -> list[str]:
        """The classes in the order of their codes; none for a regression."""
        return self.preprocessor.classes

    @cached_property
    def digest(self) -> str:
        """Sha256 over all that decides a prediction: preprocessor, canonical model, and what is made of its output."""
        return digest([self.preprocessor.digest, self.model.canonical(), *self._afterwards().values()])

    def predict(self, rows: pl.DataFrame) -> Floats:
        """Predict raw feature rows, their columns by name in any order: probabilities (n,) or (n, k), or values (n,).

        Raises `InputError` E_SCHEMA for missing features and E_TYPE for ones of another type than in training.
        """
        features = rows.drop("_target", strict=False)
        return self.predict_encoded(Data.of(self.preprocessor.encode(features), self.preprocessor.layout))

    def predict_encoded(self, data: Data) -> Floats:
        """Predict rows that the preprocessor has encoded, shaped as by `predict`."""
        predicted = np.asarray(self.model.predict(data), dtype=np.float64)
        if self.task == "regression":
            return self.transform.back(predicted)
        return predicted if self.calibration is None else self.calibration.apply(predicted)

    def save(self, folder: Path) -> None:
        """Write `model.json`, `preprocessor.json` and the model's own files, none of which is a pickle."""
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save(folder)
        _write(folder / "preprocessor.json", self.preprocessor.to_json())
        description = {
            "format": FORMAT,
            "family": self.model.family,
            "task": self.task,
            "classes": self.classes,
            **self._afterwards(),
            "digest": self.digest,
        }
        _write(folder / "model.json", description)

    @classmethod
    def load(cls, folder: Path, trust: tuple[str, ...] = ()) -> Scorer:
        """Read what `save` wrote; `trust` names the modules that families of the user's own may be imported from.

        Raises `InputError`: E_FORMAT for a format or family that this code does not know, and as `families.load` for
        code that is not trusted.
        """
        description = _read(folder / "model.json")
        if description.get("format") != FORMAT:
            message = f"{folder.name}/model.json is of a format unknown to this code; train again"
            raise InputError(code="E_FORMAT", message=message)
        calibrated = description["calibration"]
        return cls(
            Preprocessor.from_json(_read(folder / "preprocessor.json")),
            families.load(str(description["family"]), folder, trust=trust),
            description["threshold"],
            transform=TargetTransform.from_json(description["transform"]),
            calibration=None if calibrated is None else calibration.from_json(calibrated),
        )

    def _afterwards(self) -> dict[str, Any]:
        """What is made of the model's output, as JSON values."""
        return {
            "transform": self.transform.to_json(),
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "threshold": self.threshold,
        }


def table(scorer: Scorer, rows: pl.DataFrame) -> pl.DataFrame:
    """Predictions as columns, one row each: `prediction` and, for a task with classes, `probability_<class>`.

    `prediction` is the class by threshold (binary) or the most likely one, as text, or the value of a regression.
    """
    predictions = scorer.predict(rows)
    if scorer.task == "regression":
        return pl.DataFrame({"prediction": predictions})
    if scorer.task == "binary":
        codes = (predictions >= (MORE_LIKELY if scorer.threshold is None else scorer.threshold)).astype(np.int64)
        predictions = np.column_stack([1 - predictions, predictions])
    else:
        codes = predictions.argmax(axis=1)
    decided = pl.Series("prediction", scorer.classes, dtype=pl.String)[codes]
    probabilities = [pl.Series(f"probability_{name}", predictions[:, code]) for code, name in enumerate(scorer.classes)]
    return pl.DataFrame([decided, *probabilities])


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value
