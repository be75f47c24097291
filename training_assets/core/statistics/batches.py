"""Statistics of the rows of a batch, or of several batches together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.logical import Kind
from training_assets.core.statistics.columns import ColumnStatistics, StatisticsKind, merged
from training_assets.core.validation.label import TARGET, targets
from training_assets.spec import ModelSpec

FORMAT = 1
"""Of the JSON; statistics of another format are not read."""


@dataclass(frozen=True)
class BatchStatistics:
    """The number of rows, and the statistics of each column."""

    rows: int
    columns: Mapping[str, ColumnStatistics]

    def to_json(self) -> dict[str, Any]:
        """The statistics as JSON values: the same for the same rows in any order."""
        columns = {name: column.to_json() for name, column in self.columns.items()}
        return {"format": FORMAT, "rows": self.rows, "columns": columns}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> BatchStatistics:
        """The statistics that `to_json` wrote; raises InputError `E_STATISTICS` for another format."""
        if line.get("format") != FORMAT:
            message = (
                f"statistics of format {line.get('format')!r}, and this code reads format {FORMAT}; make them anew"
            )
            raise InputError("E_STATISTICS", message)
        return cls(line["rows"], {name: ColumnStatistics.from_json(each) for name, each in line["columns"].items()})


def of(rows: pl.DataFrame, kinds: Mapping[str, StatisticsKind]) -> BatchStatistics:
    """Statistics of the columns that `kinds` names (n_rows each)."""
    return BatchStatistics(rows.height, {name: ColumnStatistics.of(rows[name], kind) for name, kind in kinds.items()})


def of_batch(rows: pl.DataFrame, spec: ModelSpec) -> BatchStatistics:
    """Statistics of validated rows: every column of the spec, and the label as the model learns it."""
    kinds: dict[str, StatisticsKind] = {}
    for name, column in spec.columns.items():
        moment = column.type in {"date", "datetime"}
        kinds[name] = "time" if moment else "categorical" if column.is_categorical else "numeric"
    kinds[label_name(spec)] = label_kind(spec)
    return of(rows.with_columns(targets(rows, spec).alias(label_name(spec))), kinds)


def of_features(rows: pl.DataFrame, kinds: Mapping[str, Kind], spec: ModelSpec) -> BatchStatistics:
    """Statistics of rows of the feature table: its features, and the label under its name in `of_batch`."""
    label = label_name(spec)
    known: dict[str, StatisticsKind] = {name: "time" if kind == "date" else kind for name, kind in kinds.items()}
    return of(rows.with_columns(rows[TARGET].alias(label)), {**known, label: label_kind(spec)})


def label_name(spec: ModelSpec) -> str:
    """What the label is called among the columns of statistics."""
    return spec.target.column or TARGET


def label_kind(spec: ModelSpec) -> StatisticsKind:
    """Classes are categories, whatever their type in the file."""
    return "numeric" if spec.target.task == "regression" else "categorical"


def merge(parts: Sequence[BatchStatistics]) -> BatchStatistics:
    """Statistics of all rows together; of the columns that every part has, and has as the same kind."""
    if len(parts) == 1:
        return parts[0]
    shared: dict[str, ColumnStatistics] = {}
    for name in parts[0].columns if parts else {}:
        found = [part.columns[name] for part in parts if name in part.columns]
        if len(found) == len(parts) and len({column.kind for column in found}) == 1:
            shared[name] = merged(found)
    return BatchStatistics(sum(part.rows for part in parts), shared)
