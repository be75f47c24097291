"""Rows that somebody wants scored: raw columns as the spec reads them, without a label, turned into features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.declared import intermediates
from training_assets.core.features.logical import Kind
from training_assets.core.features.table import as_features, widened
from training_assets.core.validation.casting import POLARS_TYPES, cast
from training_assets.spec import ModelSpec


@dataclass(frozen=True)
class RawRows:
    """Features (n_rows, in the rows' order), and how many cells of which column could not be read and count as null."""

    features: pl.DataFrame
    unread: Mapping[str, int]


def features_of(raw: pl.DataFrame, spec: ModelSpec, root: Path, kinds: Mapping[str, Kind]) -> RawRows:
    """Features in `kinds` of raw rows (n_rows; text cells or a file's own types), by the spec that the model has.

    A column that is no feature in `kinds`, and that no derived column or join reads, is not looked at and may be
    missing. Raises InputError E_SCHEMA for columns that are needed, E_TYPE for a type that cannot hold them, and those
    of joins and derived columns.
    """
    read = intermediates(spec)
    needed = [name for name in spec.columns if name in kinds or name in read]
    missing = [name for name in needed if name not in raw.columns]
    if missing:
        message = f"the rows lack {', '.join(missing[:10])}, which the model reads; add them (null is fine)"
        raise InputError("E_SCHEMA", message)
    columns: list[pl.Series] = []
    unread: dict[str, int] = {}
    for name, column in spec.columns.items():
        if name not in needed:
            columns.append(pl.Series(name, [None] * raw.height, POLARS_TYPES[column.type]))
            continue
        done = cast(raw[name], column, spec.source.dialect.decimal)
        columns.append(done.values)
        broken = sum(int(mask.sum()) for _, mask in done.failures)
        if broken:
            unread[name] = broken
    wide = widened(pl.DataFrame(columns), spec, root)
    made = as_features(wide, spec)
    return RawRows(pl.DataFrame([made[name] for name in kinds]), unread)
