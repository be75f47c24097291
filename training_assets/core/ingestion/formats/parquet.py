"""Parquet: columns of logical types, cast without loss or refused; what the footer claims is judged before reading."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.formats.arrow_tables import validated
from training_assets.core.ingestion.formats.magic import is_parquet
from training_assets.core.validation.casting import EXACT_FLOAT, POLARS_TYPES
from training_assets.spec import Column
from training_assets.spec.columns import ColumnType

INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
FLOATS = (pl.Float32, pl.Float64)
TEXTS = (pl.String, pl.Categorical, pl.Enum)
# A file may unpack to much more than itself (constant columns do), up to a size that is harmless; above, by a factor.
HARMLESS_BYTES = 1 << 28
MAX_RATIO = 100
MAX_UNPACKED = 1 << 33
CELL_BYTES = 8


def open_parquet(data: bytes, where: str) -> pl.DataFrame:
    """The file's rows as they are written; raises InputError E_MAGIC, E_RATIO, E_CORRUPT or E_NO_ROWS."""
    if not is_parquet(data):
        message = f"{where} is no Parquet file; mend source.format, or deliver it again"
        raise InputError("E_MAGIC", message)
    rows, columns = _footer(data, where)
    unpacked = rows * columns * CELL_BYTES
    if unpacked > MAX_UNPACKED or unpacked > max(HARMLESS_BYTES, MAX_RATIO * len(data)):
        message = (
            f"{where} has {len(data):,} bytes and claims {rows:,} rows x {columns:,} columns; split it, if it is sound"
        )
        raise InputError("E_RATIO", message)
    if not rows or not columns:
        message = f"{where} has no rows; deliver it again with rows"
        raise InputError("E_NO_ROWS", message)
    return _read(data, where)


def cast_columns(rows: pl.DataFrame, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    """The columns as their logical types, in the spec's order; raises InputError E_TYPE with column and first row."""
    return pl.DataFrame([cast_column(rows[name], column, where) for name, column in columns.items()])


def logical_type(dtype: pl.DataType) -> ColumnType | None:
    """The logical type that holds every value of a Polars type; none where there is none."""
    if dtype in INTEGERS:
        return "integer"
    if dtype in FLOATS:
        return "number"
    if dtype in TEXTS or dtype == pl.Null:
        return "string"
    if isinstance(dtype, pl.Datetime):
        return "datetime"
    return "boolean" if dtype == pl.Boolean else "date" if dtype == pl.Date else None


def cast_column(values: pl.Series, column: Column, where: str) -> pl.Series:
    """The values as their logical type, all unchanged; raises InputError E_TYPE with the first that is not."""
    if values.dtype == pl.Null:
        return values.cast(POLARS_TYPES[column.type])
    source = logical_type(values.dtype)
    if source is None or (source, column.type) not in _CASTS:
        what = f"{values.dtype} is not read as {column.type}; {_remedy(source, column)}"
        message = f"{where}, column {excerpt(values.name)}: {what}"
        raise InputError("E_TYPE", message)
    plain = _plain(values)
    if source == "string" and column.type != "string":
        cast = _from_text(plain, column)
    else:
        cast = plain.cast(POLARS_TYPES[column.type], strict=False)
    lossy = plain.is_not_null() & (cast.is_null() | ~_survives(plain, cast))
    if lossy.any():
        row = int(lossy.arg_true()[0])
        message = (
            f"{where}, column {excerpt(values.name)}, row {row + 1}: {excerpt(_shown(plain, row))} is no "
            f"{column.type}; mend the value, or set columns.{values.name}.type"
        )
        raise InputError("E_TYPE", message)
    return cast


def _shown(values: pl.Series, row: int) -> str:
    """A value as text; a time as the number that it is kept as, since it may lie beyond every calendar."""
    return str(values.to_physical()[row] if values.dtype.is_temporal() else values[row])


# What can hold the same values: whole floats are integers, midnights are dates, and the other way round.
_CASTS = {
    *((each, each) for each in POLARS_TYPES),
    ("integer", "number"),
    ("number", "integer"),
    ("date", "datetime"),
    ("datetime", "date"),
    ("string", "date"),
    ("string", "datetime"),
}


def _footer(data: bytes, where: str) -> tuple[int, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(pa.BufferReader(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _corrupt(where, error) from error
    return footer.num_rows, footer.num_columns


def _read(data: bytes, where: str) -> pl.DataFrame:
    """The rows, by the reader that verifies the checksums of pages where a writer has left them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
            return validated(file.read())
    except (
        *(pa.ArrowException, OSError, ValueError, OverflowError),
        *(pl.exceptions.PolarsError, pl.exceptions.PanicException),
    ) as error:
        raise _corrupt(where, error) from error


def _corrupt(where: str, error: BaseException) -> InputError:
    message = (
        f"{where} is damaged or cut short, or Parquet of a kind that is not read ({str(error)[:200]}); deliver it again"
    )
    return InputError("E_CORRUPT", message)


def _remedy(source: ColumnType | None, column: Column) -> str:
    if source is None:
        return "write the column as 64-bit integers, floats, text or timestamps, or leave it out"
    if column.type == "string":
        return f"set its type to {source}, with `categorical: true` where its values are codes"
    return f"set its type to {source}, or write the column as {column.type}"


def _plain(values: pl.Series) -> pl.Series:
    """Without time zone (in UTC), without category codes."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return values.cast(pl.String) if dtype in TEXTS else values


def _from_text(values: pl.Series, column: Column) -> pl.Series:
    """Dates and times from text: by the column's format, else as ISO 8601 writes them."""
    if column.type == "date":
        return values.str.to_date(column.format or "%Y-%m-%d", strict=False)
    parsed = values.str.to_datetime(column.format or "%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    return _plain(parsed)


def _survives(plain: pl.Series, cast: pl.Series) -> pl.Series:
    """Which values the cast can give back."""
    if plain.dtype in (pl.String, cast.dtype):
        return pl.Series([True]).new_from_index(0, plain.len())
    if plain.dtype.is_numeric() and plain.dtype.is_float() != cast.dtype.is_float():
        whole = plain if plain.dtype.is_integer() else cast
        exact = whole.is_between(-EXACT_FLOAT, EXACT_FLOAT)
        return exact & (cast.cast(plain.dtype, strict=False) == plain)
    return cast.cast(plain.dtype, strict=False) == plain
