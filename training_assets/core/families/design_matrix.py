"""Rows as the linear family reads them: sparse, with everything scaled and categories one-hot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.encoding.layout import Layout, code_column, scaled_column
from training_assets.core.families.data import Data

BLOCK = 16_384  # rows at a time


@dataclass(frozen=True)
class Scale:
    """Training mean and spread of each target encoding; quantities come scaled."""

    center: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def of(cls, train: Data) -> Scale:
        """Scale by the rows that the weights are fitted on."""
        columns = [train.frame.get_column(name).to_numpy().astype(np.float64) for name in dense_targets(train.layout)]
        return cls(
            tuple(float(column.mean()) for column in columns),
            tuple(float(column.std()) or 1.0 for column in columns),
        )


def dense_targets(layout: Layout) -> list[str]:
    """Columns of target encodings."""
    return [name for names in layout.targets.values() for name in names]


def owners(layout: Layout) -> list[str]:
    """Quantity or category that each column of the matrix was made from."""
    encoded = [feature for feature, names in layout.targets.items() for _ in names]
    one_hot = [feature for feature in layout.one_hot for _ in range(layout.codes[feature])]
    return [*layout.scaled, *encoded, *one_hot]


def matrix(data: Data, scale: Scale) -> Any:
    """Give the sparse `n_rows x n_columns` float64: in every row one entry a quantity, target encoding and category."""
    return data.lent(("sparse", scale), lambda: _sparse(data.layout, data.frame, scale))


def blocks(data: Data, scale: Scale) -> Iterator[tuple[slice, Any]]:
    """The same rows, some thousands at a time, and which ones they are."""
    for start in range(0, data.n_rows, BLOCK):
        part = slice(start, min(start + BLOCK, data.n_rows))
        yield part, _sparse(data.layout, data.frame[part], scale)


def _sparse(layout: Layout, frame: pl.DataFrame, scale: Scale) -> Any:
    from scipy.sparse import csr_array

    n_rows = frame.height
    encoded = dense_targets(layout)
    n_dense = len(layout.scaled) + len(encoded)
    width, n_columns = n_dense + len(layout.one_hot), len(owners(layout))
    index_type = np.int32 if n_rows * width < np.iinfo(np.int32).max else np.int64
    values = np.ones((n_rows, width))
    indices: npt.NDArray[Any] = np.empty((n_rows, width), dtype=index_type)
    indices[:, :n_dense] = np.arange(n_dense)
    for place, name in enumerate(layout.scaled):
        values[:, place] = frame.get_column(scaled_column(name)).to_numpy()
    for place, (name, center, spread) in enumerate(zip(encoded, scale.center, scale.spread, strict=True)):
        values[:, len(layout.scaled) + place] = (frame.get_column(name).to_numpy() - center) / spread
    first = n_dense
    for place, feature in enumerate(layout.one_hot):
        indices[:, n_dense + place] = frame.get_column(code_column(feature)).to_numpy() + first
        first += layout.codes[feature]
    starts = np.arange(0, (n_rows + 1) * width, width, dtype=index_type) if width else np.zeros(n_rows + 1)
    return csr_array((values.ravel(), indices.ravel(), starts), shape=(n_rows, n_columns))
