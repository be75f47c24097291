"""Rows as any estimator can take them: dense float32, everything scaled and categories one-hot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training_assets.core.errors import InputError
from training_assets.core.families import design_matrix
from training_assets.core.families.data import Data
from training_assets.core.families.design_matrix import Scale

MAX_BYTES = 4_000_000_000


def matrix(data: Data, scale: Scale) -> npt.NDArray[np.float32]:
    """Give `n_rows x n_columns`, row by row in memory, shared by fits at a time. `InputError` E_SIZE above 4 GB."""
    return data.lent(("dense", scale), lambda: _dense(data, scale))


def _dense(data: Data, scale: Scale) -> npt.NDArray[np.float32]:
    width = len(design_matrix.owners(data.layout))
    if 4 * data.n_rows * width > MAX_BYTES:
        message = (
            f"this family reads dense rows, and {data.n_rows:,} of {width:,} columns are more than "
            f"{MAX_BYTES:,} bytes; set encoding.categorical: target, or leave it out of search.families"
        )
        raise InputError("E_SIZE", message)
    dense = np.empty((data.n_rows, width), dtype=np.float32)
    for part, rows in design_matrix.blocks(data, scale):
        dense[part] = rows.toarray()
    return dense
