"""Where a quantity's values lie: exact while they are few, a sketch beyond."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from datasketches import tdigest_double

Floats = NDArray[np.float64]
EXACT = 1_000
"""Distinct values up to which each is counted. Counts and codes are mostly under it, and a sketch blurs their steps."""
COMPRESSION = 500
"""Of the t-digest: ranks are within 0.001 for continuous values, 0.02 where single values hold many rows (measured).

Datasketches' KLL is tighter for repeated values, but draws random numbers: the same rows would not give the same bytes.
"""
GRID = 400


@dataclass(frozen=True)
class Quantiles:
    """The distribution of n values: each distinct value with its count, or else the bytes of a t-digest."""

    n: int
    values: Floats | None
    counts: NDArray[np.int64] | None
    sketch: bytes | None

    @classmethod
    def of(cls, values: Floats) -> Quantiles:
        """The distribution of finite values (n), in any order."""
        distinct, counts = np.unique(values + 0.0, return_counts=True)  # + 0.0: there is one zero
        if distinct.size <= EXACT:
            return cls(values.size, distinct, counts.astype(np.int64), None)
        return _of_sketch(_fed(np.repeat(distinct, counts)))

    @property
    def is_exact(self) -> bool:
        """Whether every value is counted."""
        return self.values is not None

    def cdf(self, points: Floats) -> Floats:
        """Share of values at most as large as each of the points (k)."""
        if not self.n:
            return np.zeros(points.shape)
        if self.values is not None and self.counts is not None:
            below = np.concatenate([[0], np.cumsum(self.counts)])
            exact: Floats = below[np.searchsorted(self.values, points, side="right")] / self.n
            return exact
        # A t-digest gives half of the weight that lies at a point; just above the point it gives all of it.
        above, places = np.unique(np.nextafter(points, np.inf), return_inverse=True)
        ranks = np.maximum.accumulate(np.array(self._digest().get_cdf(above))[:-1])
        return ranks[places]

    def quantiles(self, shares: Floats) -> Floats:
        """Smallest value that at least each of the shares (k) of values do not exceed; none without values."""
        if not self.n:
            return np.empty(0)
        if self.values is not None and self.counts is not None:
            # Rounded, because 0.7 * 10 is more than 7 by a hair, and the seventh of ten values is meant.
            wanted = np.ceil(np.round(shares * self.n, 9))
            place = np.searchsorted(np.cumsum(self.counts), np.clip(wanted, 1, self.n))
            return self.values[place]
        digest = self._digest()
        return np.array([digest.get_quantile(float(share)) for share in shares])

    def points(self) -> Floats:
        """Values at which the distribution steps: all of them, or else a grid of even ranks."""
        return self.values if self.values is not None else self.quantiles(np.linspace(0, 1, GRID))

    def merged(self, other: Quantiles) -> Quantiles:
        """The distribution of both sets of values together; exact while both are, and few values together."""
        if not self.n or not other.n:
            return self if self.n else other
        if self.values is not None and other.values is not None and self.counts is not None:
            distinct, places = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
            if distinct.size <= EXACT:
                counts = np.zeros(distinct.size, dtype=np.int64)
                np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
                return Quantiles(self.n + other.n, distinct, counts, None)
        digest = self._digest()
        digest.merge(other._digest())
        return _of_sketch(digest)

    def to_json(self) -> dict[str, Any]:
        """The distribution as JSON values, the sketch in base64."""
        if self.values is not None and self.counts is not None:
            return {"values": self.values.tolist(), "counts": self.counts.tolist()}
        return {"n": self.n, "tdigest": base64.b64encode(self.sketch or b"").decode()}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Quantiles:
        """The distribution that `to_json` wrote."""
        if "tdigest" in line:
            return cls(line["n"], None, None, base64.b64decode(line["tdigest"]))
        counts = np.array(line["counts"], dtype=np.int64)
        return cls(int(counts.sum()), np.array(line["values"], dtype=np.float64), counts, None)

    def _digest(self) -> tdigest_double:
        from datasketches import tdigest_double

        if self.values is not None and self.counts is not None:
            return _fed(np.repeat(self.values, self.counts))
        return tdigest_double.deserialize(self.sketch)


def _fed(ordered: Floats) -> tdigest_double:
    """A digest of values in ascending order, so that the order of rows does not matter."""
    from datasketches import tdigest_double

    digest = tdigest_double(COMPRESSION)
    digest.update(ordered)
    return digest


def _of_sketch(digest: tdigest_double) -> Quantiles:
    return Quantiles(int(digest.get_total_weight()), None, None, bytes(digest.serialize()))
