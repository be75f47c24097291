"""A fitted estimator of the user's own, as a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.families import dense_rows, skops_file
from training_assets.core.families.base import Fit, Stop
from training_assets.core.families.data import Data, Floats
from training_assets.core.families.design_matrix import Scale
from training_assets.core.families.shuffling import shuffled_shares
from training_assets.core.families.validation_loss import validation_loss
from training_assets.core.fingerprint import digest

FILE = "estimator.skops"


@dataclass(frozen=True)
class FittedEstimator:
    """The estimator, the file that it is saved as, and the scale of what it reads."""

    estimator: Any
    content: bytes
    fit: Fit
    scale: Scale
    task: str
    n_classes: int
    share_of: Mapping[str, float]  # feature -> share in the change of predictions when its values are shuffled
    family: str

    @property
    def best_iteration(self) -> int | None:
        """None: a fit is one step."""
        return self.fit.best_iteration

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.fit.curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """The loss on validation rows, once; none on training rows."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes."""
        if not data.n_rows:
            return np.zeros((0, self.n_classes) if self.task == "multiclass" else 0)
        return self.predict_rows(dense_rows.matrix(data, self.scale))

    def predict_rows(self, rows: Floats) -> Floats:
        """Predict rows of the matrix; `InputError` E_FAMILY where the estimator gives anything else."""
        regression = self.task == "regression"
        raw = np.asarray((self.estimator.predict if regression else self.estimator.predict_proba)(rows), np.float64)
        expected = (len(rows),) if regression else (len(rows), len(self.estimator.classes_))
        if raw.shape != expected or not np.isfinite(raw).all() or not (regression or raw.min() >= 0):
            message = f"{self.family} predicted {raw.shape} for {expected}, or values that are none; mend it"
            raise InputError("E_FAMILY", message)
        if regression:
            return raw
        probabilities = np.zeros((len(raw), self.n_classes))
        # Some give float32, whose sum is 1 only nearly.
        probabilities[:, np.asarray(self.estimator.classes_, np.int64)] = raw / raw.sum(axis=1, keepdims=True)
        return probabilities[:, 1] if self.task == "binary" else probabilities

    def save(self, folder: Path) -> None:
        """Write `estimator.skops` and `fit.json`."""
        self.fit.save(folder, self._header())
        (folder / FILE).write_bytes(self.content)

    def canonical(self) -> str:
        """Digest the estimator's state and the scale."""
        return digest({"family": self.family, "estimator": skops_file.identity(self.content), **self._header()})

    def importances(self) -> dict[str, float]:
        """Share of each feature in how much predictions change when its values are shuffled among training rows."""
        return dict(self.share_of)

    def _header(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "n_classes": self.n_classes,
            "scale": {"center": list(self.scale.center), "spread": list(self.scale.spread)},
            "share_of": dict(self.share_of),
        }


def load(family: str, folder: Path, trust: tuple[str, ...]) -> FittedEstimator:
    """Read what `save` wrote; `InputError` E_TRUST for types of modules that neither skops trusts nor `trust` names."""
    fit, header = Fit.load(folder)
    content = (folder / FILE).read_bytes()
    estimator = skops_file.read(content, f"{folder.name}/{FILE}", trust)
    wanted = "predict" if header["task"] == "regression" else "predict_proba"
    if not hasattr(estimator, wanted):
        message = f"{folder.name}/{FILE} holds nothing with {wanted}; fetch the artifact again"
        raise InputError("E_TRUST", message)
    return FittedEstimator(
        estimator=estimator,
        content=content,
        fit=fit,
        scale=Scale(tuple(header["scale"]["center"]), tuple(header["scale"]["spread"])),
        task=header["task"],
        n_classes=header["n_classes"],
        share_of=header["share_of"],
        family=family,
    )


def scored(model: FittedEstimator, train: Data, validation: Data | None, seed: int, stop: Stop) -> FittedEstimator:
    """The model with its loss on validation rows, which `stop` is told, and its features' shares."""
    loss = math.nan
    curves: dict[str, list[float]] = {"train": [], "validation": []}
    if validation is not None:
        loss = validation_loss(model.predict(validation), validation)
        curves["validation"].append(loss)
    stop(1, loss)
    share_of = shuffled_shares(model.predict_rows, dense_rows.matrix(train, model.scale), train.layout, seed)
    return replace(model, fit=replace(model.fit, curves=curves), share_of=share_of)
