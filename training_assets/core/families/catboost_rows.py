"""Rows as CatBoost reads them: quantities as they are, categories as codes."""

from __future__ import annotations

from typing import Any

import polars as pl

from training_assets.core.encoding.layout import code_column
from training_assets.core.families.data import Data


def pool(data: Data) -> Any:
    """Rows to predict, or to watch while learning."""
    return data.shared("catboost", lambda: _new_pool(data))


def quantised(data: Data) -> Any:
    """Training rows in 254 bins a quantity, read by all trials at once.

    Validation rows stay as they are: a pool quantised on its own numbers its categories anew, and 1.2.10 then takes one
    level for another without a word.
    """

    def build() -> Any:
        made = _new_pool(data)
        made.quantize(border_count=254)
        return made

    return data.shared("catboost quantised", build)


def _new_pool(data: Data) -> Any:
    from catboost import Pool

    layout = data.layout
    columns = {name: name for name in layout.quantities} | {name: code_column(name) for name in layout.codes}
    # By get_column and not by select, which would read a name like `^x$` as a pattern.
    frame = pl.DataFrame([data.frame.get_column(column).alias(name) for name, column in columns.items()])
    label, weights = (data.y, data.weights) if data.has_labels else (None, None)
    return Pool(frame, label=label, weight=weights, cat_features=list(layout.codes))
