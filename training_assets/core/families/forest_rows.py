"""Rows as forests read them: dense float32, the precision in which scikit-learn's trees compare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training_assets.core.encoding.layout import Layout, code_column
from training_assets.core.families.data import Data

Rows = npt.NDArray[np.float32]


def columns(layout: Layout) -> list[str]:
    """Encoded columns, in the order of the matrix: quantities, codes as ranks, target encodings."""
    codes = [code_column(name) for name in layout.codes]
    return [*layout.quantities, *codes, *(name for names in layout.targets.values() for name in names)]


def matrix(data: Data) -> Rows:
    """Give `n_rows x n_columns`, row by row in memory, NaN for a missing quantity; shared by fits at a time."""
    return data.lent("forest rows", lambda: _matrix(data))


def _matrix(data: Data) -> Rows:
    names = columns(data.layout)
    rows: Rows = np.empty((data.n_rows, len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        rows[:, place] = data.frame.get_column(name).to_numpy()
    return rows
