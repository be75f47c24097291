"""One sheet of an Excel workbook (.xlsx, .xlsm): text cells under the names in its first row.

Numbers are the shortest text that gives the cell's number again; dates are `2026-01-31 00:00:00`, since Excel knows
no date without a time; times without a date are `12:30:00`; a cell that is empty, or holds empty text, is null. Blanks
around a text belong to it where the file says so (`xml:space`), as Excel does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.ingestion.formats import magic
from training_assets.core.ingestion.formats.workbook import refuse_unsound
from training_assets.core.ingestion.header import sound_names
from training_assets.spec import Column

if TYPE_CHECKING:
    import fastexcel

NUMBER = r"^[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?$"
MIDNIGHT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} 00:00:00$"
# Spreadsheets count days from 1900 on: what lies before is a time of day alone.
CLOCK = r"^1899-12-3[01] (.+)$"
DATE_FORMAT = "%Y-%m-%d 00:00:00"
"""The strptime format of a date that Excel keeps as a midnight."""


def open_excel(data: bytes, sheet: str | None, where: str) -> tuple[str, pl.DataFrame]:
    """The sheet's name, and its rows (n_rows x n_columns, String).

    Raises InputError E_MAGIC, E_RATIO or E_CORRUPT for the file; E_SHEET where the sheet is open or missing, with the
    names; E_MERGED, E_FORMULA, E_TYPE (an error such as #N/A), E_BLANK_LINE, E_NO_ROWS for what is in it; and a code of
    `sound_names`.
    """
    import fastexcel

    if not magic.is_excel(data):
        what = magic.kind(data) or "no Excel workbook"
        message = f"{where} is {what}; save it as .xlsx, or mend source.format"
        raise InputError("E_MAGIC", message)
    parts = refuse_unsound(data, where)
    try:
        reader = fastexcel.read_excel(data)
        name = _chosen(reader.sheet_names, sheet, where)
        parts.refuse_unread(name)
        cells, errors = _strings(reader, name)
        numbers = _load(reader, name, "float").to_polars()
    except fastexcel.FastExcelError as error:
        raise _corrupt(where, error) from error
    place = f"{where}, sheet {excerpt(name)}"
    if errors:
        row, column = errors[0]
        message = (
            f"{place}, row {row + 1}, column {column + 1}: an error such as #N/A; mend the cell, or leave it empty"
        )
        raise InputError("E_TYPE", message)
    return name, _titled(_exact(cells, numbers), place)


def sheets_of(data: bytes, where: str) -> list[str]:
    """Names of a workbook's sheets, in its order; raises InputError E_RATIO or E_CORRUPT."""
    import fastexcel

    refuse_unsound(data, where)
    try:
        return list(fastexcel.read_excel(data).sheet_names)
    except fastexcel.FastExcelError as error:
        raise _corrupt(where, error) from error


def excel_rows(data: bytes, sheet: str | None, columns: Mapping[str, Column], where: str) -> pl.DataFrame:
    """The rows of `open_excel`; a date column of cells that carry a time needs its `format` (InputError E_TYPE)."""
    rows = open_excel(data, sheet, where)[1]
    for name, column in columns.items():
        plain = column.type == "date" and column.format is None and name in rows.columns
        if plain and rows[name].str.contains(MIDNIGHT).any():
            message = (
                f"{where}, column {excerpt(name)}: dates of Excel carry a time; set columns.{name}.format to "
                f"'{DATE_FORMAT}', which takes midnights alone"
            )
            raise InputError("E_TYPE", message)
    return rows


def _chosen(names: list[str], sheet: str | None, where: str) -> str:
    if sheet is None and len(names) == 1:
        return names[0]
    if sheet in names:
        return str(sheet)
    what = f"has no sheet {excerpt(sheet)}" if sheet is not None else "has several sheets"
    message = f"{where} {what}; name the sheet of the rows under source.sheet: {listed(names)}"
    raise InputError("E_SHEET", message)


def _load(reader: fastexcel.ExcelReader, name: str, dtype: Any) -> fastexcel.ExcelSheet:
    """All rows from the sheet's first on, blank ones among them."""
    return reader.load_sheet(name, header_row=None, skip_rows=0, dtypes=dtype)


def _strings(reader: fastexcel.ExcelReader, name: str) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """Cells as text, and the places (row and column, from 0) of cells that are errors."""
    batch, failed = _load(reader, name, "string").to_arrow_with_errors()
    frame = pl.DataFrame(pl.from_arrow(batch))
    return frame, [error.position for error in failed.errors] if failed is not None else []


def _exact(cells: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The texts, with all digits of numbers (the reader rounds them to nine decimals), and times without a day."""
    exact = []
    for text in cells:
        if text.name not in numbers.columns or numbers[text.name].dtype != pl.Float64:
            number = pl.Series(text.name, [None], dtype=pl.Float64).new_from_index(0, text.len())
        else:
            number = numbers[text.name]
        rounded = text.str.contains(NUMBER) & (text.cast(pl.Float64, strict=False) != number)
        whole = pl.when(rounded.fill_null(value=False)).then(number.cast(pl.String)).otherwise(text)
        plain = whole.str.replace(CLOCK, "$1").replace("", None)
        exact.append(pl.select(plain.alias(text.name)).to_series())
    return pl.DataFrame(exact)


def _titled(cells: pl.DataFrame, place: str) -> pl.DataFrame:
    """The rows below the first, under the names in it."""
    if not cells.height or not cells.width:
        message = f"{place} is empty; deliver the file again, with a header and rows"
        raise InputError("E_EMPTY", message)
    blank = cells.select(pl.all_horizontal(pl.all().is_null())).to_series()
    if blank.any():
        message = f"{place}, row {int(blank.arg_true()[0]) + 1}: the row is blank; remove it"
        raise InputError("E_BLANK_LINE", message)
    names = sound_names([cell or "" for cell in cells.row(0)], place)
    rows = cells[1:]
    if not rows.height:
        message = f"{place} has no rows, only a header; deliver it again with rows"
        raise InputError("E_NO_ROWS", message)
    rows.columns = names
    return rows


def _corrupt(where: str, error: BaseException) -> InputError:
    why = str(error).splitlines()[0][:200]
    return InputError(
        "E_CORRUPT", f"{where} is damaged, or a workbook of a kind that is not read ({why}); save it anew"
    )
