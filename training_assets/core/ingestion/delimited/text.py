"""Delimited text: strictly rectangular rows of text cells, or a refusal that names the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.records import Block, Positions, Records
from training_assets.spec import Csv

BLANK = b" \t\r\n"
PADDING = " \t"
# What spreadsheet programs leave at the end of lines when a file is saved anew in another dialect.
TAIL = BLANK + b",;|"


@dataclass(frozen=True)
class CsvText:
    """A text (UTF-8, no byte-order mark) and the dialect that it is written in."""

    text: bytes
    dialect: Csv
    where: str

    def first(self) -> list[str]:
        """Cells of the first record: the header, where there is one; raises InputError as `rows` does, or E_EMPTY."""
        for block in self._records():
            keep = np.flatnonzero(~self._blank(block))
            if keep.size:
                only = np.zeros(block.widths.size, np.bool_)
                only[keep[0]] = True
                cells = cells_of(block, only, int(block.widths[keep[0]])).to_list()
                while self.dialect.trailing == "skip" and len(cells) > 1 and not cells[-1].encode().strip(self._tail):
                    cells.pop()
                return [str(cell).strip(PADDING) if self.dialect.padding == "strip" else str(cell) for cell in cells]
        message = f"{self.where} is empty: no line holds a value; deliver the file again, with rows"
        raise InputError("E_EMPTY", message)

    def rows(self, names: Sequence[str]) -> pl.DataFrame:
        """All rows below the header, one String column for each name (n_rows x n_names), `null_values` as null.

        Raises InputError E_RAGGED, E_BLANK_LINE, E_NO_ROWS, and what `Records.blocks` raises.
        """
        width, header = len(names), self.dialect.header
        parts: list[pl.DataFrame] = []
        for block in self._records():
            keep = ~self._blank(block)
            if header and keep.any():
                keep[np.argmax(keep)] = False
                header = False
            self._cut_tails(block, keep, width)
            if keep.any():
                cells = cells_of(block, keep, width)
                parts.append(pl.DataFrame({name: cells.gather_every(width, at) for at, name in enumerate(names)}))
        if not parts:
            message = f"{self.where} has no rows, only a header; deliver it again with rows"
            raise InputError("E_NO_ROWS", message)
        rows = pl.concat(parts, rechunk=True)
        return with_nulls(stripped(rows) if self.dialect.padding == "strip" else rows, self.dialect.null_values)

    def _records(self) -> Iterator[Block]:
        if not self.dialect.delimiter.isascii() or not (self.dialect.quote or "").isascii():
            message = f"{self.where}: source.csv.delimiter and quote must be ASCII characters"
            raise InputError("E_DIALECT", message)
        return Records(self.text, self.dialect.delimiter, self.dialect.quote or None, self.where).blocks()

    @property
    def _tail(self) -> bytes:
        return TAIL + self.dialect.delimiter.encode()

    def _blank(self, block: Block) -> NDArray[np.bool_]:
        """Which records hold no value; refused unless the dialect skips them."""
        skip = self.dialect.blank_lines == "skip"
        empty = BLANK
        if skip:
            empty = self._tail if self.dialect.trailing == "skip" else BLANK + self.dialect.delimiter.encode()
        blank = blank_records(block, empty)
        if blank.any() and not skip:
            message = (
                f"{self.where}, line {block.line_of(int(np.argmax(blank)))}: the line is blank; remove it, or set "
                "source.csv.blank_lines to skip"
            )
            raise InputError("E_BLANK_LINE", message)
        return blank

    def _cut_tails(self, block: Block, keep: NDArray[np.bool_], width: int) -> None:
        """Make every kept record `width` fields wide, by cutting empty fields off its end; refuse what remains."""
        uneven = keep & (block.widths != width)
        if self.dialect.trailing == "skip" and uneven.any():
            long = np.flatnonzero(keep & (block.widths > width))
            first = np.cumsum(block.widths)[long] - block.widths[long]
            tails, ends = block.ends[first + width - 1], block.record_ends[long]
            filled = np.cumsum(_others(block.text, self._tail), dtype=np.int64)
            uneven[long] = filled[ends] != filled[tails]
            block.content[_spans(block.text.size, tails, ends)] = False
        if uneven.any():
            record = int(np.argmax(uneven))
            count = int(block.widths[record])
            hint = "; where the extra ones are empty, set source.csv.trailing to skip" if count > width else ""
            message = (
                f"{self.where}, line {block.line_of(record)}: {count} fields instead of {width}; mend the line, quote "
                f"values that hold {self.dialect.delimiter!r}, or mend source.csv.delimiter{hint}"
            )
            raise InputError("E_RAGGED", message)


def blank_records(block: Block, empty: bytes) -> NDArray[np.bool_]:
    """Which records consist of the characters in `empty` alone (n_records)."""
    starts = block.starts
    blank = np.isin(block.text[starts], np.frombuffer(empty, np.uint8))
    if blank.any():
        blank = np.add.reduceat(_others(block.text, empty), starts, dtype=np.int64) == 0
    return blank


def stripped(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without blanks around their texts."""
    return rows.with_columns(pl.all().str.strip_chars(PADDING))


def with_nulls(rows: pl.DataFrame, words: Sequence[str]) -> pl.DataFrame:
    """The rows with null in place of each text cell that is one of the words."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    if not words or not texts:
        return rows
    return rows.with_columns(
        pl.when(pl.col(name).is_in(list(words))).then(None).otherwise(pl.col(name)).alias(name) for name in texts
    )


def _others(text: NDArray[np.uint8], characters: bytes) -> NDArray[np.uint8]:
    """1 for each byte that is none of the characters, else 0."""
    table = np.ones(256, np.uint8)
    table[np.frombuffer(characters, np.uint8)] = 0
    return table[text]


def _spans(size: int, after: Positions, until: Positions) -> NDArray[np.bool_]:
    """Mask of the positions from `after` to `until`, both inclusive."""
    steps = np.zeros(size + 1, np.int8)
    steps[after] += 1
    steps[until + 1] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_)


def cells_of(block: Block, keep: NDArray[np.bool_], width: int) -> pl.Series:
    """The first `width` fields of each kept record, record after record; the bytes are known to be UTF-8."""
    import pyarrow as pa

    content = block.content.copy()
    dropped = ~keep
    content[_spans(block.text.size, block.starts[dropped], block.record_ends[dropped])] = False
    place = np.arange(block.ends.size) - np.repeat(np.cumsum(block.widths) - block.widths, block.widths)
    ends = block.ends[np.repeat(keep, block.widths) & (place < width)]
    offsets = np.append(np.int64(0), np.cumsum(content, dtype=np.int64)[ends])
    values = pa.py_buffer(block.text[content].tobytes())
    return pl.Series(pa.LargeStringArray.from_buffers(ends.size, pa.py_buffer(offsets), values))
