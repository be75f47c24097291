"""LightGBM's iterations, one by one, until the validation loss falls no more or somebody says stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training_assets.core.errors import InputError
from training_assets.core.families import lightgbm_rows
from training_assets.core.families.base import Learning, Loss, Stop
from training_assets.core.families.data import Data

OBJECTIVE: dict[Loss, str] = {
    "log_loss": "binary",
    "squared_error": "regression",
    "absolute_error": "regression_l1",
    "quantile": "quantile",
}
METRIC: dict[Loss, str] = {
    "log_loss": "binary_logloss",
    "squared_error": "rmse",
    "absolute_error": "l1",
    "quantile": "quantile",
}


@dataclass(frozen=True)
class Boosted:
    """What a fit leaves behind."""

    text: str  # LightGBM's, of the iterations kept
    losses: list[float]  # on validation rows, after each iteration
    kept: int
    gains: list[float]  # loss that splits on each column saved


def boosted(
    params: Mapping[str, Any],
    train: Data,
    validation: Data | None,
    scale: tuple[float, float],
    *,
    learning: Learning,
    threads: int,
    seed: int,
    max_iterations: int,
    patience: int,
    stop: Stop,
) -> Boosted:
    """Boost by LightGBM's parameters and `categories`; losses are in the unit of the values, not of `scale`.

    Raises `InputError` E_DEVICE where LightGBM cannot use the GPU.
    """
    from lightgbm.basic import Booster, LightGBMError

    own = dict(params)
    read = {"learning": learning, "scale": scale, "categories": own.pop("categories") == "native"}
    with lightgbm_rows.THREADS.of(threads) as agreed:
        try:
            rows = lightgbm_rows.of_training(train, **read, threads=agreed)
            booster = Booster({**own, **_fixed(train, learning, agreed, seed)}, rows)
        except LightGBMError as error:
            if learning.device == "cpu":
                raise
            message = f"training.device: LightGBM finds no GPU that it can use ({str(error)[:200]}); set it to cpu"
            raise InputError("E_DEVICE", message) from None
        if validation is not None:
            booster.add_valid(lightgbm_rows.of_validation(train, validation, **read, threads=agreed), "validation")
        return _iterated(booster, scale[1], max_iterations, patience if validation is not None else None, stop)


def _iterated(booster: Any, spread: float, max_iterations: int, patience: int | None, stop: Stop) -> Boosted:
    losses: list[float] = []
    best, least = 0, math.inf
    for made in range(1, max_iterations + 1):
        if booster.update() and made > 1:
            break  # no tree can be grown, and none was added
        loss = math.nan
        if patience is not None:
            loss = booster.eval_valid()[0][2] * spread
            losses.append(loss)
            if loss < least:
                best, least = made, loss
        if stop(made, loss) or (patience is not None and made - best >= patience):
            break
    kept = booster.current_iteration() if patience is None else max(best, 1)
    gains = booster.feature_importance("gain", iteration=kept).tolist()
    return Boosted(booster.model_to_string(num_iteration=kept), losses, kept, gains)


def _fixed(train: Data, learning: Learning, threads: int, seed: int) -> dict[str, Any]:
    layout = train.layout
    several = layout.task == "multiclass"
    directions = learning.directions(lightgbm_rows.columns(layout))
    return {
        "objective": "multiclass" if several else OBJECTIVE[learning.loss],
        "metric": "multi_logloss" if several else METRIC[learning.loss],
        **({"num_class": layout.n_classes} if several else {}),
        **({"alpha": learning.quantile} if learning.loss == "quantile" else {}),
        # Smoothing pulls leaves towards their parents after constraints were obeyed, and undoes them.
        **({"monotone_constraints": directions, "path_smooth": 0.0} if any(directions) else {}),
        "bagging_freq": 1,
        # Sums in one order whatever the number of threads: equal models, at no cost that could be measured.
        "deterministic": True,
        "force_col_wise": True,
        # Each of its own, because `seed` would be that of the bins, too, which trials share.
        **dict.fromkeys(("bagging_seed", "feature_fraction_seed", "extra_seed", "objective_seed"), seed),
        "num_threads": threads,
        "device_type": learning.device,
        "verbosity": -1,
    }
