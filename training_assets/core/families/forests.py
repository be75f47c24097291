"""scikit-learn's forests: extremely randomised trees and random forests, whose mistakes are not those of boosting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from training_assets.core.encoding.layout import Layout
from training_assets.core.families import averaged_trees, forest_rows
from training_assets.core.families.averaged_trees import AveragedTreesModel
from training_assets.core.families.base import Fit, Learning, Stop, shares, why_not
from training_assets.core.families.data import Data, Facts, Floats
from training_assets.core.families.growing import Watch, grown
from training_assets.core.families.tree_arrays import TreeArrays

MOST_TREES = 200  # more change little, and cost as much
ROWS_A_TREE = 30_000  # of more rows, each tree is given as many drawn with replacement, so that its time is bounded
MOST_LEAVES = 20_000  # of a tree, by the rows that a leaf must have: bounds the file, some 5 bytes a node, and memory
FEW_TO_LEARN_FROM = 20_000  # rows
FIRM = 1.0  # rows' worth of the overall shares in each leaf: no class is impossible because a leaf never saw it


class ForestFamily:
    """Trees that are grown apart from each other, and averaged."""

    def __init__(self, name: Literal["extra_trees", "random_forest"]) -> None:
        """Either draws the thresholds of splits, or searches the best ones on rows drawn for each tree."""
        self.name = name

    def default_params(self) -> dict[str, Any]:
        """Leaves of a few rows; drawn thresholds need all columns to find good ones among, searched ones do not."""
        return {"max_features": 1.0 if self.name == "extra_trees" else 0.6, "min_samples_leaf": 3}

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """The default, but with few rows larger leaves: they know less by heart; small ones where classes are many."""
        few = facts.rows < FEW_TO_LEARN_FROM and not facts.many_classes
        return [{**self.default_params(), "min_samples_leaf": 10 if few else 3}]

    def suggest(self, trial: Any, _facts: Facts) -> dict[str, Any]:
        """Draw parameters."""
        return {
            "max_features": trial.suggest_float(f"{self.name}.max_features", 0.1, 1.0),
            "min_samples_leaf": trial.suggest_int(f"{self.name}.min_samples_leaf", 1, 100, log=True),
        }

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """It averages labels, so it learns the log loss and the squared error; on the CPU."""
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
    ) -> AveragedTreesModel:
        """Grow until more trees change little, at most 200; without validation rows, `max_iterations` of them."""
        layout, labels = train.layout, train.y
        center, spread, seen = 0.0, 1.0, ()
        if layout.task == "regression":
            center, spread = float(labels.mean()), float(labels.std()) or 1.0
            labels = (labels - center) / spread
        else:
            seen = tuple(np.unique(labels).tolist())
        columns = forest_rows.columns(layout)
        directions = learning.directions(columns)
        estimator = self._estimator(
            {**self.default_params(), **params}, train, directions, n_jobs=threads, random_state=seed
        )
        firm = 0.0 if any(directions) or not seen else FIRM  # rows' worth differs by leaf, and would undo a direction

        def read(tree: Any) -> TreeArrays:
            return TreeArrays.of(tree, _values(tree, firm, positive_alone=len(seen) == 2))

        found = grown(
            estimator,
            (forest_rows.matrix(train), labels, train.weights),
            read,
            None if validation is None else Watch(validation, seen, (center, spread)),
            most=max_iterations if validation is None else min(max_iterations, MOST_TREES),
            patience=patience,
            stop=stop,
        )
        return AveragedTreesModel(
            trees=found.trees,
            fit=Fit(learning.curve_metric, {"train": [], "validation": found.losses}, len(found.trees.counts)),
            task=layout.task,
            n_classes=layout.n_classes,
            seen=seen,
            scale=(center, spread),
            share_of=shares(layout.by_feature(dict(zip(columns, found.gains.tolist(), strict=True)))),
            family=self.name,
        )

    def load(self, folder: Path) -> AveragedTreesModel:
        """Read `trees.npz` and `fit.json`."""
        return averaged_trees.load(self.name, folder)

    def _estimator(self, params: Mapping[str, Any], train: Data, directions: list[int], **more: Any) -> Any:
        from sklearn import ensemble

        kind = "Regressor" if train.layout.task == "regression" else "Classifier"
        drawn = train.n_rows > ROWS_A_TREE
        made = getattr(ensemble, {"extra_trees": "ExtraTrees", "random_forest": "RandomForest"}[self.name] + kind)
        rows = min(train.n_rows, ROWS_A_TREE)
        return made(
            max_features=params["max_features"],
            min_samples_leaf=max(params["min_samples_leaf"], -(-rows // MOST_LEAVES)),
            bootstrap=drawn or self.name == "random_forest",
            max_samples=ROWS_A_TREE if drawn else None,
            monotonic_cst=directions if any(directions) else None,
            warm_start=True,
            **more,
        )


def _values(tree: Any, firm: float, *, positive_alone: bool) -> Floats:
    """Mean label, or share of each class, in each node: `n_nodes x n_outputs`."""
    values: Floats = tree.value[:, 0, :]
    if firm:
        rows = tree.weighted_n_node_samples[:, None]
        values = (rows * values + firm * values[0]) / (rows + firm)
    return values[:, 1:] if positive_alone else values
