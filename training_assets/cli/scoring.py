"""Scoring a file of raw rows with a registered version."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.cli.project import open_project
from training_assets.core.artifact_format import write_file
from training_assets.core.bundle import spec_of
from training_assets.core.errors import InputError
from training_assets.core.features.raw_rows import features_of
from training_assets.core.fingerprint import read_json
from training_assets.core.inference.own_columns import READ, rows_in
from training_assets.core.inference.tables import format_of
from training_assets.core.ingestion.formats.compression import compression_of, unpacked
from training_assets.core.scoring import Scorer, table
from training_assets.governance.packaging import BUNDLE
from training_assets.resources.packages import package_of
from training_assets.resources.releases import PRODUCTION, STAGING, Releases
from training_assets.serving import SCORER
from training_assets.spec import ModelSpec


def score(model: str, data: Path, out: Path | None, version: str | None) -> tuple[dict[str, Any], pl.DataFrame]:
    """Predictions of a file's rows, in their order, with its key columns; written to `out` where that is given.

    The version is production's, else staging's, unless one is named; its files are checked before they are loaded, and
    its own spec says how features are made.
    Raises InputError for rows that cannot be read or lack what the model reads, and E_VERSION where there is none.
    """
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise InputError("E_FORMAT", f"{out.name}: predictions are written as .csv or .parquet")
    with open_project() as project:
        project.require(model)
        about, pointers = project.models.named(model), project.places.ledger.pointers(model)
        number = version or pointers.get(PRODUCTION) or pointers.get(STAGING)
        if number is None:
            raise InputError("E_VERSION", f"{model} has no version yet; start with training-assets run {model}")
        registered = Releases(project.places.ledger, model).version(number)
        with tempfile.TemporaryDirectory() as scratch:
            registry = project.registry
            packed = package_of(model, registry, registered, Path(scratch))
            scorer = Scorer.load(packed / SCORER, about.spec.search.trusted)
            spec = spec_of(read_json(packed / BUNDLE))  # its own: the present one may make other features
        raw = raw_rows(data, spec)
        read = features_of(raw, spec, project.places.root, scorer.preprocessor.kinds)
        keys = [name for name in spec.with_role("key") if name in raw.columns]
        predicted = beside(raw.select(keys), table(scorer, read.features))
        if out is not None:
            _write(out, predicted)
        told = {"model": model, "version": number, "rows": predicted.height, "unread_cells": dict(read.unread)}
        return {**told, "out": None if out is None else str(out)}, predicted


def beside(keys: pl.DataFrame, predicted: pl.DataFrame) -> pl.DataFrame:
    """Key columns (n_rows), then predictions (n_rows); a key that is called as one of these is `key_<name>`."""
    taken = {name: f"key_{name}" for name in keys.columns if name in predicted.columns}
    return pl.concat([keys.rename(taken), predicted], how="horizontal")


def raw_rows(data: Path, spec: ModelSpec) -> pl.DataFrame:
    """Rows of a file: Parquet, delimited text, or the format of the spec's source; packed or not, as its bytes show.

    Text is read as in training, cells as text, so that the spec alone decides what a cell says.
    """
    try:
        if data.suffix == ".parquet":
            return pl.read_parquet(data, glob=False)
        packed = data.read_bytes()
    except FileNotFoundError as error:
        raise InputError("E_MISSING", f"there is no file {data}") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError("E_FORMAT", f"{data.name} cannot be read: {reason}") from error
    inside = unpacked(packed, compression_of(packed), data.name)
    found = format_of(inside)
    readable = [form for form in READ if form in {"csv", "parquet", spec.source.format}]
    if found not in readable:
        raise InputError("E_FORMAT", f"{data.name} is {found}; rows to score are read as {', '.join(readable)}")
    rows = rows_in(inside, found, spec, data.name)
    if found == "csv" and not spec.source.dialect.header and rows.columns != list(spec.columns):
        message = (
            f"{data.name} has {rows.width} columns, the spec {len(spec.columns)}; without a header they must be the "
            "same (leave the label empty)"
        )
        raise InputError("E_SCHEMA", message)
    return rows


def _write(out: Path, predicted: pl.DataFrame) -> None:
    """Whole or not at all."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / out.name
        if out.suffix == ".csv":
            predicted.write_csv(made)
        else:
            predicted.write_parquet(made)
        write_file(out.resolve(), made.read_bytes())
