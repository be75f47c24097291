"""Rows as LightGBM reads them: binned once for all trials; and how many threads it may use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from training_assets.core.encoding.layout import Layout, code_column
from training_assets.core.families.base import Learning
from training_assets.core.families.data import Data, Floats

MAX_CODES = (
    255  # a native category with more is sorted anew for every split, and fits them by heart: ranks serve better
)
# Fixed, because trials share the bins; the seed is that of the sample of 200,000 rows which bin edges are read from.
BINS = {"max_bin": 255, "data_random_seed": 1, "feature_pre_filter": False, "verbosity": -1}


class _Threads:
    """LightGBM keeps the number of threads in one variable of the process: calls at the same time must agree on it.

    The first call decides for those that begin before it ends. Results are the same for any number.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._agreed = 1

    @contextmanager
    def of(self, wanted: int) -> Iterator[int]:
        with self._lock:
            if not self._calls:
                self._agreed = wanted
            self._calls += 1
        try:
            yield self._agreed
        finally:
            with self._lock:
                self._calls -= 1


THREADS = _Threads()


def columns(layout: Layout) -> list[str]:
    """Encoded columns, in the order of the rows: quantities, then codes."""
    return [*layout.quantities, *(code_column(name) for name in layout.codes)]


def native(data: Data) -> list[int]:
    """Places of the categories that are read as such; those with too many codes are ranks, most frequent first."""
    first = len(data.layout.quantities)
    return [first + place for place, count in enumerate(data.layout.codes.values()) if count <= MAX_CODES]


def of_training(train: Data, learning: Learning, scale: tuple[float, float], *, categories: bool, threads: int) -> Any:
    """LightGBM's `Dataset`, without the raw rows; labels are standardised by `scale`, their centre and spread.

    Boosters only read it, so any number of them may train on it at once.
    """
    name = ("lightgbm", categories, learning.device)
    return train.shared(name, lambda: _dataset(train, learning, scale, categories=categories, threads=threads))


def of_validation(
    train: Data,
    validation: Data,
    learning: Learning,
    scale: tuple[float, float],
    *,
    categories: bool,
    threads: int,
) -> Any:
    """Validation rows in the bins of the training rows."""
    reference = of_training(train, learning, scale, categories=categories, threads=threads)

    def build() -> tuple[Data, Any]:
        rows = _dataset(validation, learning, scale, categories=categories, threads=threads, reference=reference)
        return validation, rows  # the data is part of the view so that its id stays its own

    return train.shared(("lightgbm validation", id(validation), categories, learning.device), build)[1]


def _dataset(
    data: Data,
    learning: Learning,
    scale: tuple[float, float],
    *,
    categories: bool,
    threads: int,
    reference: Any = None,
) -> Any:
    from lightgbm import Dataset

    labels: Floats = data.y
    if data.layout.task == "regression":
        labels = (labels - scale[0]) / scale[1]
    # Read column by column where it lies; by their names, a user's would be in the model's text.
    named = [data.frame.get_column(name).alias(f"Column_{place}") for place, name in enumerate(columns(data.layout))]
    return Dataset(
        pl.DataFrame(named),
        labels,
        reference=reference,
        weight=data.weights,
        categorical_feature=native(data) if categories else [],
        params={**BINS, "num_threads": threads, "device_type": learning.device},
        free_raw_data=True,
    ).construct()
