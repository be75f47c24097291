"""Work on texts that is done once for each distinct text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


def by_distinct(
    texts: pl.Series, width: int, numbers: Callable[[pl.Series], npt.NDArray[np.floating]]
) -> list[pl.Series]:
    """For each of `width` columns the numbers of each row's text as Float64 (n_rows), null where the text is.

    `numbers` gives `n_texts x width` for distinct texts, each of which must not depend on the others.
    """
    rows = pl.DataFrame({"text": texts})
    distinct = rows.select(pl.col("text").drop_nulls().unique()).with_row_index("place")
    places = rows.join(distinct, on="text", how="left", maintain_order="left").get_column("place")
    if not distinct.height:
        return [pl.Series([None] * len(texts), dtype=pl.Float64)] * width
    made = numbers(distinct.get_column("text"))
    return [pl.Series(made[:, index], dtype=pl.Float64).gather(places) for index in range(width)]
