"""A file's rows in its own columns, whatever the spec says they should be: what a changed schema is seen by."""

from __future__ import annotations

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.decoding import decoded
from training_assets.core.ingestion.delimited.text import CsvText
from training_assets.core.ingestion.discovery import BatchFile, read_identified
from training_assets.core.ingestion.formats.arff import open_arff
from training_assets.core.ingestion.formats.arrow import open_arrow
from training_assets.core.ingestion.formats.compression import unpacked
from training_assets.core.ingestion.formats.jsonl import open_jsonl
from training_assets.core.ingestion.formats.parquet import open_parquet
from training_assets.core.ingestion.formats.partitions import as_text, partition_of
from training_assets.core.ingestion.header import sound_names
from training_assets.spec import ModelSpec
from training_assets.spec.source import FileFormat

READ = ("csv", "jsonl", "arff", "parquet", "arrow")
"""Formats that can be read in their own columns; Feast's features are joined to rows in the spec's alone."""


def has_own_columns(spec: ModelSpec) -> bool:
    """Whether the source is files that can be read without knowing the columns."""
    return spec.source.kind == "files" and spec.source.format in READ and spec.source.feast is None


def own_rows(file: BatchFile, spec: ModelSpec) -> pl.DataFrame:
    """All rows of a file (n_rows x its own columns): text cells, or the types that the file states.

    Folders' `name=value` parts are columns where the spec says so. Raises InputError: E_UNSTABLE where the file has
    changed since it was identified, and a code of the file's structure.
    """
    where, source = file.name, spec.source
    rows = rows_in(unpacked(read_identified(file), source.compression, where), source.format, spec, where)
    folders = dict(partition_of(file.path, source.partitions)) if source.partitions else {}
    return rows.with_columns(as_text(folders, rows.height))


def rows_in(data: bytes, form: FileFormat | None, spec: ModelSpec, where: str) -> pl.DataFrame:
    """All rows of bytes that are written in a format, as `own_rows`; text in the dialect that the spec has."""
    match form:
        case "csv":
            dialect = spec.source.dialect
            text = CsvText(decoded(data, dialect.encoding, where), dialect, where)
            first = text.first()
            rows = text.rows(sound_names(first, where) if dialect.header else _numbered(len(first), spec))
        case "jsonl":
            rows = open_jsonl(data, where)
        case "arff":
            rows = open_arff(data, where).rows
        case "arrow":
            rows = open_arrow(data, where)
        case "parquet":
            rows = open_parquet(data, where)
        case _:
            message = f"{where}: {form} is not read without the spec's columns"
            raise InputError("E_FORMAT", message)
    return rows.rename(dict(zip(rows.columns, sound_names(rows.columns, where), strict=True)))


def _numbered(width: int, spec: ModelSpec) -> list[str]:
    """Names of the columns of a file without a header: the spec's in order, then numbers."""
    names = list(spec.columns)[:width]
    return [*names, *(f"column_{place}" for place in range(len(names) + 1, width + 1))]
