"""A fitted LightGBM model: the text of a booster, which LightGBM reads when it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.families import binning, lightgbm_rows, lightgbm_text
from training_assets.core.families.base import Fit
from training_assets.core.families.data import Data, Floats
from training_assets.core.fingerprint import digest, digest_bytes

FILE = "model.txt"
FEW_ROWS = 2_000  # below, waking threads takes longer than predicting


@dataclass(frozen=True)
class LightGBMModel:
    """The text of a fitted booster, and the scale of the values that it learnt."""

    text: str
    fit: Fit
    share_of: Mapping[str, float]  # feature -> share in the loss that splits saved
    n_columns: int
    task: str
    n_classes: int
    scale: tuple[float, float]  # centre and spread of a regression's values; 0 and 1 for classes
    family: str = "lightgbm"

    @property
    def best_iteration(self) -> int | None:
        """Iterations kept."""
        return self.fit.best_iteration

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.fit.curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """Loss on validation rows after each iteration; none on training rows, which would take a tenth of the fit."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes."""
        from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

        wanted = _openmp_effective_n_threads() if data.n_rows >= FEW_ROWS else 1
        with lightgbm_rows.THREADS.of(wanted) as threads:
            parts = [self._booster.predict(block, num_threads=threads) for block in binning.blocks(data)]
        shape = (0, self.n_classes) if self.task == "multiclass" else (0,)
        raw = np.concatenate(parts) if parts else np.zeros(shape)
        return raw * self.scale[1] + self.scale[0] if self.task == "regression" else raw

    def save(self, folder: Path) -> None:
        """Write `model.txt`, which LightGBM reads, and `fit.json`."""
        self.fit.save(folder, self._header())
        (folder / FILE).write_text(self.text, encoding="utf-8")

    def canonical(self) -> str:
        """Digest trees, task and scale."""
        return digest({"family": self.family, "model": digest_bytes(self.text.encode()), **self._header()})

    def importances(self) -> dict[str, float]:
        """Share of each feature in the loss that all splits saved."""
        return dict(self.share_of)

    @cached_property
    def _booster(self) -> Any:
        from lightgbm import Booster

        return Booster(model_str=self.text)

    def _header(self) -> dict[str, Any]:
        return {
            "share_of": dict(self.share_of),
            "n_columns": self.n_columns,
            "task": self.task,
            "n_classes": self.n_classes,
            "scale": list(self.scale),
        }


def load(folder: Path) -> LightGBMModel:
    """Read what `save` wrote; raises `ValueError` for a text that is not the model of the header."""
    fit, header = Fit.load(folder)
    per_iteration = header["n_classes"] if header["task"] == "multiclass" else 1
    text = (folder / FILE).read_text(encoding="utf-8")
    center, spread = header["scale"]
    return LightGBMModel(
        text=lightgbm_text.sound(text, header["n_columns"], per_iteration),
        fit=fit,
        share_of=header["share_of"],
        n_columns=header["n_columns"],
        task=header["task"],
        n_classes=header["n_classes"],
        scale=(float(center), float(spread)),
    )
