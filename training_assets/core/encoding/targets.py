"""Target encoding: what the label was, on average, where training rows had a category's level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

FOLDS = 5


def encodings(codes: Sequence[Codes], n_codes: Sequence[int], label: Floats) -> list[Floats]:
    """For each category one value a code: the label's mean there, shrunk to the overall mean where rows are few.

    `label` is 0/1 for a class or the value of a regression, one a row; the shrinkage is the empirical Bayes estimate of
    Micci-Barreca (2001), as scikit-learn's `TargetEncoder(smooth="auto")` computes it. A code without rows gets the
    overall mean.
    """
    encoder = _encoder(n_codes, folds=2, seed=0)
    encoder.fit(np.column_stack(codes), label)
    return [np.asarray(values, dtype=np.float64) for values in encoder.encodings_]


def cross_fitted(codes: Sequence[Codes], n_codes: Sequence[int], label: Floats, seed: int) -> list[Floats]:
    """For each category one value a row, computed from the rows of other folds: a row never sees its own label."""
    if len(label) < FOLDS:  # too few to hold any out; the mean says nothing about a single one
        return [np.full(len(label), label.mean()) for _ in codes]
    encoder = _encoder(n_codes, folds=FOLDS, seed=seed)
    return list(encoder.fit_transform(np.column_stack(codes), label).T)


def _encoder(n_codes: Sequence[int], folds: int, seed: int) -> Any:
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    # "continuous" for classes as well, one class against the rest: the formula is the same, and plain folds do not warn
    # about classes with fewer rows than folds.
    return TargetEncoder(
        categories=[np.arange(count) for count in n_codes],
        target_type="continuous",
        smooth="auto",
        cv=KFold(folds, shuffle=True, random_state=seed),
    )
