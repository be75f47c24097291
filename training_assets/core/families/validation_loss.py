"""The loss of predictions as learning curves show it, for families whose libraries do not reckon it."""

from __future__ import annotations

from training_assets.core.families.data import Data, Floats


def validation_loss(predicted: Floats, validation: Data) -> float:
    """Log loss, or the root mean squared error of what is learnt, of rows that count by their weights.

    `predicted` is shaped by the contract of `FittedModel.predict`; `ValueError` where it is not finite.
    """
    from sklearn.metrics import log_loss, root_mean_squared_error

    labels, weights = validation.y, validation.weights
    if validation.layout.task == "regression":
        return float(root_mean_squared_error(labels, predicted, sample_weight=weights))
    classes = range(validation.layout.n_classes)
    return float(log_loss(labels, predicted, labels=classes, sample_weight=weights))
