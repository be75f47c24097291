"""Rows of delimited text under the spec's dialect; another dialect is refused by name, not read as nonsense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.decoding import decoded
from training_assets.core.ingestion.delimited.text import CsvText
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.header import sound_names
from training_assets.core.ingestion.matching import same_columns
from training_assets.spec import Column, Csv

DELIMITERS = (",", ";", "\t", "|", " ")
# Enough to tell a dialect by, too few to take time.
LOOKED_AT = 1000


def csv_rows(data: bytes, dialect: Csv, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    """Text cells (n_rows x n_columns, String) in the order of `columns`; null where a cell is one of `null_values`.

    Raises InputError E_SCHEMA, E_DIALECT, and what `decoded` and `CsvText` raise.
    """
    wanted = list(columns)
    text = CsvText(decoded(data, dialect.encoding, where), dialect, where)
    first = text.first()
    _refuse_other_delimiter(first, wanted, dialect, where)
    if dialect.header:
        _refuse_rows_as_header(first, wanted, where)
        names = sound_names(first, where)
        same_columns(names, wanted, where)
    else:
        names = wanted
        if len(first) != len(wanted):
            message = (
                f"{where} has {len(first)} columns, the spec {len(wanted)}; without a header they must be the same"
            )
            raise InputError("E_SCHEMA", message)
    rows = text.rows(names)
    _refuse_other_decimal(rows, dialect, columns, where)
    return rows.select(wanted)


def _refuse_other_delimiter(first: Sequence[str], wanted: Sequence[str], dialect: Csv, where: str) -> None:
    """Name the delimiter that would have fitted, where this one finds one column alone."""
    if len(first) != 1 or len(wanted) == 1:
        return
    for other in DELIMITERS:
        parts = [part.strip(dialect.quote or "") for part in first[0].split(other)]
        if len(parts) == len(wanted) and (not dialect.header or set(parts) & set(wanted)):
            message = (
                f"{where}: the delimiter is {other!r}, not {dialect.delimiter!r}; mend source.csv.delimiter or the file"
            )
            raise InputError("E_DIALECT", message)


def _refuse_rows_as_header(first: Sequence[str], wanted: Sequence[str], where: str) -> None:
    if len(first) == len(wanted) and not set(first) & set(wanted) and any(_is_number(cell) for cell in first):
        message = (
            f"{where}: the first line looks like a row (it starts with {excerpt(first[0])}), not a header; add the "
            "header, or set source.csv.header to false"
        )
        raise InputError("E_SCHEMA", message)


def _refuse_other_decimal(rows: pl.DataFrame, dialect: Csv, columns: Mapping[str, Column], where: str) -> None:
    """Refuse a number column most of whose first values have the other decimal mark."""
    other = "," if dialect.decimal == "." else "."
    for name, column in columns.items():
        if column.type != "number":
            continue
        values = rows[name].drop_nulls().head(LOOKED_AT)
        if values.str.contains(rf"^[+-]?\d+[{other}]\d+$").sum() * 2 > values.len():
            message = f"{where}, column {excerpt(name)}: the decimal mark is '{other}'; set source.csv.decimal to it"
            raise InputError("E_DIALECT", message)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
