"""Multi-layer perceptrons: scikit-learn's, over dense scaled rows; they err elsewhere than trees do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core.encoding.layout import Layout
from training_assets.core.families import design_matrix, mlp_model
from training_assets.core.families.base import Fit, Learning, Stop, why_not
from training_assets.core.families.data import Data, Facts
from training_assets.core.families.design_matrix import Scale
from training_assets.core.families.mlp_model import Layers, MlpModel, Single, SquashedRows, squashed_rows
from training_assets.core.families.shuffling import shuffled_shares
from training_assets.core.families.validation_loss import validation_loss

MOST_COLUMNS = 3_000
"""Of dense rows; wider ones are mostly one-hot, and the linear family reads them sparse."""
STRETCH = 65_536
"""Rows of an iteration at most, so that the clock is asked in time where a pass over all rows takes long."""
PIECE = 4_096
"""Rows of a stretch that are unpacked at a time; a multiple of every batch size."""
PATIENCE = 15
"""Iterations without a better loss: a network makes a few dozen, where trees make hundreds."""
MOST_ITERATIONS = 300
KEPT = 0.8
"""Weight of the layers before, in the moving mean that a model is: a fifth of the steps' noise is left.

After Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992. Measured: log loss of 26
letters 0.139 without it and 0.124 with it, in as much time; elsewhere within 1 % either way, or a little better.
"""


class MlpFamily:
    """Rectified units trained by Adam; the same model on any number of threads, because one computes it.

    An iteration is one pass over the rows, or over the next 65,536 of them in an order dealt anew for each pass.
    """

    name = "mlp"

    def default_params(self) -> dict[str, Any]:
        """One wide layer."""
        return {
            "layers": 1,
            "width": 256,
            "learning_rate_init": 3e-3,
            "alpha": 1e-4,
            "batch_size": 128,
            "noise": 0.0,
        }

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """One wide layer, then two; larger batches where rows are many; for many classes two with noise, then three.

        Noise on the scaled quantities, other in each pass, works as a penalty on steep predictions (Bishop, "Training
        with noise is equivalent to Tikhonov regularization", 1995). On 26 letters it took the log loss from 0.127 to
        0.084; elsewhere it moved little, and where values have long tails (a firewall's bytes) it did harm.
        """
        batch = 128 if facts.rows < 30_000 else 256 if facts.rows < 100_000 else 1024
        if facts.many_classes:
            deep = {**self.default_params(), "layers": 2, "noise": 0.2, "batch_size": max(batch, 256)}
            return [deep, {**deep, "layers": 3, "learning_rate_init": 2e-3}]
        one = {**self.default_params(), "batch_size": batch}
        return [one, {**one, "layers": 2, "learning_rate_init": 2e-3, "noise": 0.05}]

    def suggest(self, trial: Any, _facts: Facts) -> dict[str, Any]:
        """Draw size, step, penalty, batch and noise."""
        return {
            "layers": trial.suggest_int("mlp.layers", 1, 3),
            "width": trial.suggest_int("mlp.width", 64, 512, log=True),
            "learning_rate_init": trial.suggest_float("mlp.learning_rate_init", 5e-4, 1e-2, log=True),
            "alpha": trial.suggest_float("mlp.alpha", 1e-6, 0.1, log=True),
            "batch_size": trial.suggest_categorical("mlp.batch_size", [128, 256, 1024]),
            "noise": trial.suggest_categorical("mlp.noise", [0.0, 0.05, 0.1, 0.2]),
        }

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """It learns log loss or squared error, without constraints, from rows that are not too wide."""
        reason = why_not(layout, learning, losses=("log_loss", "squared_error"))
        if reason is None and any(learning.directions(layout.quantities)):
            return "nothing makes its predictions rise or fall with a quantity"
        width = len(design_matrix.owners(layout))
        if reason is None and width > MOST_COLUMNS:
            return f"it reads dense rows, and {width:,} columns are more than {MOST_COLUMNS:,}"
        return reason

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
    ) -> MlpModel:
        """Fit on one thread, at most 300 iterations with early stopping; the weights of the best iteration are kept."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

        del threads
        params = {**self.default_params(), **params}  # those of an earlier study may lack one
        layout = train.layout
        scale = train.shared("target scale", lambda: Scale.of(train))
        center, spread = 0.0, 1.0
        if layout.task == "regression":
            center, spread = float(train.y.mean()), float(train.y.std()) or 1.0

        def model(layers: Layers, curve: list[float], kept: int, share_of: Mapping[str, float]) -> MlpModel:
            fit = Fit(learning.curve_metric, {"train": [], "validation": curve}, kept)
            return MlpModel(layers, scale, center, spread, share_of, fit, layout.task, layout.n_classes)

        rows = squashed_rows(train, scale)
        watched = np.empty((0, 0), dtype=np.float32) if validation is None else squashed_rows(validation, scale)[:]
        most = max_iterations if validation is None else min(max_iterations, MOST_ITERATIONS)
        curve: list[float] = []
        layers: Layers = ()
        kept = 0
        with threadpool_limits(1, user_api="blas"):
            for made, now in enumerate(_iterations(params, train, rows, (center, spread), seed), start=1):
                loss = np.nan
                if validation is not None:
                    loss = validation_loss(model(now, [], made, {}).predict_squashed(watched), validation)
                    curve.append(loss)
                if validation is None or not kept or loss < curve[kept - 1]:
                    layers, kept = now, made
                over = stop(made, loss)
                if over or made >= most or (validation is not None and made - kept >= min(patience, PATIENCE)):
                    break
            predict = model(layers, curve, kept, {}).predict_rows
            share_of = shuffled_shares(predict, rows, layout, seed)
            return model(layers, curve, kept, share_of)

    def load(self, folder: Path) -> MlpModel:
        """Read `layers.npz` and `fit.json`; raises `ValueError` for arrays that do not follow on one another."""
        return mlp_model.load(folder)


def _iterations(
    params: Mapping[str, Any], train: Data, rows: SquashedRows, label: tuple[float, float], seed: int
) -> Iterator[Layers]:
    """The moving mean of the layers after each iteration, without end."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    labels, weights = train.y, train.weights
    classes: dict[str, Any] = {}
    absent: list[int] = []
    if train.layout.task == "regression":
        labels = ((labels - label[0]) / label[1]).astype(np.float32)
    else:
        classes = {"classes": np.arange(train.layout.n_classes)}
        absent = np.setdiff1d(classes["classes"], labels).tolist() if train.layout.task == "multiclass" else []
    estimator: Any = (MLPRegressor if train.layout.task == "regression" else MLPClassifier)(
        hidden_layer_sizes=(params["width"],) * params["layers"],
        learning_rate_init=params["learning_rate_init"],
        alpha=params["alpha"],
        batch_size=min(params["batch_size"], train.n_rows),
        random_state=seed,
    )
    read = rows[:] if train.n_rows <= STRETCH else rows
    noise = np.random.default_rng([seed, 1])
    averaged: list[Any] = []
    for made, chosen in enumerate(_stretches(train.n_rows, np.random.default_rng(seed)), start=1):
        for part in _parts(chosen):
            estimator.batch_size = min(params["batch_size"], len(labels[part]))
            sample = {} if weights is None else {"sample_weight": weights[part]}
            seen = read[part] if read is rows or not params["noise"] else read[part].copy()  # what is shared stays
            _blur(seen[:, : rows.n_quantities], params["noise"], noise)
            estimator.partial_fit(seen, labels[part], **classes, **sample)
        weight = max(1 - KEPT, 1 / made)
        averaged = [
            before + weight * (now.astype(np.float32) - before)
            for before, now in itertools.zip_longest(
                averaged, estimator.coefs_ + estimator.intercepts_, fillvalue=np.float32(0)
            )
        ]
        depth = len(estimator.coefs_)
        layers = tuple((averaged[place], averaged[depth + place].copy()) for place in range(depth))
        layers[-1][1][absent] = -np.inf  # early stopping would leave a class without rows the chance it began with
        yield layers


def _blur(quantities: Single, spread: float, rng: np.random.Generator) -> None:
    """Add noise, other noise each time."""
    if spread:
        quantities += spread * rng.standard_normal(quantities.shape, dtype=np.float32)


def _parts(chosen: Any) -> list[Any]:
    """A stretch in the pieces that it is unpacked and learnt in: many rows at once would take much memory."""
    return [chosen] if isinstance(chosen, slice) else np.split(chosen, range(PIECE, len(chosen), PIECE))


def _stretches(n_rows: int, rng: np.random.Generator) -> Iterator[Any]:
    """Which rows each iteration reads: as many for a final fit of more rows; scikit-learn shuffles within them."""
    if n_rows <= STRETCH:
        yield from itertools.repeat(slice(None))
    dealt = rng.permutation(n_rows)
    while True:
        while len(dealt) < STRETCH:
            dealt = np.concatenate([dealt, rng.permutation(n_rows)])
        yield dealt[:STRETCH]
        dealt = dealt[STRETCH:]
