"""Rows as any estimator can take them: dense float64, everything scaled and categories one-hot.

In float32, a row alone is predicted up to 1e-7 otherwise than among others: BLAS sums it in another order.
"""

from __future__ import annotations

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.families import design_matrix
from training_assets.core.families.data import Data, Floats
from training_assets.core.families.design_matrix import Scale

MAX_BYTES = 4_000_000_000


def matrix(data: Data, scale: Scale) -> Floats:
    """Give `n_rows x n_columns`, row by row in memory, shared by fits at a time. `InputError` E_SIZE above 4 GB."""
    return data.lent(("dense", scale), lambda: _dense(data, scale))


def _dense(data: Data, scale: Scale) -> Floats:
    width = len(design_matrix.owners(data.layout))
    if 8 * data.n_rows * width > MAX_BYTES:
        message = (
            f"this family reads dense rows, and {data.n_rows:,} of {width:,} columns are more than "
            f"{MAX_BYTES:,} bytes; set encoding.categorical: target, or leave it out of search.families"
        )
        raise InputError("E_SIZE", message)
    dense = np.empty((data.n_rows, width), dtype=np.float64)
    for part, rows in design_matrix.blocks(data, scale):
        dense[part] = rows.toarray()
    return dense
