"""Independent, slow and strict readers of each format: what an accepted file must be equal to, cell by cell."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import warnings
import zipfile
from typing import Any

Rows = list[dict[str, Any]]


def csv_rows(data: bytes, delimiter: str = ",", quote: str | None = '"') -> Rows:
    """Python's csv module, strict; an empty cell is null."""
    lines = io.StringIO(data.decode("utf-8-sig"), newline="")
    if quote is None:
        read = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    else:
        read = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
    header, *rows = read
    return [dict(zip(header, (cell or None for cell in row), strict=True)) for row in rows]


def gzip_rows(data: bytes) -> Rows:
    return csv_rows(gzip.decompress(data))


def zip_rows(data: bytes) -> Rows:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = archive.namelist()
        return csv_rows(archive.read(name))


def jsonl_rows(data: bytes, names: list[str]) -> Rows:
    """Python's json module; numbers are read as marked text, so that their digits stay."""
    rows = []
    for line in data.decode("utf-8-sig").removesuffix("\n").split("\n"):
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        spelt = {key: {True: "true", False: "false"}.get(value, value) for key, value in found.items()}
        assert set(spelt) <= set(names)
        rows.append({name: spelt.get(name) for name in names})
    return rows


def arff_rows(data: bytes) -> Rows:
    """One character after the other; made for the headers of these tests."""
    names: list[str] = []
    rows: Rows = []
    lines = iter(data.decode("utf-8-sig").replace("\r\n", "\n").split("\n"))
    for line in lines:
        words = line.split(maxsplit=1)
        if words and words[0].casefold() == "@attribute":
            names.append(_arff_name(words[1].strip()))
        if line.strip().casefold() == "@data":
            break
    for line in lines:
        if line.strip(" \t") and not line.lstrip(" \t").startswith("%"):
            rows.append(dict(zip(names, _arff_cells(line), strict=True)))
    return rows


def _arff_name(declared: str) -> str:
    if declared[0] in "'\"":
        return declared[1 : declared.index(declared[0], 1)]
    return declared.replace("{", " ").split()[0]


def _arff_cells(line: str) -> list[str | None]:
    cells: list[str | None] = []
    text, quote, was_quoted, escaped, closed = "", "", False, False, False
    for mark in line + ",":
        if escaped:
            text += {"n": "\n", "r": "\r", "t": "\t"}.get(mark, mark)
            escaped = False
        elif quote:
            if mark == "\\":
                escaped = True
            elif mark == quote:
                quote, closed = "", True
            else:
                text += mark
        elif mark == ",":
            plain = text if was_quoted else text.strip(" \t")
            assert plain or was_quoted
            cells.append(None if plain == "?" and not was_quoted else plain)
            text, was_quoted, closed = "", False, False
        elif mark in "'\"":
            assert not text.strip(" \t")
            assert not closed
            text, quote, was_quoted = "", mark, True
        else:
            assert mark not in "%{}"
            assert not closed or mark in " \t"
            text += "" if closed else mark
    assert not quote
    return cells


def parquet_rows(data: bytes) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return _plain(pq.ParquetFile(pa.BufferReader(data)).read())


def arrow_rows(data: bytes) -> Rows:
    from pyarrow import ipc

    opened = ipc.open_file(data) if data.startswith(b"ARROW1") else ipc.open_stream(data)
    return _plain(opened.read_all())


def _plain(table: Any) -> Rows:
    """Times as microseconds since 1970, which Python's own do not reach all of."""
    import pyarrow as pa

    whole = [
        column.cast(pa.timestamp("us")).cast("int64") if pa.types.is_timestamp(column.type) else column
        for column in table.columns
    ]
    columns = [column.to_pylist() for column in whole]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def excel_rows(data: bytes) -> Rows:
    """openpyxl's reader; numbers stay numbers."""
    import openpyxl  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        # Days beyond the calendar, and parts of a workbook that are no cells.
        warnings.simplefilter("ignore", UserWarning)
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    (sheet,) = book.worksheets
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip((str(name) for name in header), map(_excel_cell, row), strict=True)) for row in rows]


def _excel_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, dt.time):
        return value.isoformat()
    return value or None if isinstance(value, str) else value
