"""Calibration: probabilities that hold what they promise, by a rising curve that is part of the model."""

from training_assets.core.calibration.curves import Calibration, Isotonic, Sigmoid, Temperature
from training_assets.core.calibration.fitting import fit, from_json

__all__ = ["Calibration", "Isotonic", "Sigmoid", "Temperature", "fit", "from_json"]
