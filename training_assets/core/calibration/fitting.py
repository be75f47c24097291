"""Which curve is fitted, if any, on what a model says of the validation rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training_assets.core.calibration.curves import (
    Calibration,
    Curve,
    Floats,
    Isotonic,
    Labels,
    Sigmoid,
    Temperature,
    losses,
)
from training_assets.core.errors import InputError
from training_assets.core.families.data import Data
from training_assets.spec.decision import Calibration as Wanted

ROWS, RARE_ROWS = 1000, 100  # fewer say too little of two parameters
FOLDS = 5
NOISE = 2.0  # standard errors that a gain must exceed


def fit(wanted: Wanted, predictions: Floats, validation: Data) -> Calibration | None:
    """The calibration of predictions for validation rows that their models had not learnt from; None for none.

    auto fits a sigmoid, or a temperature for many classes, where rows are enough and the log loss of rows that the
    curve was not fitted on gains by more than noise. Rows count by their own weight, where they have one, and not by
    their class's: a calibration mends what class weights do to probabilities. Raises `InputError` E_CALIBRATION for an
    isotonic calibration of many classes, whose curves, one a class, would not add up.
    """
    task, y = validation.layout.task, validation.labels
    if wanted == "none" or task == "regression":
        return None
    if wanted == "isotonic" and task == "multiclass":
        message = "decision.calibration isotonic is for binary tasks; for many classes use auto, sigmoid or none"
        raise InputError("E_CALIBRATION", message)
    own = Data(validation.layout, validation.frame).weights
    weights = np.ones(len(y)) if own is None else own
    predictions = predictions.astype(np.float64)
    curve: Curve = Isotonic if wanted == "isotonic" else Temperature if task == "multiclass" else Sigmoid
    if wanted == "auto" and not (_enough(y, task) and _gains(curve, predictions, y, weights)):
        return None
    return curve.fit(predictions, y, weights)


def from_json(data: Mapping[str, Any]) -> Calibration:
    """Read what `to_json` wrote."""
    kind, learnt = data["kind"], {name: value for name, value in data.items() if name != "kind"}
    if kind == Sigmoid.kind:
        return Sigmoid(**learnt)
    if kind == Temperature.kind:
        return Temperature(**learnt)
    if kind == Isotonic.kind:
        return Isotonic(tuple(learnt["before"]), tuple(learnt["after"]))
    message = f"calibration '{str(kind)[:20]}' is unknown to this code; train again"
    raise InputError("E_FORMAT", message)


def _enough(y: Labels, task: str) -> bool:
    return len(y) >= ROWS and (task != "binary" or int(np.bincount(y, minlength=2).min()) >= RARE_ROWS)


def _gains(curve: Curve, predictions: Floats, y: Labels, weights: Floats) -> bool:
    """Whether rows that the curve was not fitted on lose less by it, by more than their losses' differences scatter."""
    fold = np.random.default_rng(0).permutation(len(y)) % FOLDS
    calibrated = np.empty_like(predictions)
    for number in range(FOLDS):
        rest, these = fold != number, fold == number
        fitted = curve.fit(predictions[rest], y[rest], weights[rest])
        calibrated[these] = fitted.apply(predictions[these])
    gained = weights * (losses(predictions, y) - losses(calibrated, y))
    return bool(gained.mean() > NOISE * gained.std() / np.sqrt(len(y)))
