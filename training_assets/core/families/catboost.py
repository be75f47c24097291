"""CatBoost: symmetric trees that read categories natively, from codes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.encoding.layout import Layout
from training_assets.core.families.base import Fit, Learning, Stop, shares, why_not
from training_assets.core.families.catboost_objective import device, objective
from training_assets.core.families.catboost_rows import pool, quantised
from training_assets.core.families.data import Data, Facts, Floats
from training_assets.core.families.pace import learning_rate
from training_assets.core.fingerprint import digest

FILE = "model.cbm"


@dataclass(frozen=True)
class CatBoostModel:
    """A fitted CatBoost model and the layout that it reads."""

    model: Any
    fit: Fit
    features: tuple[str, ...]
    task: str
    family: str = "catboost"

    @property
    def best_iteration(self) -> int | None:
        """Trees kept."""
        return self.fit.best_iteration

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.fit.curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """Loss after each tree."""
        return self.fit.curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes."""
        if self.task == "regression":
            return np.asarray(self.model.predict(pool(data)), dtype=np.float64)
        probabilities = np.asarray(self.model.predict(pool(data), prediction_type="Probability"), dtype=np.float64)
        return probabilities[:, 1] if self.task == "binary" else probabilities

    def save(self, folder: Path) -> None:
        """Write `model.cbm` and `fit.json`."""
        self.fit.save(folder, {"features": list(self.features), "task": self.task})
        self.model.save_model(str(folder / FILE), format="cbm")

    def canonical(self) -> str:
        """Digest the JSON export without `model_info`, which holds a guid, a time and the thread count."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            self.model.save_model(str(path), format="json")
            exported = json.loads(path.read_text(encoding="utf-8"))
        exported.pop("model_info")
        return digest({"family": self.family, "task": self.task, "model": exported})

    def importances(self) -> dict[str, float]:
        """Share of each feature in the change of predictions (CatBoost's PredictionValuesChange)."""
        weights = self.model.get_feature_importance()
        return shares({name: float(weight) for name, weight in zip(self.features, weights, strict=True)})


class CatBoostFamily:
    """Gradient boosting on symmetric trees.

    On the CPU, equal rows, weights, parameters and seed give equal models (`canonical`) on any number of threads, with
    any loss and direction, watched or not; the last digits of curves may differ, as threads share out their sums.
    """

    name = "catboost"

    def default_params(self) -> dict[str, Any]:
        """Depth 6 with a middling learning rate; both rarely far from the best."""
        return {
            "learning_rate": 0.08,
            "depth": 6,
            "l2_leaf_reg": 3.0,
            "random_strength": 1.0,
            "subsample": 0.8,
            "one_hot_max_size": 2,
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Categories of few levels one-hot, for a fifth to two thirds of the time; then all by their mean labels."""
        usual = {**self.default_params(), "learning_rate": learning_rate(facts)}
        if facts.categories:
            return [{**usual, "one_hot_max_size": 64}, {**usual, "one_hot_max_size": 2}]
        return [{name: value for name, value in usual.items() if name != "one_hot_max_size"}]

    def suggest(self, trial: Any, facts: Facts) -> dict[str, Any]:
        """Draw parameters; `border_count` is not among them, because the quantised rows are shared."""
        params = {
            "learning_rate": trial.suggest_float("catboost.learning_rate", 0.02, 0.3, log=True),
            "depth": trial.suggest_int("catboost.depth", 4, 10),
            "l2_leaf_reg": trial.suggest_float("catboost.l2_leaf_reg", 0.5, 30.0, log=True),
            "random_strength": trial.suggest_float("catboost.random_strength", 0.1, 10.0, log=True),
            "subsample": trial.suggest_float("catboost.subsample", 0.5, 1.0),
        }
        if facts.categories:
            params["one_hot_max_size"] = trial.suggest_categorical("catboost.one_hot_max_size", [2, 64])
        return params

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """It learns every loss, and directions on the CPU alone."""
        if learning.device == "gpu" and any(learning.directions(layout.quantities)):
            return "on a GPU it cannot make predictions rise or fall with a quantity; remove training.monotone"
        return why_not(layout, learning, gpu=True)

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
    ) -> CatBoostModel:
        """Fit, with early stopping on validation rows if there are any.

        Raises CatBoost's own error where nothing can be learnt (all features constant), and `InputError` E_DEVICE where
        a GPU is asked for and none is there. On a GPU it takes no callbacks: `stop` is asked once, after the fit.
        """
        from catboost import CatBoost

        layout, on_gpu = train.layout, learning.device == "gpu"
        model = CatBoost(
            {
                **self.default_params(),
                **params,
                **objective(layout, learning),
                **device(learning),
                "iterations": max_iterations,
                "use_best_model": validation is not None,
                # Combinations of categories cost 2 to 7 times the time and rarely pay.
                "max_ctr_complexity": 1,
                "random_seed": seed,
                "thread_count": threads,
                "allow_writing_files": False,
                "logging_level": "Silent",
                **({} if validation is None else {"early_stopping_rounds": patience}),
            }
        )
        watched = None if validation is None else pool(validation)
        model.fit(quantised(train), eval_set=watched, callbacks=None if on_gpu else [_Asking(stop)])
        curves = {ours: _losses(model, theirs) for ours, theirs in (("train", "learn"), ("validation", "validation"))}
        if on_gpu:
            stop(len(curves["train"]), curves["validation"][-1] if curves["validation"] else nan)
        return CatBoostModel(
            model=model,
            fit=Fit(learning.curve_metric, curves, int(model.tree_count_)),
            features=layout.features,
            task=layout.task,
        )

    def load(self, folder: Path) -> CatBoostModel:
        """Read `model.cbm` and `fit.json`."""
        from catboost import CatBoost

        fit, header = Fit.load(folder)
        model = CatBoost()
        model.load_model(str(folder / FILE), format="cbm")
        return CatBoostModel(model=model, fit=fit, features=tuple(header["features"]), task=header["task"])


@dataclass(frozen=True)
class _Asking:
    stop: Stop

    def after_iteration(self, info: Any) -> bool:
        """Whether to go on."""
        validation = info.metrics.get("validation")
        return not self.stop(info.iteration, next(iter(validation.values()))[-1] if validation else nan)


def _losses(model: Any, split: str) -> list[float]:
    losses = model.evals_result_.get(split)
    return [float(loss) for loss in next(iter(losses.values()))] if losses else []
