"""LightGBM: trees that grow leaf by leaf, the quickest to learn from many rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_assets.core.encoding.layout import Layout
from training_assets.core.families import lightgbm_model, lightgbm_rows, lightgbm_text
from training_assets.core.families.base import Fit, Learning, Stop, shares, unbound, why_not
from training_assets.core.families.data import Data, Facts
from training_assets.core.families.lightgbm_boosting import boosted
from training_assets.core.families.lightgbm_model import LightGBMModel
from training_assets.core.families.pace import learning_rate

FEW_TO_LEARN_FROM = 20_000  # rows; below, smaller trees win, above, larger ones
LEAVES, MOST_LEAVES, ROWS_OF_LEAVES = 31, 255, 50_000  # from so many rows on, larger trees are the quicker ones
OF_CATEGORIES = ("categories", "cat_smooth", "min_data_per_group")


class LightGBMFamily:
    """Gradient boosting on histograms, leaf by leaf."""

    name = "lightgbm"

    def default_params(self) -> dict[str, Any]:
        """Trees of 31 leaves on most of the rows and features, in small steps: early stopping finds their number."""
        return {
            "learning_rate": 0.05,
            "num_leaves": 31,
            "min_data_in_leaf": 20,
            "feature_fraction": 0.8,
            "bagging_fraction": 0.9,
            "lambda_l1": 1e-3,
            "lambda_l2": 1.0,
            "path_smooth": 0.0,
            "extra_trees": False,
            "categories": "native",
            "cat_smooth": 10.0,
            "min_data_per_group": 100,
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """The default, and another size of tree on fewer features: small trees for few rows, large ones for many.

        Where rows are many, trees are large and categories ranked: measured on 229,143 flights, 9.7 CPU seconds gave a
        ROC AUC of 0.801, where 20 gave 0.789 with small trees and sets of categories.
        """
        leaves = int(min(MOST_LEAVES, LEAVES * max(1.0, facts.rows / ROWS_OF_LEAVES) ** 1.5))
        first = {**self.default_params(), "learning_rate": learning_rate(facts), "num_leaves": leaves}
        if facts.rows > 2 * ROWS_OF_LEAVES:
            first["categories"] = "ranked"
        small = {"num_leaves": 12, "feature_fraction": 0.5, "bagging_fraction": 0.7, "categories": "ranked"}
        large: dict[str, Any] = {"num_leaves": 128, "feature_fraction": 0.6, "min_data_in_leaf": 5, "lambda_l2": 10.0}
        large["categories"] = "native" if first["categories"] == "ranked" else "ranked"
        both = [first, {**first, **(small if facts.rows < FEW_TO_LEARN_FROM else large)}]
        if facts.categories:
            return both
        return [{name: value for name, value in params.items() if name not in OF_CATEGORIES} for params in both]

    def suggest(self, trial: Any, facts: Facts) -> dict[str, Any]:
        """Draw parameters; those of bins are not among them, because the binned rows are shared."""
        params = {
            "learning_rate": trial.suggest_float("lightgbm.learning_rate", 0.02, 0.3, log=True),
            "num_leaves": trial.suggest_int("lightgbm.num_leaves", 7, 255, log=True),
            "min_data_in_leaf": trial.suggest_int("lightgbm.min_data_in_leaf", 2, 200, log=True),
            "feature_fraction": trial.suggest_float("lightgbm.feature_fraction", 0.3, 1.0),
            "bagging_fraction": trial.suggest_float("lightgbm.bagging_fraction", 0.5, 1.0),
            "lambda_l1": trial.suggest_float("lightgbm.lambda_l1", 1e-3, 10.0, log=True),
            "lambda_l2": trial.suggest_float("lightgbm.lambda_l2", 1e-3, 30.0, log=True),
            "path_smooth": trial.suggest_float("lightgbm.path_smooth", 0.0, 20.0),
            "extra_trees": trial.suggest_categorical("lightgbm.extra_trees", [False, True]),
        }
        if facts.categories:
            params |= {
                "categories": trial.suggest_categorical("lightgbm.categories", ["native", "ranked"]),
                "cat_smooth": trial.suggest_float("lightgbm.cat_smooth", 1.0, 100.0, log=True),
                "min_data_per_group": trial.suggest_int("lightgbm.min_data_per_group", 2, 200, log=True),
            }
        return params

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """It learns every loss, and constraints where the loss lets it."""
        return unbound(layout, learning) or why_not(layout, learning, gpu=True)

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
    ) -> LightGBMModel:
        """Fit with early stopping; without validation rows, fewer than `max_iterations` only where no tree can grow.

        Raises `InputError` E_DEVICE where LightGBM cannot use the GPU.
        """
        layout = train.layout
        scale = (0.0, 1.0)
        if layout.task == "regression":
            scale = (float(train.y.mean()), float(train.y.std()) or 1.0)
        found = boosted(
            {**self.default_params(), **params},
            train,
            validation,
            scale,
            learning=learning,
            threads=threads,
            seed=seed,
            max_iterations=max_iterations,
            patience=patience,
            stop=stop,
        )
        per_iteration = layout.n_classes if layout.task == "multiclass" else 1
        columns = lightgbm_rows.columns(layout)
        return LightGBMModel(
            text=lightgbm_text.sound(found.text, len(columns), per_iteration),
            fit=Fit(learning.curve_metric, {"train": [], "validation": found.losses}, found.kept),
            share_of=shares(layout.by_feature(dict(zip(columns, found.gains, strict=True)))),
            n_columns=len(columns),
            task=layout.task,
            n_classes=layout.n_classes,
            scale=scale,
        )

    def load(self, folder: Path) -> LightGBMModel:
        """Read `model.txt` and `fit.json`."""
        return lightgbm_model.load(folder)
