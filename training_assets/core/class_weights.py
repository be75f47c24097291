"""How much each class counts in a loss."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.errors import InputError
from training_assets.spec.training import Training

SHOWN = 20


def class_weights(training: Training, classes: Sequence[str], labels: npt.NDArray[Any]) -> tuple[float, ...] | None:
    """Weight of each class by its code; None where all count alike. `labels` (n,) are the training rows' class codes.

    balanced: rows / (classes that occur * rows of the class), as scikit-learn's `compute_class_weight`; a class without
    rows weighs 1. By name: classes that are not named weigh 1. Raises `InputError` E_CLASS_WEIGHT for unknown names.
    """
    if training.class_weights == "none":
        return None
    if training.class_weights == "balanced":
        rows = np.bincount(labels, minlength=len(classes))
        balanced = rows.sum() / (np.count_nonzero(rows) * np.maximum(rows, 1))
        return tuple(np.where(rows > 0, balanced, 1.0).tolist())
    named = {unicodedata.normalize("NFC", name): weight for name, weight in training.class_weights.items()}
    unknown = [name for name in named if name not in classes]
    if unknown:
        known = ", ".join(name[:40] for name in classes[:SHOWN])
        message = f"training.class_weights names '{unknown[0][:40]}', which is no class; classes: {known}"
        raise InputError("E_CLASS_WEIGHT", message)
    return tuple(named.get(name, 1.0) for name in classes)
