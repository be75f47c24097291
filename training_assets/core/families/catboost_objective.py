"""What CatBoost is told to learn, and on what."""

from __future__ import annotations

from typing import Any

from training_assets.core.encoding.layout import Layout
from training_assets.core.errors import InputError
from training_assets.core.families.base import Learning

LOSS = {"squared_error": "RMSE", "absolute_error": "MAE"}


def objective(layout: Layout, learning: Learning) -> dict[str, Any]:
    """Parameters that say the loss, the classes and the directions."""
    if layout.task == "multiclass":
        return {"loss_function": "MultiClass", "classes_count": layout.n_classes}
    if layout.task == "binary":
        told: dict[str, Any] = {"loss_function": "Logloss"}
    elif learning.loss == "quantile":
        told = {"loss_function": f"Quantile:alpha={learning.quantile}"}
    else:
        told = {"loss_function": LOSS[learning.loss]}
    directions = learning.directions(layout.features)
    if any(directions):
        told["monotone_constraints"] = directions
        if learning.loss in {"absolute_error", "quantile"}:
            told["leaf_estimation_method"] = "Gradient"  # their exact leaves know no directions
    return told


def device(learning: Learning) -> dict[str, Any]:
    """Parameters for the device, and the way to draw rows there; `InputError` E_DEVICE where it is a missing GPU."""
    from catboost.utils import get_gpu_device_count

    if learning.device == "cpu":
        return {"bootstrap_type": "MVS"}
    if get_gpu_device_count() == 0:
        message = "training.device is gpu, but CatBoost finds none here; run where one is, or set it to cpu"
        raise InputError(code="E_DEVICE", message=message)
    return {"task_type": "GPU", "bootstrap_type": "Bernoulli"}  # on a GPU, MVS knows no multiclass task
