"""scikit-learn's histogram gradient boosting with three steps replaced: reading rows, binning them, and stopping."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.families.base import Learning, Stop
from training_assets.core.families.binning import Bins


def estimator(bins: Bins, learning: Learning, directions: Sequence[int], stop: Stop, **params: Any) -> Any:
    """Give an unfitted estimator that takes rows which `bins` has binned, and asks `stop` after each iteration.

    Fitted with `X_val`, it stops after `n_iter_no_change` iterations without a better loss there; else at `max_iter`.
    `directions` holds 1, -1 or 0 for each column.
    """
    classifier, regressor = _estimators()
    # With `early_stopping` scikit-learn asks whether to stop; without a fraction it takes no rows away for it.
    always = {"early_stopping": True, "validation_fraction": None, "monotonic_cst": _reordered(directions, bins)}
    if learning.loss == "log_loss":
        made = classifier(**always, **params)
    else:
        quantile = learning.quantile if learning.loss == "quantile" else None
        made = regressor(loss=learning.loss, quantile=quantile, **always, **params)
    made.bins, made.learning, made.stop = bins, learning, stop
    return made


def curves(fitted: Any) -> dict[str, list[float]]:
    """Loss after each iteration, as the learning's curve metric; none on validation rows where there were none."""
    scores = {"train": fitted.train_score_, "validation": fitted.validation_score_}
    return {  # without the model of no trees
        split: [_loss(score, fitted.learning) for score in values[1:].tolist()] for split, values in scores.items()
    }


def _reordered(directions: Sequence[int], bins: Bins) -> npt.NDArray[np.int8] | None:
    """Directions such that they are in the columns' order once scikit-learn has put those of categories first."""
    if not any(directions):
        return None
    order = np.concatenate([np.flatnonzero(bins.native), np.flatnonzero(~bins.native)])
    reordered = np.empty(len(order), dtype=np.int8)
    reordered[order] = directions
    return reordered


def _loss(score: float, learning: Learning) -> float:
    """Loss in the unit of the curve metric; scikit-learn's score of a squared error is minus half of it."""
    return float(np.sqrt(-2 * score)) if learning.loss == "squared_error" else -score


@cache
def _estimators() -> tuple[type[Any], type[Any]]:
    """The classifier and the regressor; a test pins what of scikit-learn's inside they rely on."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    class Prepared:
        """Overrides that go before scikit-learn's own methods."""

        bins: Bins
        learning: Learning
        stop: Stop
        n_iter_no_change: int
        best: tuple[float, int] = (-inf, 1)  # score, and the iteration that it is of

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
            """Asked after each iteration, and once before the first, with the scores that early stopping goes by."""
            made = len(scores) - 1
            if made == 0:
                return False
            if not self._use_validation_data:  # type: ignore[attr-defined]  # scikit-learn's
                return self.stop(made, nan)
            if scores[-1] > self.best[0]:
                self.best = (scores[-1], made)
            asked = self.stop(made, _loss(scores[-1], self.learning))
            return asked or made - self.best[1] >= self.n_iter_no_change

    class Classifier(Prepared, HistGradientBoostingClassifier):  # type: ignore[misc]  # scikit-learn has no types
        """For classes."""

    class Regressor(Prepared, HistGradientBoostingRegressor):  # type: ignore[misc]  # scikit-learn has no types
        """For values."""

    return Classifier, Regressor
