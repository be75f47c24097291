"""ARFF: the attributes that a header declares, and rows of text cells below it; dense data alone.

Values are quoted as Weka does it: in single or double quotes, with a backslash before a quote or a backslash inside. A
question mark without quotes means 'no value'. Comments start with a percent sign at the beginning of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.decoding import sound_utf8
from training_assets.core.ingestion.delimited.records import MAX_LINE
from training_assets.core.ingestion.delimited.text import CsvText
from training_assets.core.ingestion.formats.arff_header import Attribute, header_of
from training_assets.core.ingestion.formats.arff_values import cells_in
from training_assets.core.ingestion.header import sound_names
from training_assets.spec import Csv

AT_A_TIME = 20_000


@dataclass(frozen=True)
class Arff:
    """The declared columns, and all rows as text (n_rows x n_attributes, String)."""

    attributes: list[Attribute]
    rows: pl.DataFrame


def open_arff(data: bytes, where: str) -> Arff:
    """Attributes and rows; raises InputError with the line.

    E_ARFF for a header that is none, E_SPARSE for sparse rows, E_RAGGED, E_QUOTE, E_NO_ROWS, E_EOL, E_LINE_SIZE,
    E_FIELD_SIZE, a code of `sound_utf8`, and of `sound_names`.
    """
    text = sound_utf8(data, where)
    attributes, start, header_lines = header_of(text, where)
    names = sound_names([attribute.name for attribute in attributes], where)
    attributes = [
        Attribute(name, attribute.kind, attribute.values) for name, attribute in zip(names, attributes, strict=True)
    ]
    body = _same_ends(text[start:], where)
    sparse = re.search(rb"(?m)^[ \t]*\{", body)
    if sparse is not None:
        line = header_lines + body.count(b"\n", 0, sparse.start()) + 1
        message = f"{where}, line {line}: sparse ARFF is not read; write dense rows (Weka's SparseToNonSparse)"
        raise InputError("E_SPARSE", message)
    rows = _quoted_rows if re.search(rb"""['"\\]""", body) else _plain_rows
    return Arff(attributes, rows(body, names, header_lines, where))


def _plain_rows(body: bytes, names: list[str], header_lines: int, where: str) -> pl.DataFrame:
    """Rows without a quote or backslash, by the fast reader; lines keep their numbers."""
    body = re.sub(rb"(?m)^[ \t]*%[^\n]*", b"", body)
    for pattern, code, what in (
        (rb"[%{}]", "E_QUOTE", "a percent sign or brace in a value that is not quoted; quote the value"),
        (rb"(?m)^[ \t]*,|,[ \t]*(?:,|$)", "E_RAGGED", "an empty value; write ? where there is none"),
    ):
        found = re.search(pattern, body)
        if found is not None:
            line = header_lines + body.count(b"\n", 0, found.start()) + 1
            message = f"{where}, line {line}: {what}"
            raise InputError(code, message)
    if not body.strip():
        raise _no_rows(where)
    dialect = Csv(quote=None, header=False, null_values=["?"], blank_lines="skip", padding="strip")
    return CsvText(b"\n" * header_lines + body, dialect, where).rows(names)


def _same_ends(body: bytes, where: str) -> bytes:
    """The body with LF at the end of its lines; one that has both LF and CR LF is refused."""
    pairs, feeds = body.count(b"\r\n"), body.count(b"\n")
    if pairs not in {0, feeds}:
        message = f"{where}: some lines end with LF, others with CR LF; end all of them in one way"
        raise InputError("E_EOL", message)
    return body.replace(b"\r\n", b"\n") if pairs else body


def _quoted_rows(body: bytes, names: list[str], header_lines: int, where: str) -> pl.DataFrame:
    """Rows with quoted values, one line at a time."""
    parts: list[pl.DataFrame] = []
    columns: list[list[str | None]] = [[] for _ in names]
    for number, line in _lines(body, header_lines, where):
        cells = cells_in(line, f"{where}, line {number}")
        if len(cells) != len(names):
            message = f"{where}, line {number}: {len(cells)} values instead of {len(names)}; mend the line"
            raise InputError("E_RAGGED", message)
        for values, cell in zip(columns, cells, strict=True):
            values.append(cell)
        if len(columns[0]) == AT_A_TIME:
            parts.append(pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)))
            columns = [[] for _ in names]
    if columns[0]:
        parts.append(pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)))
    if not parts:
        raise _no_rows(where)
    return pl.concat(parts)


def _lines(body: bytes, header_lines: int, where: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is no comment and not blank."""
    for number, line in enumerate(body.split(b"\n"), start=header_lines + 1):
        if len(line) > MAX_LINE:
            message = f"{where}, line {number}: longer than {MAX_LINE:,} bytes; the file is damaged"
            raise InputError("E_LINE_SIZE", message)
        text = line.decode()
        if "\r" in text:
            message = f"{where}, line {number}: a carriage return alone; end every line with LF, or CR LF"
            raise InputError("E_EOL", message)
        stripped = text.strip(" \t")
        if stripped and not stripped.startswith("%"):
            yield number, text


def _no_rows(where: str) -> InputError:
    return InputError("E_NO_ROWS", f"{where} has no rows, only a header; deliver it again with rows")
