"""Which dialect a delimited text is written in: proposed from its rows, proved by reading all of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.decoding import decoded, guess_encoding
from training_assets.core.ingestion.delimited.records import MAX_LINE, Block, Records
from training_assets.core.ingestion.delimited.text import TAIL, CsvText, blank_records, cells_of, stripped
from training_assets.core.ingestion.header import sound_names
from training_assets.spec import Csv

DELIMITERS = (",", ";", "\t", "|", " ")
NUMBER = r"^[ \t]*[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?[ \t]*$"
DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
# Rows that tell a delimiter or a header apart; types are inferred from all rows, elsewhere.
LOOKED_AT = 1000
SAMPLE = 2 * MAX_LINE
LONGEST_TITLE = 64
# Below, most lines disagree on the number of fields: no table in this dialect.
LEAST_AGREEMENT = 0.5
MOSTLY = 0.9
SEQUENCE = 3


@dataclass(frozen=True)
class Sniffed:
    """A dialect, the names of the columns (`column_1` and so on without a header), and all rows as text, unchanged."""

    dialect: Csv
    names: list[str]
    rows: pl.DataFrame


def sniff(data: bytes, where: str) -> Sniffed:
    """The dialect in which every row of the file is sound; raises InputError with what is wrong in the likeliest one.

    `null_values` and `decimal` are the defaults: they are matters of columns, not of structure.
    """
    encoding = guess_encoding(data)
    text = decoded(data, encoding, where)
    quotes: tuple[str | None, ...] = ('"', None) if b'"' in text else ("'", '"') if b"'" in text else ('"',)
    delimiter = _delimiter(text, quotes, where)
    failures: list[InputError] = []
    for quote in quotes:
        try:
            dialect, rows = _settled(
                text, Csv(delimiter=delimiter, quote=quote, encoding=encoding, header=False), where
            )
        except InputError as error:
            failures.append(error)
            continue
        if quote is None and _are_quoted(rows):
            break
        return _titled(*_without_padding(dialect, rows), where)
    raise failures[0]


def has_header(first: Sequence[str], below: pl.DataFrame) -> bool:
    """Whether a first row of cells names the columns: it is of another kind than the cells below it."""
    numbers = [float(cell) for cell in first if re.match(NUMBER, cell) and "," not in cell]
    if len(numbers) >= SEQUENCE and all(b - a == 1 for a, b in itertools.pairwise(numbers)):
        return True
    votes = sum(_vote(cell, below[:, at].head(LOOKED_AT)) for at, cell in enumerate(first))
    if votes:
        return votes > 0
    return len(set(first)) == len(first) and all(0 < len(cell.strip()) <= LONGEST_TITLE for cell in first)


def _delimiter(text: bytes, quotes: Sequence[str | None], where: str) -> str:
    """The delimiter by which lines agree best on their number of fields; of equal ones, the one that shows numbers."""
    best: tuple[str, float, float] | None = None
    failures: list[InputError] = []
    for delimiter, quote in itertools.product(DELIMITERS, quotes):
        try:
            block = next(Records(text, delimiter, quote, where).blocks(SAMPLE))
        except InputError as error:
            failures.append(error)
            continue
        agreement, numbers = _agreement(block, delimiter)
        # All lines agree, or most do: a few ragged lines are refused by name, rather than read in a worse dialect.
        rank = (agreement == 1) + round(agreement, 1), numbers
        # Blanks also part words and follow commas: they are the delimiter only where there is no other, in every line.
        agrees = agreement == 1 and best is None if delimiter == " " else agreement >= LEAST_AGREEMENT
        if agrees and (best is None or rank > best[1:]):
            best = (delimiter, *rank)
    if best is None and failures:
        raise failures[0]
    if best is None:
        message = (
            f"{where} has one column alone, or none of {', '.join(map(repr, DELIMITERS))} separates its fields evenly; "
            "a model needs a label and at least one more column"
        )
        raise InputError("E_DIALECT", message)
    return best[0]


def _agreement(block: Block, delimiter: str) -> tuple[float, float]:
    """Share of records with the usual number of fields (0 where that is one), and share of numbers in such records."""
    filled = ~blank_records(block, TAIL + delimiter.encode())
    widths = block.widths[filled]
    usual = int(np.bincount(widths).argmax()) if widths.size else 1
    if usual == 1:
        return 0.0, 0.0
    even = filled & (block.widths == usual)
    agreement = int(np.count_nonzero(even)) / widths.size
    even &= np.cumsum(even) <= LOOKED_AT
    cells = cells_of(block, even, usual)
    return agreement, int(cells.str.contains(NUMBER).sum()) / cells.len()


def _settled(text: bytes, dialect: Csv, where: str) -> tuple[Csv, pl.DataFrame]:
    """The strictest treatment of blank lines and empty tails in which the whole file is sound, and its rows."""
    found: list[tuple[Csv, pl.DataFrame]] = []
    failures: list[InputError] = []
    treatments: tuple[Literal["refuse", "skip"], ...] = ("refuse", "skip")
    for trailing, blank_lines in itertools.product(treatments, treatments):
        tried = dialect.model_copy(update={"trailing": trailing, "blank_lines": blank_lines, "null_values": []})
        try:
            opened = CsvText(text, tried, where)
            rows = opened.rows([f"column_{at}" for at in range(1, len(opened.first()) + 1)])
        except InputError as error:
            failures.append(error)
            continue
        junk = pl.all().str.strip_chars((TAIL + dialect.delimiter.encode()).decode()) == ""
        has_tail = trailing == "refuse" and rows.width > 1 and rows[:, -1:].select(junk.all()).item()
        has_blank = blank_lines == "refuse" and rows.select(pl.all_horizontal(junk).any()).item()
        found.append((tried.model_copy(update={"null_values": [""]}), rows))
        if not has_tail and not has_blank:
            return found[-1]
    if not found:
        raise failures[0]
    return found[0]


def _are_quoted(rows: pl.DataFrame) -> bool:
    """Whether most cells with a quote have one at both ends: then quotes are meant, and one of them is wrong."""
    cells = pl.concat([rows[name] for name in rows.columns])
    return bool(cells.str.contains('^".*"$').sum() * 2 > cells.str.contains('"', literal=True).sum())


def _without_padding(dialect: Csv, rows: pl.DataFrame) -> tuple[Csv, pl.DataFrame]:
    """Strip blanks around values where a column has them nearly throughout, as after a delimiter that is `, `."""
    padded = pl.all().str.contains(r"^[ \t]|[ \t]$").sum() >= MOSTLY * pl.len()
    if not rows.select(pl.any_horizontal(padded)).item():
        return dialect, rows
    return dialect.model_copy(update={"padding": "strip"}), stripped(rows)


def _titled(dialect: Csv, rows: pl.DataFrame, where: str) -> Sniffed:
    first, below = [str(cell) for cell in rows.row(0)], rows[1:]
    if below.height and not has_header(first, below):
        return Sniffed(dialect, list(rows.columns), rows)
    names = sound_names(first, where)
    if not below.height:
        message = f"{where} has no rows, only a header; deliver it again with rows"
        raise InputError("E_NO_ROWS", message)
    below.columns = names
    return Sniffed(dialect.model_copy(update={"header": True}), names, below)


def _vote(cell: str, below: pl.Series) -> int:
    """1 where a cell is unlike those below it, as a title is; -1 where it is one of them; 0 where that is open."""
    values = below.filter(below.str.strip_chars() != "")
    for pattern in (NUMBER, DATE):
        if values.len() and values.str.contains(pattern).sum() >= MOSTLY * values.len():
            alike = re.match(pattern, cell) is not None
            return -1 if alike else int(bool(cell.strip()))
    return -1 if cell in set(values) else 0
