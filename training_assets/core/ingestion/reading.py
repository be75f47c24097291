"""A batch's file becomes its rows: the very bytes that were identified, in the spec's columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.decoding import decoded
from training_assets.core.ingestion.discovery import BatchFile, read_identified
from training_assets.core.ingestion.excerpt import excerpt, listed, nearest
from training_assets.core.ingestion.header import sound_names
from training_assets.core.ingestion.parquet import cast_columns, open_parquet
from training_assets.core.ingestion.text import CsvText
from training_assets.spec import Csv, ModelSpec

DELIMITERS = (",", ";", "\t", "|", " ")
# Enough to tell a dialect by, too few to take time.
LOOKED_AT = 1000


def read_batch(file: BatchFile, spec: ModelSpec) -> pl.DataFrame:
    """All rows of a batch: `_batch` (its digest), `_row` (from 1), then the spec's columns in the spec's order.

    CSV cells stay text (String; null where the cell is one of `null_values`); Parquet columns have their logical types.
    Raises InputError: E_UNSTABLE where the file has changed since it was identified, E_SCHEMA where its columns are not
    the spec's (in any order), and a code of the text's or the Parquet file's structure.
    """
    data = read_identified(file)
    read = _parquet_rows if spec.source.format == "parquet" else _csv_rows
    rows = read(data, spec, file.name)
    identity = pl.DataFrame({"_row": pl.int_range(1, rows.height + 1, dtype=pl.Int64, eager=True)})
    return identity.select(pl.lit(file.digest).alias("_batch"), "_row").hstack(rows.get_columns())


def _parquet_rows(data: bytes, spec: ModelSpec, where: str) -> pl.DataFrame:
    rows = open_parquet(data, where)
    rows.columns = sound_names(rows.columns, where)
    same_columns(rows.columns, list(spec.columns), where)
    return cast_columns(rows, spec.columns, where)


def _csv_rows(data: bytes, spec: ModelSpec, where: str) -> pl.DataFrame:
    dialect, wanted = spec.source.dialect, list(spec.columns)
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
    _refuse_other_decimal(rows, spec, where)
    return rows.select(wanted)


def same_columns(names: Sequence[str], wanted: Sequence[str], where: str) -> None:
    """Refuse (InputError E_SCHEMA) names that are not the wanted ones, in any order, with what is missing and extra."""
    missing = [name for name in wanted if name not in set(names)]
    extra = [name for name in names if name not in set(wanted)]
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append(f"missing: {listed(missing)}{nearest(missing[0], extra)}")
    if extra:
        parts.append(f"not in the spec: {listed(extra)}{nearest(extra[0], wanted)}")
    message = (
        f"{where}: other columns than the spec's; {'; '.join(parts)}. Mend the file, or change `columns` in the spec"
    )
    raise InputError("E_SCHEMA", message)


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


def _refuse_other_decimal(rows: pl.DataFrame, spec: ModelSpec, where: str) -> None:
    """Refuse a number column most of whose first values have the other decimal mark."""
    mark = spec.source.dialect.decimal
    other = "," if mark == "." else "."
    for name, column in spec.columns.items():
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
