"""Linear models: logistic regression for classes, ridge regression for values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.encoding.layout import Layout
from training_assets.core.families import design_matrix, packed_rows, penalised
from training_assets.core.families.base import Fit, Learning, Stop, shares, why_not
from training_assets.core.families.data import Data, Facts, Floats
from training_assets.core.families.design_matrix import Scale
from training_assets.core.fingerprint import digest
from training_assets.spec.target import Task

FILE = "weights.npz"
MAX_ITERATIONS = 300  # L-BFGS is close to its end by then; more of them only polish


@dataclass(frozen=True)
class LinearModel:
    """Weights, and the scales that they were fitted in."""

    solution: penalised.Solution
    scale: Scale
    label_center: float  # of a regression's values; 0 and 1 for classes
    label_spread: float
    weight_of: Mapping[str, float]  # feature -> size of its part of the prediction
    fit: Fit
    task: Task
    family: str = "linear"

    @property
    def best_iteration(self) -> int | None:
        """None: a convex loss has one solution, and every iteration comes closer to it."""
        return self.fit.best_iteration

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.fit.curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """Loss after each iteration of the solver, without the penalty; nothing stops early on it."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes."""
        from scipy.special import expit, softmax

        raw = self.solution.raw(design_matrix.matrix(data, self.scale))
        if self.task == "regression":
            return raw[:, 0] * self.label_spread + self.label_center
        return np.asarray(expit(raw[:, 0]) if self.task == "binary" else softmax(raw, axis=1), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write `weights.npz` and `fit.json`."""
        self.fit.save(folder, self._header())
        np.savez_compressed(
            folder / FILE, allow_pickle=False, weights=self.solution.weights, intercepts=self.solution.intercepts
        )

    def canonical(self) -> str:
        """Digest weights, intercepts and scales."""
        sha = hashlib.sha256()
        for array in (self.solution.weights, self.solution.intercepts):
            sha.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest({"family": self.family, "weights": sha.hexdigest(), **self._header()})

    def importances(self) -> dict[str, float]:
        """Share of each feature: its weights' sizes times the spread of their columns among training rows."""
        return shares(self.weight_of)

    def _header(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "scale": {"center": list(self.scale.center), "spread": list(self.scale.spread)},
            "label": [self.label_center, self.label_spread],
            "weight_of": dict(self.weight_of),
        }


class LinearFamily:
    """One weight a column, under an L2 penalty.

    Equal rows, weights and parameters give equal models (`canonical`) and curves: one thread does it all.
    """

    name = "linear"

    def default_params(self) -> dict[str, Any]:
        """The penalty of scikit-learn's defaults: `C=1`, `alpha=1`."""
        return {"l2": 1.0}

    def portfolio(self, _facts: Facts) -> list[dict[str, Any]]:
        """The default alone: a penalty near it changes little."""
        return [self.default_params()]

    def suggest(self, trial: Any, _facts: Facts) -> dict[str, Any]:
        """Draw the penalty."""
        return {"l2": trial.suggest_float("linear.l2", 1e-3, 300.0, log=True)}

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """It learns the log loss and the squared error, on the CPU, and no constraint on what comes round."""
        turning = [name for name in learning.monotone if name in layout.trees_only]
        if turning:
            return f"it reads {turning[0]} as sine and cosine, which rise and fall; say `cyclic: false` for its date"
        return why_not(layout, learning, losses=("log_loss", "squared_error"))

    def fit(
        self,
        params: Mapping[str, Any],
        train: Data,
        validation: Data | None,
        *,
        learning: Learning,
        threads: int,
        seed: int,
        max_iterations: int,
        patience: int,
        stop: Stop,
    ) -> LinearModel:
        """Fit until the solver has converged or `stop` says so; one thread, no randomness, no early stopping."""
        del threads, seed, patience
        layout, center, spread = train.layout, 0.0, 1.0
        if layout.task == "regression":
            center, spread = float(train.y.mean()), float(train.y.std()) or 1.0
        scale = train.shared("target scale", lambda: Scale.of(train))

        def rows_of(data: Data) -> penalised.Rows:
            labels = (data.y - center) / spread if layout.task == "regression" else data.y
            return penalised.Rows(packed_rows.packed(data, scale), labels, data.weights)

        rows = rows_of(train)
        directions = {name: learning.monotone.get(name, 0) for name in layout.quantities}
        solution = penalised.fit(
            rows,
            None if validation is None else rows_of(validation),
            layout.task,
            layout.n_classes,
            directions=[directions.get(owner, 0) for owner in design_matrix.owners(layout)],
            max_iterations=min(max_iterations, MAX_ITERATIONS),
            stop=lambda made, loss: stop(made, spread * loss),
            **{**self.default_params(), **params},
        )
        spreads = train.shared("column spreads", lambda: packed_rows.spreads(rows.matrix))
        sizes = np.abs(solution.weights).mean(axis=1) * spreads
        weight_of = layout.by_feature({})
        for name, size in zip(design_matrix.owners(layout), sizes.tolist(), strict=True):
            weight_of[layout.owner(name)] += size
        curves = {split: [spread * loss for loss in losses] for split, losses in solution.curves.items()}
        return LinearModel(
            solution=solution,
            scale=scale,
            label_center=center,
            label_spread=spread,
            weight_of=weight_of,
            fit=Fit(learning.curve_metric, curves, None),
            task=layout.task,
        )

    def load(self, folder: Path) -> LinearModel:
        """Read `weights.npz` and `fit.json`."""
        fit, header = Fit.load(folder)
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            solution = penalised.Solution(arrays["weights"], arrays["intercepts"])
        center, spread = header["label"]
        return LinearModel(
            solution=solution,
            scale=Scale(tuple(header["scale"]["center"]), tuple(header["scale"]["spread"])),
            label_center=center,
            label_spread=spread,
            weight_of=header["weight_of"],
            fit=fit,
            task=header["task"],
        )
