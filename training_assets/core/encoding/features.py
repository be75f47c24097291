"""The feature columns of rows that came from anywhere: found by name, and refused where they cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from training_assets.core.encoding.layout import ROW_COLUMNS, FeatureKinds, Layout
from training_assets.core.encoding.moments import moments
from training_assets.core.errors import InputError

_TEXTS = (pl.String, pl.Boolean, pl.Null, pl.Categorical, pl.Enum)
_SHOWN = 20


def feature_columns(rows: pl.DataFrame, kinds: FeatureKinds) -> dict[str, pl.Series]:
    """Each feature's column by name, in whatever order the rows have them; dates as naive UTC times.

    Raises `InputError` E_SCHEMA for columns that are missing and E_TYPE for ones of another type than in training,
    and for text that is no date.
    """
    missing = [name for name in kinds if name not in rows.columns]
    if missing:
        message = f"rows lack {len(missing)} of {len(kinds)} features: {_listed(missing)}; add them (null is fine)"
        raise InputError(code="E_SCHEMA", message=message)
    columns = {name: rows.get_column(name) for name in kinds}
    unreadable = [
        f"{name} ({columns[name].dtype}, not {kind})"
        for name, kind in kinds.items()
        if not _readable(columns[name].dtype, kind)
    ]
    if unreadable:
        message = f"features of another type than in training: {_listed(unreadable)}; convert these columns"
        raise InputError(code="E_TYPE", message=message)
    return columns | {name: moments(columns[name]) for name, kind in kinds.items() if kind == "date"}


def refuse_colliding_names(layout: Layout) -> None:
    """Raise `InputError` E_NAME where an encoded column, or what was made of a feature, has the name of another one."""
    seen: set[str] = set(ROW_COLUMNS)
    for name in (*layout.columns, *layout.codes, *layout.linear_only):
        if name in seen:
            message = f"two encoded columns would be called '{name}'; rename the feature with '__' or '_' in its name"
            raise InputError(code="E_NAME", message=message)
        seen.add(name)


def _readable(dtype: pl.DataType, kind: str) -> bool:
    if kind == "numeric":
        return dtype.is_numeric() or dtype in {pl.Boolean, pl.Null}
    if kind == "date":
        return isinstance(dtype, pl.Date | pl.Datetime | pl.String | pl.Null | pl.Categorical | pl.Enum)
    # Whole numbers are codes that a caller did not quote; 1.0 has no text that is sure to be the one of training.
    return dtype.is_integer() or isinstance(dtype, _TEXTS)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:80] for name in names[:_SHOWN]) + more
