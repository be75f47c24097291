"""scikit-learn's histogram gradient boosting with three steps replaced: reading rows, binning them, and stopping."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from training_assets.core.families.binning import Bins


def estimator(task: str, bins: Bins, deadline: Callable[[], bool], **params: Any) -> Any:
    """Give an unfitted estimator that takes rows which `bins` has binned, and stops when `deadline` says so."""
    made = _estimators()[task == "regression"](early_stopping=True, **params)
    made.bins, made.deadline = bins, deadline
    return made


def curves(fitted: Any, task: str) -> dict[str, list[float]]:
    """Loss after each iteration: log loss, or the root mean squared error of a regression."""
    scores = {"train": fitted.train_score_, "validation": fitted.validation_score_}
    losses = {split: -np.asarray(values)[1:] for split, values in scores.items()}  # without the model of no trees
    if task == "regression":
        losses = {split: np.sqrt(2 * values) for split, values in losses.items()}  # from half the squared error
    return {split: values.tolist() for split, values in losses.items()}


@cache
def _estimators() -> tuple[type[Any], type[Any]]:
    """The classifier and the regressor; a test pins what of scikit-learn's inside they rely on."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    class Prepared:
        """Overrides that go before scikit-learn's own methods."""

        bins: Bins
        deadline: Callable[[], bool]
        n_iter_no_change: int

        def _preprocess_X(self, X: Any, *, reset: bool) -> Any:  # noqa: N802, N803 - scikit-learn's names
            """Rows come binned; nothing is left to check or to encode."""
            if not reset:
                return X
            mask = self.bins.native if self.bins.native.any() else None
            self.is_categorical_ = mask
            self._is_categorical_remapped = mask
            self._preprocessor = None
            self.n_features_in_ = X.shape[1]
            return X, None

        def _bin_data(self, X: Any, _weights: Any, is_training_data: bool) -> Any:  # noqa: N803 - scikit-learn's names
            if is_training_data:
                self._bin_mapper = self.bins.mapper
            return X

        def _should_stop(self, scores: list[float]) -> bool:
            """Whether the best iteration is `n_iter_no_change` ago, or time is up; the first entry has no trees."""
            if len(scores) == 1:
                return False
            since_best = len(scores) - 2 - int(np.argmax(scores[1:]))
            return since_best >= self.n_iter_no_change or self.deadline()

    class Classifier(Prepared, HistGradientBoostingClassifier):  # type: ignore[misc]  # scikit-learn has no types
        """For classes."""

    class Regressor(Prepared, HistGradientBoostingRegressor):  # type: ignore[misc]  # scikit-learn has no types
        """For values."""

    return Classifier, Regressor
