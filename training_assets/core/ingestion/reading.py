"""A batch's file becomes its rows: the very bytes that were identified, in the spec's columns."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.rows import csv_rows
from training_assets.core.ingestion.discovery import BatchFile, read_identified
from training_assets.core.ingestion.feature_store.features import own_columns
from training_assets.core.ingestion.formats.arff import open_arff
from training_assets.core.ingestion.formats.arrow import open_arrow
from training_assets.core.ingestion.formats.compression import unpacked
from training_assets.core.ingestion.formats.excel import excel_rows
from training_assets.core.ingestion.formats.jsonl import open_jsonl
from training_assets.core.ingestion.formats.parquet import cast_columns, open_parquet
from training_assets.core.ingestion.formats.partitions import as_text, as_typed, refuse_in_file
from training_assets.core.ingestion.guarded import guarded_rows, needs_guard
from training_assets.core.ingestion.header import sound_names
from training_assets.core.ingestion.matching import same_columns
from training_assets.spec import Column, ModelSpec, Source

__all__ = ["read_batch", "read_rows", "same_columns", "typed_rows"]


def read_batch(file: BatchFile, spec: ModelSpec) -> pl.DataFrame:
    """All rows of a batch: `_batch` (its digest), `_row` (from 1), then the spec's columns in the spec's order.

    Raises InputError: E_UNSTABLE where the file has changed since it was identified, and what `read_rows` raises; files
    that native libraries unpack are read by `guarded_rows`, which raises more.
    """
    read = guarded_rows if needs_guard(spec.source) else read_rows
    rows = read(read_identified(file), spec, file.name, dict(file.partition))
    identity = pl.DataFrame({"_row": pl.int_range(1, rows.height + 1, dtype=pl.Int64, eager=True)})
    return identity.select(pl.lit(file.digest).alias("_batch"), "_row").hstack(rows.get_columns())


def read_rows(data: bytes, spec: ModelSpec, where: str, partition: Mapping[str, str | None]) -> pl.DataFrame:
    """Rows of a file's bytes in the spec's columns (n_rows x n_columns), those of `partition` among them.

    Columns of `source.feast` are not among them: `feature_store.features.complete_rows` adds those.

    Cells of csv, jsonl, arff and excel are text (String; null where the format says so); columns of Parquet and Arrow
    have their logical types. Raises InputError: E_SCHEMA where the columns are not the spec's (in any order), and a
    code of the bytes' structure.
    """
    own = own_columns(spec)
    inside = {name: spec.columns[name] for name in own if name not in partition}
    if spec.source.format in {"parquet", "arrow"}:
        rows = open_parquet(data, where) if spec.source.format == "parquet" else open_arrow(data, where)
        refuse_in_file(rows.columns, partition, where)
        rows = _typed(rows, inside, where)
        return rows.hstack(as_typed(partition, spec.columns, rows.height, where)).select(own)
    rows = _text_rows(unpacked(data, spec.source.compression, where), spec.source, inside, where)
    refuse_in_file(rows.columns, partition, where)
    same_columns(rows.columns, list(inside), where)
    return rows.hstack(as_text(partition, rows.height)).select(own)


def typed_rows(frame: pl.DataFrame, spec: ModelSpec, where: str) -> pl.DataFrame:
    """A frame's columns in their logical types and the spec's order, every value unchanged.

    Raises InputError: a code of `sound_names`, E_SCHEMA where the columns are not the spec's (in any order), E_TYPE
    where a value is not of its column's type.
    """
    return _typed(frame, spec.columns, where)


def _typed(frame: pl.DataFrame, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    names = sound_names(frame.columns, where)
    same_columns(names, list(columns), where)
    return cast_columns(frame.rename(dict(zip(frame.columns, names, strict=True))), columns, where)


def _text_rows(data: bytes, source: Source, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    match source.format:
        case "csv":
            return csv_rows(data, source.dialect, columns, where)
        case "jsonl":
            return open_jsonl(data, where, list(columns))
        case "arff":
            return open_arff(data, where).rows
        case "excel":
            return excel_rows(data, source.sheet, columns, where)
        case _:
            message = f"{where}: source.format {source.format} names no text that is read"
            raise InputError("E_FORMAT", message)
