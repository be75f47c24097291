"""Target encoding: what the label was, on average, where training rows had a category's level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.spec.target import Task

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]

FOLDS = 5


def to_average(labels: npt.NDArray[Any], task: Task, n_classes: int) -> list[Floats]:
    """Labels as the numbers to average: the positive class, each class in turn, or the value itself."""
    if task == "regression":
        return [labels.astype(np.float64)]
    wanted = [1] if task == "binary" else range(n_classes)
    return [(labels == code).astype(np.float64) for code in wanted]


def encodings(
    codes: Mapping[str, Codes], n_codes: Mapping[str, int], labels: list[Floats]
) -> dict[str, list[list[float]]]:
    """For each category, for each label to average, one value a code: its mean there, shrunk where rows are few.

    The shrinkage towards the overall mean is the empirical Bayes estimate of Micci-Barreca (2001), as scikit-learn's
    `TargetEncoder(smooth="auto")` computes it. A code without rows gets the overall mean.
    """
    if not codes:
        return {}
    encoder = _encoder(codes, n_codes, folds=2, seed=0)
    rows = np.column_stack(list(codes.values()))
    by_label = [encoder.fit(rows, label).encodings_ for label in labels]
    return {name: [values[index].tolist() for values in by_label] for index, name in enumerate(codes)}


def cross_fitted(
    codes: Mapping[str, Codes], n_codes: Mapping[str, int], labels: list[Floats], seed: int
) -> dict[str, list[Floats]]:
    """For each category, for each label, one value a row, from the rows of other folds: none sees its own label.

    Rows fewer than folds get the mean of the others.
    """
    if not codes:
        return {}
    if len(labels[0]) < FOLDS:
        others = [(label.sum() - label) / max(len(label) - 1, 1) for label in labels]
        return dict.fromkeys(codes, others)
    encoder = _encoder(codes, n_codes, folds=FOLDS, seed=seed)
    rows = np.column_stack(list(codes.values()))
    by_label = [encoder.fit_transform(rows, label) for label in labels]
    return {name: [values[:, index] for values in by_label] for index, name in enumerate(codes)}


def _encoder(codes: Mapping[str, Codes], n_codes: Mapping[str, int], folds: int, seed: int) -> Any:
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    # "continuous" for classes as well, one class against the rest: the formula is the same, and plain folds do not warn
    # about classes with fewer rows than folds.
    return TargetEncoder(
        categories=[np.arange(n_codes[name]) for name in codes],
        target_type="continuous",
        smooth="auto",
        cv=KFold(folds, shuffle=True, random_state=seed),
    )
