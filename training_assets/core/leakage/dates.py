"""Dates that features are made from, and that lie after the moment at which the row arose."""

from __future__ import annotations

import polars as pl

from training_assets.core.features.declared import feature_names, intermediates
from training_assets.core.leakage.evidence import Leak, shown
from training_assets.spec import ModelSpec

# A few wrong entries are a matter of quality; one row in a hundred is a habit.
STRONG = 0.01
LEAST_LATE = 3
REMEDY = (
    "give it `role: ignored`, and derive no feature from it; where it is planned ahead and known in time, say so in a "
    "waiver"
)


def read_dates(spec: ModelSpec, rows: pl.DataFrame) -> list[str]:
    """Raw and joined dates that are features, or that a derived column or a join reads, beside the row's own time."""
    own, read = spec.one_with_role("time"), intermediates(spec) | set(feature_names(spec))
    return [
        name
        for name, dtype in rows.schema.items()
        # What is derived is made from columns that are looked at themselves.
        if dtype.is_temporal() and name in read and name != own and name not in spec.features.derived
    ]


def dated_after(rows: pl.DataFrame, spec: ModelSpec) -> list[Leak]:
    """A leak for each date that features read and that is later than the row's time, in rows with joined columns.

    Where either is a day without a time, days are compared. Without a column of role time there is nothing to compare.
    """
    time = spec.one_with_role("time")
    if time is None:
        return []
    found = []
    for name in read_dates(spec, rows):
        both = rows.select(date=pl.col(name), time=pl.col(time)).drop_nulls()
        kind = pl.Date if pl.Date in both.dtypes else pl.Datetime("us")
        late = int(both.select((pl.col("date").cast(kind) > pl.col("time").cast(kind)).sum()).item() or 0)
        if not late:
            continue
        share = late / both.height
        text = (
            f"'{shown(name)}', which features are made from, is later than the row's time '{shown(time)}' in {late:,} "
            f"of {both.height:,} rows ({share:.1%})"
        )
        strong = share >= STRONG and late >= LEAST_LATE
        found.append(Leak("dated after the row", (name,), text, share, strong=strong, remedy=REMEDY))
    return found
