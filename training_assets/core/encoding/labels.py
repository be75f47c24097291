"""Labels: class texts become codes, values of a regression stay numbers."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from training_assets.core.errors import InputError
from training_assets.spec.target import Task


def encoded_labels(labels: pl.Series, task: Task, classes: Sequence[str]) -> pl.Series:
    """Class codes (Int32: the position in `classes`) or values (Float64); a label that has not come yet stays null.

    Raises `InputError` E_LABEL for a text that is no class.
    """
    if task == "regression":
        return labels.cast(pl.Float64)
    codes = labels.cast(pl.Enum(classes), strict=False).to_physical().cast(pl.Int32)
    strangers = labels.filter(codes.is_null() & labels.is_not_null())
    if len(strangers):
        message = (
            f"{len(strangers)} rows have a label that is no class (first: {str(strangers[0])[:40]!r}); "
            f"classes are {', '.join(classes)[:200]}; correct the rows or add the class under target.classes"
        )
        raise InputError(code="E_LABEL", message=message)
    return codes


def known_labels(frame: pl.DataFrame, task: Task, classes: Sequence[str]) -> pl.Series:
    """Labels of training rows, encoded; `InputError` E_LABEL where a row has none or one that is no class."""
    if "_target" not in frame.columns:
        message = "training rows have no column _target; give the split's rows with their labels"
        raise InputError(code="E_LABEL", message=message)
    labels = encoded_labels(frame.get_column("_target"), task, classes)
    missing = labels.null_count() + (int(labels.is_nan().sum() or 0) if task == "regression" else 0)
    if missing:
        message = f"{missing} of {len(labels)} training rows have no label; drop them before encoding"
        raise InputError(code="E_LABEL", message=message)
    return labels
