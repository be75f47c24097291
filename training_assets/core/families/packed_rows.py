"""The linear family's rows in a third of the memory: float32 and codes, unpacked some thousands at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.encoding.layout import code_column, scaled_column
from training_assets.core.families.data import Data, Floats
from training_assets.core.families.design_matrix import Scale, dense_targets, owners

BLOCK = 4_096  # rows that are unpacked at a time: they stay in the processor's cache


@dataclass(frozen=True)
class PackedRows:
    """Rows that multiply as `design_matrix.matrix` of them would, to the last bit."""

    values: npt.NDArray[np.float32]  # n_rows x scaled columns and target encodings
    columns: npt.NDArray[np.int32]  # n_rows x categories: the column of the one of each
    shape: tuple[int, int]

    def __matmul__(self, weights: Floats) -> Floats:
        """`n_columns x n_outputs` give `n_rows x n_outputs`."""
        return np.concatenate([rows @ weights for _, rows in self.blocks()])

    @property
    def T(self) -> Transposed:  # noqa: N802 - the name that matrices have for it
        """What multiplies from the other side."""
        return Transposed(self)

    def blocks(self) -> Iterator[tuple[slice, Any]]:
        """Sparse float64 of some rows after the other, valid until the next is asked for, and which rows they are."""
        from scipy.sparse import csr_array

        n_rows, dense = self.values.shape
        width = dense + self.columns.shape[1]
        most = min(BLOCK, n_rows)
        values, indices = np.ones((most, width)), np.empty((most, width), dtype=np.int32)
        indices[:, :dense] = np.arange(dense)
        starts = np.arange(0, most * width + 1, width, dtype=np.int32) if width else np.zeros(most + 1, dtype=np.int32)
        for start in range(0, n_rows, BLOCK):
            part = slice(start, min(start + BLOCK, n_rows))
            size = part.stop - start
            values[:size, :dense] = self.values[part]
            indices[:size, dense:] = self.columns[part]
            block = (values[:size].reshape(-1), indices[:size].reshape(-1), starts[: size + 1])
            yield part, csr_array(block, shape=(size, self.shape[1]))


@dataclass(frozen=True)
class Transposed:
    """Packed rows as columns."""

    rows: PackedRows

    def __matmul__(self, slopes: Floats) -> Floats:
        """`n_rows x n_outputs` (or a vector) give `n_columns x n_outputs`, added up row by row."""
        from scipy.sparse import _sparsetools  # whose sums go on where those of the block before ended

        columns = slopes.reshape(len(slopes), -1)
        total = np.zeros((self.rows.shape[1], columns.shape[1]))
        for part, block in self.rows.blocks():
            _sparsetools.csc_matvecs(
                self.rows.shape[1], block.shape[0], columns.shape[1], block.indptr, block.indices, block.data,
                np.ascontiguousarray(columns[part]).ravel(), total.reshape(-1),
            )  # fmt: skip
        return total.reshape(-1) if slopes.ndim == 1 else total


def spreads(rows: PackedRows) -> Floats:
    """Standard deviation of each column, (n_columns,)."""
    each = np.full(rows.shape[0], 1 / rows.shape[0])
    squares = np.zeros(rows.shape[1])
    for _, block in rows.blocks():
        np.add.at(squares, block.indices, block.data**2 * each[0])
    return np.sqrt(np.maximum(squares - (rows.T @ each) ** 2, 0))


def packed(data: Data, scale: Scale) -> PackedRows:
    """The rows of a split; shared by fits at a time."""
    return data.lent(("packed", scale), lambda: build(data, scale))


def build(data: Data, scale: Scale) -> PackedRows:
    """Pack them anew, for the caller alone."""
    layout, frame = data.layout, data.frame
    encoded, scaled = dense_targets(layout), len(layout.scaled)
    values = np.empty((data.n_rows, scaled + len(encoded)), dtype=np.float32)
    for place, name in enumerate(layout.scaled):
        values[:, place] = frame.get_column(scaled_column(name)).to_numpy()
    for place, (name, center, spread) in enumerate(zip(encoded, scale.center, scale.spread, strict=True), scaled):
        values[:, place] = (frame.get_column(name).to_numpy() - center) / spread
    columns = np.empty((data.n_rows, len(layout.one_hot)), dtype=np.int32)
    first = values.shape[1]
    for place, feature in enumerate(layout.one_hot):
        columns[:, place] = frame.get_column(code_column(feature)).to_numpy() + first
        first += layout.codes[feature]
    return PackedRows(values, columns, (data.n_rows, len(owners(layout))))
