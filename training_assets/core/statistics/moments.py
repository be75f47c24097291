"""Mean, spread, skewness and kurtosis that can be merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """Number of values, their mean, and the sums of the 2nd, 3rd and 4th powers of their distances from it.

    Values so large that a power overflows make it NaN, which is null in JSON.
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Moments:
        """The moments of finite values (n)."""
        if not values.size:
            return cls()
        with np.errstate(all="ignore"):
            mean = float(values.mean())
            away = values - mean
            squares = away * away
            sums = (squares.sum(), (squares * away).sum(), (squares * squares).sum())
        return cls(values.size, _finite(mean), *(_finite(float(each)) for each in sums))

    def merged(self, other: Moments) -> Moments:
        """The moments of both sets of values together (Pébay, Formulas for robust one-pass moments, 2008)."""
        if not self.n or not other.n:
            return self if self.n else other
        a, b = float(self.n), float(other.n)
        n = a + b
        with np.errstate(all="ignore"):
            d = np.float64(other.mean) - self.mean
            mean = self.mean + d * b / n
            m2 = self.m2 + other.m2 + d**2 * a * b / n
            m3 = self.m3 + other.m3 + d**3 * a * b * (a - b) / n**2 + 3 * d * (a * other.m2 - b * self.m2) / n
            m4 = self.m4 + other.m4 + d**4 * a * b * (a * a - a * b + b * b) / n**3
            m4 += 6 * d**2 * (a * a * other.m2 + b * b * self.m2) / n**2 + 4 * d * (a * other.m3 - b * self.m3) / n
        return Moments(self.n + other.n, *(_finite(float(each)) for each in (mean, m2, m3, m4)))

    @property
    def deviation(self) -> float:
        """Standard deviation of the sample; NaN under two values."""
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 and self.m2 >= 0 else math.nan

    @property
    def skewness(self) -> float:
        """Fisher's skewness, 0 where both sides are alike; NaN for a constant."""
        return math.sqrt(self.n) * self.m3 / self.m2**1.5 if self.m2 > 0 else math.nan

    @property
    def kurtosis(self) -> float:
        """Excess kurtosis, 0 for a normal distribution; NaN for a constant."""
        return self.n * self.m4 / self.m2**2 - 3 if self.m2 > 0 else math.nan

    def to_json(self) -> list[float | None]:
        """The numbers in order, null where one is not a number."""
        return [self.n, *(each if math.isfinite(each) else None for each in (self.mean, self.m2, self.m3, self.m4))]

    @classmethod
    def from_json(cls, line: Sequence[float | None]) -> Moments:
        """The moments that `to_json` wrote."""
        n, *rest = line
        return cls(int(n or 0), *(math.nan if each is None else each for each in rest))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
