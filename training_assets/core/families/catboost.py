"""CatBoost: symmetric trees that read categories natively, from codes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.core.encoding.layout import code_column
from training_assets.core.families.base import CURVE_METRIC, Data, Facts, Fit, Floats, shares
from training_assets.core.fingerprint import digest

FILE = "model.cbm"
LOSS = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}


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
            return np.asarray(self.model.predict(_pool(data)), dtype=np.float64)
        probabilities = np.asarray(self.model.predict(_pool(data), prediction_type="Probability"), dtype=np.float64)
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
    """Gradient boosting on symmetric trees."""

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

    def fit(
        self,
        params: Mapping[str, Any],
        train: Data,
        validation: Data,
        *,
        threads: int,
        seed: int,
        max_iterations: int,
        patience: int,
        deadline: Callable[[], bool],
    ) -> CatBoostModel:
        """Fit with early stopping; raises CatBoost's own error where nothing can be learnt (all features constant)."""
        from catboost import CatBoost

        layout = train.layout
        model = CatBoost(
            {
                **self.default_params(),
                **params,
                "loss_function": LOSS[layout.task],
                "iterations": max_iterations,
                "early_stopping_rounds": patience,
                "use_best_model": True,
                "bootstrap_type": "MVS",
                # Combinations of categories cost 2 to 7 times the time and rarely pay.
                "max_ctr_complexity": 1,
                "random_seed": seed,
                "thread_count": threads,
                "allow_writing_files": False,
                "logging_level": "Silent",
                **({"classes_count": layout.n_classes} if layout.task == "multiclass" else {}),
            }
        )
        model.fit(_quantised(train), eval_set=_pool(validation), callbacks=[_UntilDeadline(deadline)])
        curves = {ours: _losses(model, theirs) for ours, theirs in (("train", "learn"), ("validation", "validation"))}
        return CatBoostModel(
            model=model,
            fit=Fit(CURVE_METRIC[layout.task], curves, int(model.tree_count_)),
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
class _UntilDeadline:
    deadline: Callable[[], bool]

    def after_iteration(self, _info: Any) -> bool:
        """Whether to go on."""
        return not self.deadline()


def _losses(model: Any, split: str) -> list[float]:
    losses = model.evals_result_[split]
    return [float(loss) for loss in next(iter(losses.values()))]


def _pool(data: Data) -> Any:
    return data.shared("catboost", lambda: _new_pool(data))


def _quantised(data: Data) -> Any:
    """Training rows in 254 bins a quantity, read by all trials at once.

    Validation rows stay as they are: a pool quantised on its own numbers its categories anew, and 1.2.10 then takes one
    level for another without a word.
    """

    def build() -> Any:
        pool = _new_pool(data)
        pool.quantize(border_count=254)
        return pool

    return data.shared("catboost quantised", build)


def _new_pool(data: Data) -> Any:
    from catboost import Pool

    layout = data.layout
    columns = {name: name for name in layout.quantities} | {name: code_column(name) for name in layout.codes}
    # By get_column and not by select, which would read a name like `^x$` as a pattern.
    frame = pl.DataFrame([data.frame.get_column(column).alias(name) for name, column in columns.items()])
    return Pool(frame, label=data.y if data.has_labels else None, cat_features=list(layout.codes))
