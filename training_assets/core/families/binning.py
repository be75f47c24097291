"""Rows as histogram gradient boosting reads them: bins of 8 bits to learn from, float64 to predict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.encoding.layout import Layout, code_column
from training_assets.core.families.data import Data, Floats, View

BLOCK = 65_536  # rows in float64 at a time
SAMPLE = 200_000  # rows that bin edges are read from, as in scikit-learn
MAX_CODES = 255  # a native category has a bin a code, and one bin is for missing values


@dataclass(frozen=True)
class Bins:
    """Training rows in bins, and the mapper that other rows go through."""

    rows: npt.NDArray[np.uint8]  # n_rows x n_features, column by column
    mapper: Any  # scikit-learn's fitted _BinMapper
    native: npt.NDArray[np.bool_]  # (n_features,): which columns are categories by mask

    @property
    def known(self) -> list[Floats | None]:
        """Codes that training rows had, for each native category."""
        return [self.mapper.bin_thresholds_[index] if native else None for index, native in enumerate(self.native)]


def blocks(data: Data) -> Iterator[Floats]:
    """Rows as float64 `n_rows x n_features` (quantities, then codes; NaN for a missing quantity), block by block."""
    for start in range(0, data.n_rows, BLOCK):
        yield _matrix(data, slice(start, start + BLOCK))


def of_blocks(data: Data, work: Callable[[Floats], View]) -> list[View]:
    """What `work` makes of each block, on as many threads at a time as OpenMP would have."""
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    starts = range(0, data.n_rows, BLOCK)
    threads = min(len(starts), _openmp_effective_n_threads())
    if threads < 2:
        return [work(block) for block in blocks(data)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda start: work(_matrix(data, slice(start, start + BLOCK))), starts))


def of_training(train: Data, *, native: bool, seed: int) -> Bins:
    """Bins of the training rows, made once for each way to read categories."""
    return train.shared(("bins", native, seed), lambda: _binned(train, native=native, seed=seed))


def of_validation(train: Data, validation: Data, bins: Bins) -> npt.NDArray[np.uint8]:
    """Validation rows in the bins of the training rows, row by row; a code that training never saw is missing."""
    # The data is part of the view so that its id stays its own.
    name = ("validation bins", id(validation), id(bins))
    return train.shared(name, lambda: (validation, bins, np.ascontiguousarray(_transformed(validation, bins))))[-1]


def _binned(train: Data, *, native: bool, seed: int) -> Bins:
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

    mask = _native(train.layout) if native else np.zeros(len(train.layout.features), dtype=bool)
    known = [_codes(train, index) if is_native else None for index, is_native in enumerate(mask)]
    mapper = _BinMapper(
        n_bins=MAX_CODES + 1,
        subsample=None,
        is_categorical=mask if mask.any() else None,
        known_categories=known if mask.any() else None,
        n_threads=1,
    ).fit(_sample(train, seed))  # which is gone by the time that the rows are binned
    unfilled = Bins(np.empty((0, 0), dtype=np.uint8), mapper, mask)
    return Bins(_transformed(train, unfilled), mapper, mask)


def _transformed(data: Data, bins: Bins) -> npt.NDArray[np.uint8]:
    binned = np.empty((data.n_rows, len(bins.native)), dtype=np.uint8, order="F")
    start = 0
    for block in blocks(data):
        for index, known in enumerate(bins.known):
            if known is not None:
                block[~np.isin(block[:, index], known), index] = np.nan
        binned[start : start + len(block)] = bins.mapper.transform(block)
        start += len(block)
    return binned


def _matrix(data: Data, rows: Any) -> Floats:
    """Those rows: a slice, or their places."""
    layout = data.layout
    names = [*layout.quantities, *(code_column(name) for name in layout.codes)]
    length = len(range(*rows.indices(data.n_rows)) if isinstance(rows, slice) else rows)
    matrix = np.empty((length, len(names)))
    for index, name in enumerate(names):
        matrix[:, index] = data.frame.get_column(name)[rows].to_numpy()
    return matrix


def _sample(train: Data, seed: int) -> Floats:
    chosen: Any = slice(None)
    if train.n_rows > SAMPLE:
        chosen = np.sort(np.random.default_rng(seed).choice(train.n_rows, SAMPLE, replace=False))
    sample = _matrix(train, chosen)
    # A column without any value has no edges; scikit-learn 1.9.1 trips over it unless it is given one.
    sample[:, np.isnan(sample).all(axis=0)] = 0.0
    return sample


def _native(layout: Layout) -> npt.NDArray[np.bool_]:
    """Categories with too many codes for a bin each are read as ranks, most frequent first."""
    few = [count <= MAX_CODES for count in layout.codes.values()]
    return np.array([False] * len(layout.quantities) + few, dtype=bool)


def _codes(train: Data, index: int) -> Floats:
    name = list(train.layout.codes)[index - len(train.layout.quantities)]
    return train.frame.get_column(code_column(name)).unique().sort().to_numpy().astype(np.float64)
