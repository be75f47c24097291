"""Quantities: what stands for a missing one, and how it is centred and scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.spec.encoding import Encoding

LARGEST = float(np.finfo(np.float32).max)


def finite(values: pl.Series) -> pl.Series:
    """Values as Float64; null where there is no finite number, and cut to what a Float32 can hold."""
    numbers = values.cast(pl.Float64)
    return numbers.set(~numbers.is_finite(), None).clip(-LARGEST, LARGEST)


@dataclass(frozen=True)
class Quantity:
    """How one quantity is imputed and scaled: `(value or impute) - center) / scale`."""

    impute: float
    center: float
    scale: float

    @classmethod
    def fit(cls, values: pl.Series, encoding: Encoding) -> Quantity:
        """Statistics of the training values that are there, the same in whatever order the rows come.

        A column without any value is 0 throughout; a constant one is 0 after scaling, because its scale is set to 1.
        """
        present = np.sort(finite(values).drop_nulls().to_numpy())
        if present.size == 0:
            return cls(impute=0.0, center=0.0, scale=1.0)
        center, scale = _center_and_scale(present, encoding)
        # + 0.0 turns -0.0 into 0.0: which of the two came first is not a property of the data.
        return cls(impute=_stand_in(present, encoding) + 0.0, center=center + 0.0, scale=scale)

    def encode(self, values: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Give the value as it is (Float32, null where missing), and imputed and scaled (Float32, never null)."""
        numbers = finite(values)
        scaled = ((numbers.fill_null(self.impute) - self.center) / self.scale).clip(-LARGEST, LARGEST)
        return numbers.cast(pl.Float32), scaled.cast(pl.Float32)


def _stand_in(present: npt.NDArray[np.float64], encoding: Encoding) -> float:
    if encoding.impute == "zero":
        return 0.0
    return float(np.median(present) if encoding.impute == "median" else np.mean(present))


def _center_and_scale(present: npt.NDArray[np.float64], encoding: Encoding) -> tuple[float, float]:
    low, high = float(present[0]), float(present[-1])
    if encoding.scale == "none":
        return 0.0, 1.0
    if low == high:  # asked of the values: the standard deviation of a constant may round to 1e-17
        return low, 1.0
    if encoding.scale == "min_max":
        return low, high - low
    spread = float(np.std(present)) or 1.0
    if encoding.scale == "standard":
        return float(np.mean(present)), spread
    lower, middle, upper = (float(value) for value in np.quantile(present, [0.25, 0.5, 0.75]))
    # A column that is mostly one value has no interquartile range, yet its outliers must not stay as large as they are.
    return middle, (upper - lower) or spread
