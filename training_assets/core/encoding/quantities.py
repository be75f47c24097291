"""Quantities: what stands for a missing one, and how it is clipped, centred and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.spec.encoding import AsQuantity, Encoding, Scale

LARGEST = float(np.finfo(np.float32).max)
EXACT = 2.0**24
"""Up to here a Float32 tells every two integers apart."""
MOST_QUANTILES = 1000  # as in scikit-learn
PLAIN = AsQuantity(method="quantity")

Floats = npt.NDArray[np.float64]


def finite(values: pl.Series) -> pl.Series:
    """Values as Float64; null where there is no finite number, and cut to what a Float32 can hold."""
    if values.dtype.is_integer():
        return values.cast(pl.Float64)
    number = pl.lit(values.cast(pl.Float64))
    return pl.select(pl.when(number.is_finite()).then(number.clip(-LARGEST, LARGEST))).to_series()


@dataclass(frozen=True)
class Quantity:
    """How one quantity is imputed and scaled: `bent(value or impute)`, less `center`, divided by `scale`.

    Trees read the value less `offset`: seconds since 1970 lie so far from 0 that a Float32 would not tell them apart.
    `bent` cuts to `clip` and takes the logarithm, where these are asked for. Where there are `quantiles`, they are
    mapped to those of a normal distribution instead of centring and scaling.
    """

    impute: float
    center: float
    scale: float
    clip: tuple[float, float] | None = None
    log: bool = False
    quantiles: tuple[float, ...] | None = None
    offset: float = 0.0

    @classmethod
    def fit(cls, values: pl.Series, encoding: Encoding, own: AsQuantity = PLAIN) -> Quantity:
        """Statistics of the training values that are there, the same in whatever order the rows come.

        A column without any value is 0 throughout; a constant one is 0 after scaling, because its scale is set to 1.
        """
        return cls.of(finite(values), encoding, own)

    @classmethod
    def of(cls, numbers: pl.Series, encoding: Encoding, own: AsQuantity = PLAIN) -> Quantity:
        """Learn from numbers that are finite or null, as `fit` does."""
        present = np.sort(numbers.drop_nulls().to_numpy())
        if present.size == 0:
            return cls(impute=0.0, center=0.0, scale=1.0)
        # + 0.0 turns -0.0 into 0.0: which of the two came first is not a property of the data.
        impute = _stand_in(present, own.impute or encoding.impute, own.value) + 0.0
        clip = None if own.clip is None else _between(present, own.clip)
        bent = _bent(pl.Series(present), clip, log=own.log).to_numpy()
        wanted = own.scale or encoding.scale
        if wanted == "quantile" and bent[0] < bent[-1]:
            return cls(impute, 0.0, 1.0, clip, own.log, _quantiles(bent), _offset(present))
        center, scale = _center_and_scale(bent, wanted)
        return cls(impute, center + 0.0, scale, clip, own.log, None, _offset(present))

    def encode(self, values: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Give the value for trees (Float32, null where missing), and imputed and scaled (Float32, never null)."""
        numbers = finite(values)
        return self.unscaled(numbers), self.scaled(numbers)

    def unscaled(self, numbers: pl.Series) -> pl.Series:
        """Give finite numbers less the offset (Float32, null where missing)."""
        return ((numbers - self.offset) if self.offset else numbers).clip(-LARGEST, LARGEST).cast(pl.Float32)

    def scaled(self, numbers: pl.Series) -> pl.Series:
        """Give finite numbers imputed and scaled (Float32, never null)."""
        bent = _bent(numbers.fill_null(self.impute), self.clip, log=self.log)
        if self.quantiles is not None:
            bent = pl.Series(_normal(bent.to_numpy(), self.quantiles))
        return ((bent - self.center) / self.scale).clip(-LARGEST, LARGEST).cast(pl.Float32)

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt, as JSON values; options that were not asked for are left out."""
        said: dict[str, Any] = {"impute": self.impute, "center": self.center, "scale": self.scale}
        said |= ({"log": True} if self.log else {}) | ({"offset": self.offset} if self.offset else {})
        lists = {"clip": self.clip, "quantiles": self.quantiles}
        return said | {name: list(values) for name, values in lists.items() if values is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Quantity:
        """Read what `to_json` wrote."""
        return cls(**{**data, **{name: tuple(data[name]) for name in ("clip", "quantiles") if name in data}})


def _bent(numbers: pl.Series, clip: tuple[float, float] | None, *, log: bool) -> pl.Series:
    if clip is not None:
        numbers = numbers.clip(*clip)
    return numbers.sign() * numbers.abs().log1p() if log else numbers


def _offset(present: Floats) -> float:
    """The least value of a column that lies closer together than it lies to 0, beyond what a Float32 tells apart."""
    low, high = float(present[0]), float(present[-1])
    far = max(abs(low), abs(high))
    return low if far > EXACT and high - low < far / 2 else 0.0


def _stand_in(present: Floats, impute: str, value: float | None) -> float:
    if value is not None:
        return value
    if impute == "zero":
        return 0.0
    return float(np.median(present) if impute == "median" else np.mean(present))


def _between(present: Floats, shares: list[float]) -> tuple[float, float]:
    low, high = (float(value) + 0.0 for value in np.quantile(present, shares))
    return low, high


def _center_and_scale(present: Floats, scale: Scale) -> tuple[float, float]:
    low, high = float(present[0]), float(present[-1])
    if scale == "none":
        return 0.0, 1.0
    if low == high:  # asked of the values: the standard deviation of a constant may round to 1e-17
        return low, 1.0
    if scale == "min_max":
        return low, high - low
    spread = float(np.std(present)) or 1.0
    if scale == "standard":
        return float(np.mean(present)), spread
    lower, middle, upper = (float(value) for value in np.quantile(present, [0.25, 0.5, 0.75]))
    # A column that is mostly one value has no interquartile range, yet its outliers must not stay as large as they are.
    return middle, (upper - lower) or spread


def _quantiles(present: Floats) -> tuple[float, ...]:
    from sklearn.preprocessing import QuantileTransformer

    # Of all values, not of a sample of them.
    fitted = QuantileTransformer(n_quantiles=min(MOST_QUANTILES, present.size), subsample=None).fit(present[:, None])
    return tuple((fitted.quantiles_[:, 0] + 0.0).tolist())


def _normal(numbers: Floats, quantiles: tuple[float, ...]) -> Floats:
    """Map quantiles to those of a normal distribution, as a `QuantileTransformer` that learnt them does."""
    from sklearn.preprocessing import QuantileTransformer

    if not numbers.size:
        return numbers
    transformer = QuantileTransformer(n_quantiles=len(quantiles), output_distribution="normal")
    transformer.n_quantiles_ = len(quantiles)
    transformer.n_features_in_ = 1
    transformer.references_ = np.linspace(0, 1, len(quantiles), endpoint=True)
    transformer.quantiles_ = np.asarray(quantiles)[:, None]
    normal: Floats = transformer.transform(numbers[:, None])[:, 0]
    return normal
