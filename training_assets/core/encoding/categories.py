"""Categories: the levels that training rows had, and their codes."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from training_assets.core.encoding.layout import FIRST_LEVEL_CODE, NULL_CODE, UNKNOWN_CODE


@dataclass(frozen=True)
class Category:
    """The levels kept, by falling training frequency, then by name; a level's code is its position plus two."""

    levels: tuple[str, ...]

    @classmethod
    def fit(cls, values: pl.Series, max_levels: int, min_rows: int = 1) -> Category:
        """Keep the `max_levels` most frequent levels that at least `min_rows` training rows have.

        The others share the code of the unknown.
        """
        counted = values.cast(pl.String).drop_nulls().rename("level").value_counts(name="count")
        # Sorted by Python: the order of texts by code point is the same in every version of everything.
        common = [(level, count) for level, count in counted.iter_rows() if count >= min_rows]
        ranked = sorted(common, key=lambda row: (-row[1], row[0]))
        return cls(levels=tuple(level for level, _ in ranked[:max_levels]))

    @property
    def n_codes(self) -> int:
        """How many codes there are, those of null and of the unknown included."""
        return FIRST_LEVEL_CODE + len(self.levels)

    def encode(self, values: pl.Series) -> pl.Series:
        """Codes as Int32: 0 for null, 1 for a level that training did not keep, else the level's own."""
        texts = values.cast(pl.String)
        missing = texts.is_null()
        if not self.levels:
            return missing.not_().cast(pl.Int32)
        ranks = texts.cast(pl.Enum(self.levels), strict=False).to_physical().cast(pl.Int32)
        codes = (ranks + FIRST_LEVEL_CODE).fill_null(UNKNOWN_CODE)
        return codes.set(missing, NULL_CODE)
