"""The one place where a preprocessor is fitted: it is handed splits by name, and learns from training alone."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from training_assets.core.encoding.layout import FeatureKinds
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.spec.encoding import Encoding
from training_assets.spec.target import Task


def fit_preprocessor(
    splits: Mapping[str, pl.DataFrame],
    kinds: FeatureKinds,
    encoding: Encoding,
    task: Task,
    classes: list[str],
    seed: int,
) -> Preprocessor:
    """The preprocessor of `splits["train"]`; what else is there changes nothing, which a check tries out with poison.

    Raises `InputError` as `Preprocessor.fit` does.
    """
    return Preprocessor.fit(splits["train"], kinds, encoding, task, classes, seed)
