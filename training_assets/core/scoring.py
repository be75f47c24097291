"""Scoring: what turns raw feature rows into predictions, as one thing that is saved to a folder and loaded from it."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.core import families
from training_assets.core.encoding import Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families.base import Data, FittedModel, Floats
from training_assets.core.fingerprint import digest

FORMAT = 1
MORE_LIKELY = 0.5


class Scorer:
    """A preprocessor, a model and, for a binary task, the probability from which a row counts as positive (or None)."""

    def __init__(self, preprocessor: Preprocessor, model: FittedModel, threshold: float | None) -> None:
        """Put the parts together; without a threshold, the more likely class is predicted."""
        if threshold is not None and preprocessor.task != "binary":
            message = f"a {preprocessor.task} task has no threshold; give None instead of {threshold}"
            raise ValueError(message)
        self.preprocessor = preprocessor
        self.model = model
        self.threshold = threshold

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
        """Sha256 over preprocessor, canonical model and threshold: over all that decides a prediction."""
        return digest([self.preprocessor.digest, self.model.canonical(), self.threshold])

    def predict(self, rows: pl.DataFrame) -> Floats:
        """Predict raw feature rows, their columns by name in any order: probabilities (n,) or (n, k), or values (n,).

        Raises `InputError` E_SCHEMA for missing features and E_TYPE for ones of another type than in training.
        """
        features = rows.drop("_target", strict=False)
        return self.model.predict(Data.of(self.preprocessor.encode(features), self.preprocessor.layout))

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
            "threshold": self.threshold,
            "digest": self.digest,
        }
        _write(folder / "model.json", description)

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        """Read what `save` wrote; raises `InputError` E_FORMAT for a format that this code does not know."""
        description = _read(folder / "model.json")
        family = description.get("family")
        if description.get("format") != FORMAT or family not in families.FAMILIES:
            message = f"{folder.name}/model.json is of a format or family unknown to this code; train again"
            raise InputError(code="E_FORMAT", message=message)
        preprocessor = Preprocessor.from_json(_read(folder / "preprocessor.json"))
        return cls(preprocessor, families.load(family, folder), description["threshold"])


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
