"""Statistics of validated batches: made while a batch is sorted, kept by batch, never read from its rows again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from training_assets.core import statistics
from training_assets.core.statistics import BatchStatistics
from training_assets.core.statistics.batches import FORMAT
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.models import Model
from training_assets.resources.places import Places

NAME = "batch_statistics"


def keep(artifacts: Artifacts, model: Model, schema: str, batch: str, rows: pl.DataFrame) -> BatchStatistics:
    """The statistics of a batch's sound rows under a schema (its digest): made once, then found again."""
    return _kept(artifacts, model, schema, batch, lambda: rows)


def kept(
    artifacts: Artifacts, places: Places, model: Model, validated: Mapping[str, Any], batches: Sequence[str]
) -> dict[str, BatchStatistics]:
    """The statistics of some sound batches, by digest, in their order; `validated` are the facts of `validated_data`.

    A batch that was sorted before statistics were kept is read once more.
    """

    def read(batch: str) -> pl.DataFrame:
        return places.tables.read(model.name, validated["table"], [batch])

    return {batch: _kept(artifacts, model, validated["schema"], batch, partial(read, batch)) for batch in batches}


def erase(artifacts: Artifacts, model: str, schemas: Iterable[str], batch: str) -> int:
    """Remove the statistics of a batch under these schemas (digests), for good; how many there were.

    They hold values of its rows: levels, extremes, quantiles.
    """
    return sum(artifacts.forget(model, NAME, _made_from(schema, batch)) for schema in schemas)


def _made_from(schema: str, batch: str) -> dict[str, Any]:
    return {"schema": schema, "batch": batch, "format": FORMAT}


def _kept(
    artifacts: Artifacts, model: Model, schema: str, batch: str, rows: Callable[[], pl.DataFrame]
) -> BatchStatistics:
    def make() -> dict[str, Any]:
        return statistics.of_batch(rows(), model.spec).to_json()

    return BatchStatistics.from_json(artifacts.remembered(model.name, NAME, _made_from(schema, batch), make))
