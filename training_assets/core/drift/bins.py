"""The bins that two distributions of a column are compared over: drawn from the reference, never from both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training_assets.core.statistics import ColumnStatistics

BINS = 10
LEVELS = 50


@dataclass(frozen=True)
class Bins:
    """Upper edges of a quantity's bins, the last of them open, or a category's levels; nulls are a bin of their own.

    Edges are deciles of the reference. A value that fills a decile by itself is a bin by itself, and what is under it
    is another: otherwise a sentinel of -1 would fall among the zeros. Levels are the 50 commonest of the reference.
    """

    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] | None = None

    @classmethod
    def of(cls, reference: ColumnStatistics) -> Bins:
        """The bins that a reference column is cut into."""
        if reference.levels is not None:
            return cls(levels=tuple(list(reference.levels.counts)[:LEVELS]))
        if reference.quantiles is None or not reference.quantiles.n:
            return cls()
        deciles = reference.quantiles.quantiles(np.arange(1, BINS) / BINS)
        single = np.append(deciles[:-1][deciles[1:] == deciles[:-1]], deciles[deciles == reference.low])
        under = single - 4 * np.abs(np.spacing(single))
        return cls(tuple(np.unique(np.concatenate([deciles, under])).tolist()))

    @property
    def names(self) -> list[str]:
        """What each bin holds, for people, in the order of `counts`."""
        if self.levels is not None:
            return [*self.levels, "all others", "no value"]
        if not self.edges:
            return ["any value", "no value"]
        # An edge just under a value that is a bin by itself is that value, for people.
        single = [high - low <= 8 * abs(np.spacing(low)) for low, high in zip(self.edges, self.edges[1:], strict=False)]
        ends = [high if alone else low for low, high, alone in zip(self.edges, self.edges[1:], single, strict=False)]
        texts = [f"{edge:.4g}" for edge in [*ends, self.edges[-1]]]
        first = f"under {texts[0]}" if single[:1] == [True] else f"up to {texts[0]}"
        between = [
            after if alone else f"{before} to {after}"
            for before, after, alone in zip(texts, texts[1:], single, strict=False)
        ]
        return [first, *between, f"over {texts[-1]}", "no value"]

    def counts(self, column: ColumnStatistics) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Rows of a column in each bin; the last is those without a value, of a category the one before all others."""
        if self.levels is not None:
            known = column.levels.counts if column.levels is not None else {}
            found = [float(known.get(level, 0)) for level in self.levels]
            return np.array([*found, max(column.known - sum(found), 0.0), float(column.nulls)])
        if column.quantiles is None or not self.edges:
            return np.array([float(column.known), float(column.nulls)])
        below = column.quantiles.cdf(np.array(self.edges)) * column.known
        inside = np.diff(np.concatenate([[0.0], below, [float(column.known)]]))
        return np.append(inside, float(column.nulls))
