"""Rows from the future: a time at which a row arose is never later than the time at which it arrived."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from training_assets.core.validation.schema import Broken
from training_assets.spec import ModelSpec

RULE = "future"
# Times without an offset may be those of any clock on earth, up to 14 hours before UTC's.
TOLERANCE = timedelta(days=1)


def future_breaks(rows: pl.DataFrame, spec: ModelSpec, arrived: datetime) -> list[Broken]:
    """The typed rows (n_rows) of one batch whose column of role time is more than a day after its arrival (naive UTC).

    The batch's own arrival, not the present, is what they are compared with: sorted again, they are sorted alike.
    """
    found = []
    for name in spec.with_role("time"):
        if isinstance(rows[name].dtype, pl.Date | pl.Datetime):
            late = rows[name].cast(pl.Datetime("us")) > arrived + TOLERANCE
            if late.any():
                found.append(Broken(name, RULE, late.fill_null(value=False)))
    return found
