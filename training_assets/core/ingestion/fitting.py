"""Columns of a database or a function as types that specs know: each value exact, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.header import sound_names
from training_assets.core.validation.casting import EXACT_FLOAT, cast
from training_assets.spec import Column

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = r"^[+-]?\d+(\.0*)?$"
SERVER_TYPE = b"POSTGRESQL:type"
# Wider than 64 bits, or exact in base ten: read through their text.
WIDE = (pl.UInt64, pl.Int128, pl.UInt128)


def arrow_rows(table: pa.Table, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    """An Arrow table in Polars, as `fitted` fits it; UUID, JSON and enumerations are text.

    Raises InputError: a code of `sound_names`; E_TYPE as `fitted` does, for types that Polars has not, and for amounts
    of money, which the driver hands over in cents without a word.
    """
    names = sound_names(table.column_names, where)
    for field in table.schema:
        if (field.metadata or {}).get(SERVER_TYPE) == b"money":
            raise _unread(field.name, "money", where)
    return pl.DataFrame(
        [_of_arrow(table.column(place), name, columns.get(name), where) for place, name in enumerate(names)]
    )


def fitted(frame: pl.DataFrame, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    """The frame with columns that no type of a spec holds brought to one that does.

    Decimals and integers beyond 64 bits become what their column says: text as it is, an integer where it is whole and
    fits, a number as the float next to it (as everywhere; integers beyond 2^53 are refused). Where no column says
    anything, integers where all are whole, else floats. Integers 0 and 1 become booleans, and ISO texts become dates
    and times, where the column says so. Raises InputError E_TYPE with the column, and the first row that does not fit.
    """
    return pl.DataFrame([_fit(values, columns.get(values.name), where) for values in frame.get_columns()])


def _of_arrow(values: pa.ChunkedArray, name: str, column: Column | None, where: str) -> pl.Series:
    import pyarrow as pa

    kind = values.type
    decimal = False
    if isinstance(kind, pa.BaseExtensionType):
        decimal = getattr(kind, "type_name", "") == "numeric"
        uuid = kind.extension_name == "arrow.uuid"
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], kind.storage_type)
        if uuid:
            return _fit(_uuids(values.cast(pa.binary()), name), column, where)
        if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
            raise _unread(name, getattr(kind, "type_name", kind.extension_name), where)
    try:
        series = pl.Series(name, values)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, TypeError, ValueError):
        series = None
    if series is None:
        raise _unread(name, str(kind), where)
    return _of_digits(series, column, where) if decimal else _fit(series, column, where)


def _uuids(values: pa.ChunkedArray, name: str) -> pl.Series:
    hexed = pl.Series(name, values).bin.encode("hex")
    return hexed.str.replace("^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")


def _fit(values: pl.Series, column: Column | None, where: str) -> pl.Series:
    if isinstance(values.dtype, pl.Decimal) or values.dtype in WIDE:
        return _of_digits(values.cast(pl.String), column, where)
    kind = None if column is None else column.type
    if kind == "boolean" and values.dtype.is_integer():
        _refuse(values, ~values.is_in([0, 1]), "boolean (0 or 1)", where)
        return values.cast(pl.Boolean)
    if column is not None and kind in {"date", "datetime"} and values.dtype == pl.String:
        found = cast(values, column)
        for _, wrong in found.failures:
            _refuse(values, wrong, f"{kind}", where)
        return found.values
    return values


def _of_digits(text: pl.Series, column: Column | None, where: str) -> pl.Series:
    """Numbers that came as text in base ten."""
    kind = None if column is None else column.type
    if kind == "string":
        return text
    whole = text.str.contains(WHOLE)
    floats = text.cast(pl.Float64, strict=False)
    integers = pl.select(pl.when(whole).then(text.str.replace(r"\.0*$", ""))).to_series().cast(pl.Int64, strict=False)
    beyond = whole & ~integers.is_between(-EXACT_FLOAT, EXACT_FLOAT).fill_null(value=False)
    if kind == "integer" or (kind is None and whole.all() and not beyond.any()):
        _refuse(text, text.is_not_null() & (~whole | integers.is_null()), "64-bit integer", where)
        return integers.alias(text.name)
    _refuse(text, beyond, "number that a float holds exactly", where)
    return floats


def _refuse(values: pl.Series, wrong: pl.Series, what: str, where: str) -> None:
    """Raise InputError E_TYPE with the first value that is wrong; nulls are not."""
    if wrong.any():
        row = int(wrong.arg_true()[0])
        message = (
            f"{where}, column {excerpt(values.name)}, row {row + 1}: {excerpt(str(values[row]))} is no {what}; mend "
            f"the value, or set columns.{values.name}.type"
        )
        raise InputError("E_TYPE", message)


def _unread(name: str, kind: str, where: str) -> InputError:
    message = f"{where}, column {excerpt(name)} is of type {excerpt(kind)}, which is not read; CAST it in the query"
    return InputError("E_TYPE", message)
