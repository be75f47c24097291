"""From the spec's `training` to what every family learns."""

from __future__ import annotations

from training_assets.core.encoding.layout import Layout
from training_assets.core.errors import InputError
from training_assets.core.families.base import Learning, Loss
from training_assets.spec.target import Task
from training_assets.spec.training import Training

SHOWN = 20
DIRECTION = {"increasing": 1, "decreasing": -1}


def learning(training: Training, task: Task, layout: Layout | None = None) -> Learning:
    """What families are told; with a layout, `InputError` E_MONOTONE for a monotone name that is no quantity of it."""
    if layout is not None:
        for name in training.monotone:
            _require_quantity(name, layout)
    automatic: Loss = "squared_error" if task == "regression" else "log_loss"
    return Learning(
        loss=automatic if training.loss == "auto" else training.loss,
        quantile=0.5 if training.quantile is None else training.quantile,
        monotone={name: DIRECTION[direction] for name, direction in training.monotone.items()},
        device=training.device,
    )


def _require_quantity(name: str, layout: Layout) -> None:
    if name in layout.quantities:
        return
    parts = [quantity for quantity, feature in layout.made_of.items() if feature == name]
    if parts:
        what = f"is read as {', '.join(parts[:SHOWN])}: name these"
    elif name in layout.codes:
        what = "is a category, which has no order"
    else:
        what = "is no feature"
    known = ", ".join(each[:80] for each in layout.quantities[:SHOWN]) or "none"
    message = f"training.monotone names '{name[:80]}', which {what}; quantities: {known}"
    raise InputError("E_MONOTONE", message)
