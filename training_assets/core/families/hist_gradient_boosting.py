"""Histogram gradient boosting: scikit-learn's trees over rows that are binned once for all trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.encoding.layout import Layout
from training_assets.core.families import binning, boosting
from training_assets.core.families.base import Fit, Learning, Stop, shares, unbound, why_not
from training_assets.core.families.data import Data, Facts, Floats
from training_assets.core.families.forest import Forest
from training_assets.core.families.pace import learning_rate
from training_assets.core.fingerprint import digest

FILE = "trees.npz"


@dataclass(frozen=True)
class HistGradientBoostingModel:
    """The trees of a fit, and the classes that they tell apart."""

    forest: Forest
    fit: Fit
    features: tuple[str, ...]
    task: str
    n_classes: int
    seen: tuple[int, ...]  # codes of the classes that training rows had; empty for a regression
    family: str = "hist_gradient_boosting"

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
        """Loss after each iteration."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes."""
        from scipy.special import expit, softmax

        parts = binning.of_blocks(data, self.forest.raw)
        raw = np.concatenate(parts) if parts else np.zeros((0, len(self.forest.baseline)))
        if self.task == "regression":
            return raw[:, 0]
        if raw.shape[1] == 1:
            positive = expit(raw[:, 0])
            if self.task == "binary":
                return np.asarray(positive, dtype=np.float64)
            among_seen = np.column_stack([1 - positive, positive])
        else:
            among_seen = softmax(raw, axis=1)
        probabilities = np.zeros((len(raw), self.n_classes))
        probabilities[:, list(self.seen)] = among_seen
        return probabilities

    def save(self, folder: Path) -> None:
        """Write `trees.npz` and `fit.json`."""
        self.fit.save(folder, self._header())
        self.forest.save(folder / FILE)

    def canonical(self) -> str:
        """Digest trees, task and classes."""
        return digest({"family": self.family, "forest": self.forest.digest(), **self._header()})

    def importances(self) -> dict[str, float]:
        """Share of each feature in the loss that all splits saved."""
        return shares(dict(zip(self.features, self.forest.gains().tolist(), strict=True)))

    def _header(self) -> dict[str, Any]:
        return {
            "features": list(self.features),
            "task": self.task,
            "n_classes": self.n_classes,
            "seen": list(self.seen),
        }


class HistGradientBoostingFamily:
    """Gradient boosting on histograms, with categories by mask or as frequency-ranked codes.

    Equal rows, weights, parameters and seed give equal models (`canonical`) and curves on any number of threads.
    """

    name = "hist_gradient_boosting"

    def default_params(self) -> dict[str, Any]:
        """Trees of 31 leaves, with a learning rate below scikit-learn's: early stopping finds their number."""
        return {
            "learning_rate": 0.06,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "l2_regularization": 1.0,
            "max_features": 0.8,
            "categories": "native",
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Categories by mask, and as ranks in smaller trees; without categories, larger and smaller trees."""
        usual = {**self.default_params(), "l2_regularization": 10.0, "max_features": 0.5}
        usual["learning_rate"] = learning_rate(facts)
        both = [{**usual, "categories": "native"}, {**usual, "max_leaf_nodes": 15, "categories": "ranked"}]
        unread = () if facts.categories else ("categories",)
        return [{name: value for name, value in params.items() if name not in unread} for params in both]

    def suggest(self, trial: Any, facts: Facts) -> dict[str, Any]:
        """Draw parameters; whether codes are categories or ranks is one of them, as neither always wins."""
        name = self.name
        params = {
            "learning_rate": trial.suggest_float(f"{name}.learning_rate", 0.02, 0.3, log=True),
            "max_leaf_nodes": trial.suggest_int(f"{name}.max_leaf_nodes", 7, 255, log=True),
            "min_samples_leaf": trial.suggest_int(f"{name}.min_samples_leaf", 5, 200, log=True),
            "l2_regularization": trial.suggest_float(f"{name}.l2_regularization", 1e-3, 30.0, log=True),
            "max_features": trial.suggest_float(f"{name}.max_features", 0.3, 1.0),
        }
        if facts.categories:
            params["categories"] = trial.suggest_categorical(f"{name}.categories", ["native", "ranked"])
        return params

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """It learns every loss, and constraints where the loss lets it, on the CPU."""
        return unbound(layout, learning) or why_not(layout, learning)

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
    ) -> HistGradientBoostingModel:
        """Fit with early stopping on all of the validation rows whose class was seen in training."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

        chosen = {**self.default_params(), **params}
        bins = binning.of_training(train, native=chosen.pop("categories") == "native", seed=seed)
        watched = {} if validation is None else _watched(train, validation, bins)
        estimator = boosting.estimator(
            bins,
            learning,
            learning.directions(train.layout.features),
            stop,
            max_iter=max_iterations,
            n_iter_no_change=patience,
            random_state=seed,
            **chosen,
        )
        # OpenMP's limit belongs to the calling thread, so trials beside this one keep theirs.
        with threadpool_limits(threads, user_api="openmp"):
            estimator.fit(bins.rows, train.y, train.weights, **watched)
        curves = boosting.curves(estimator)
        kept = len(curves["train"]) if validation is None else estimator.best[1]
        return HistGradientBoostingModel(
            forest=Forest.of(estimator._predictors[:kept], estimator._baseline_prediction, bins.mapper),  # noqa: SLF001 - scikit-learn has no other way to its trees
            fit=Fit(learning.curve_metric, curves, kept),
            features=train.layout.features,
            task=train.layout.task,
            n_classes=train.layout.n_classes,
            seen=tuple(int(code) for code in getattr(estimator, "classes_", ())),
        )

    def load(self, folder: Path) -> HistGradientBoostingModel:
        """Read `trees.npz` and `fit.json`."""
        fit, header = Fit.load(folder)
        return HistGradientBoostingModel(
            forest=Forest.load(folder / FILE),
            fit=fit,
            features=tuple(header["features"]),
            task=header["task"],
            n_classes=header["n_classes"],
            seen=tuple(header["seen"]),
        )


def _watched(train: Data, validation: Data, bins: binning.Bins) -> dict[str, Any]:
    """Validation rows as scikit-learn's `fit` takes them; without those whose class no training row has."""
    rows, labels, weights = binning.of_validation(train, validation, bins), validation.y, validation.weights
    if train.layout.task != "regression":
        learnable = np.isin(labels, np.unique(train.y))
        if not learnable.all():
            rows, labels = rows[learnable], labels[learnable]
            weights = None if weights is None else weights[learnable]
    return {"X_val": rows, "y_val": labels, "sample_weight_val": weights}
