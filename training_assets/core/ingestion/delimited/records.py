"""Where the fields of a delimited text begin and end: one strict scan, in blocks, with the line of whatever is wrong.

Written instead of trusting a lenient parser, which reads a short row as nulls and a stray quote as text. The rules are
RFC 4180's: a quote opens right after a separator, closes right before one, and is doubled inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training_assets.core.errors import InputError

LF, CR = 10, 13
# They bound what a hostile or broken file can cost; no honest row is longer.
MAX_LINE = 1 << 20
MAX_FIELD = 1 << 16
# Longer than a line may be, so that a block always holds a record's end; small enough to keep its masks in few MB.
BLOCK = 1 << 22

Positions = NDArray[np.int64]


@dataclass
class Block:
    """Whole records of a text.

    `text` holds their bytes, `ends` the position of the separator that ends each field, record after record, `widths`
    the fields of each record, `content` marks the bytes that belong to a value, and `line` is the first line's number.
    """

    text: NDArray[np.uint8]
    ends: Positions
    widths: Positions
    content: NDArray[np.bool_]
    line: int

    @property
    def record_ends(self) -> Positions:
        """Position of each record's line feed."""
        last: Positions = self.ends[np.cumsum(self.widths) - 1]
        return last

    @property
    def starts(self) -> Positions:
        """Position of each record's first byte."""
        return np.append(np.int64(0), self.record_ends[:-1] + 1)

    def line_of(self, record: int) -> int:
        """Number of the line in the file on which a record starts."""
        return self.line + int(np.count_nonzero(self.text[: self.starts[record]] == LF))


@dataclass
class Records:
    """The records of a text in UTF-8; remembers the kind of line end that the text has kept to so far."""

    text: bytes
    delimiter: str
    quote: str | None
    where: str
    _crlf: bool | None = None

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Blocks of up to `size` bytes (more than MAX_LINE).

        Raises InputError E_EOL, E_QUOTE, E_LINE_SIZE or E_FIELD_SIZE, with the line.
        """
        start, line = 0, 1
        while start < len(self.text):
            stop = min(start + size, len(self.text))
            block = self._block(start, stop, line)
            yield block
            start += block.text.size
            line += int(np.count_nonzero(block.text == LF))

    def _block(self, start: int, stop: int, line: int) -> Block:
        last = stop == len(self.text)
        text = np.frombuffer(self.text, np.uint8, stop - start, start)
        self._refuse_long_lines(text, line)
        cut_short = last and text[-1] != LF
        if cut_short:
            text = np.append(text, np.uint8(LF))
        quotes = np.flatnonzero(text == ord(self.quote)) if self.quote else np.empty(0, np.int64)
        inside = np.bitwise_xor.accumulate(text == ord(self.quote)) if self.quote and quotes.size else None
        feeds = np.flatnonzero(text == LF)
        feeds = feeds if inside is None else feeds[~inside[feeds]]
        whole = int(feeds[-1]) + 1 if feeds.size else 0
        self._refuse_stray_quotes(text, quotes[: quotes.size // 2 * 2], line)
        if whole == 0 or (last and whole < text.size):
            self._refuse_open_quote(text, int(quotes[(quotes.size - 1) // 2 * 2]), line)
        text, quotes = text[:whole], quotes[quotes < whole]
        inside = None if inside is None else inside[:whole]
        content = np.ones(whole, np.bool_)
        content[quotes] = False
        # The second of two quotes in a row inside a value is the one that is meant.
        content[quotes[2::2][np.diff(quotes)[1::2] == 1]] = True
        content[self._carriage_returns(text, inside, feeds, line, cut_short=cut_short)] = False
        separators = (text == ord(self.delimiter)) | (text == LF)
        ends = np.flatnonzero(separators if inside is None else separators & ~inside)
        content[ends] = False
        widths = np.diff(np.flatnonzero(text[ends] == LF), prepend=-1)
        self._refuse_long_fields(text, ends, line)
        return Block(text, ends, widths, content, line)

    def _refuse_long_lines(self, text: NDArray[np.uint8], line: int) -> None:
        feeds = np.flatnonzero(text == LF)
        lengths = np.diff(feeds, prepend=-1, append=text.size)
        if not feeds.size and np.any(text == CR):
            self._refuse_line_ends(line, "lines end with a lone carriage return")
        if lengths.max() > MAX_LINE:
            at = line + int(np.argmax(lengths > MAX_LINE))
            message = (
                f"{self.where}, line {at}: longer than {MAX_LINE:,} bytes; no row is that long, so the file is damaged "
                "or has other line ends; deliver it again"
            )
            raise InputError("E_LINE_SIZE", message)

    def _refuse_stray_quotes(self, text: NDArray[np.uint8], quotes: Positions, line: int) -> None:
        """Every quote stands at an edge of a value; `quotes` alternately open and close."""
        opens, closes = quotes[0::2], quotes[1::2]
        edges = np.array([ord(self.delimiter), LF, ord(self.quote or '"')], np.uint8)
        amid = (opens > 0) & ~np.isin(text[opens - 1], edges)
        amid |= (closes + 1 < text.size) & ~np.isin(text[(closes + 1) % text.size], [*edges, CR])
        if amid.any():
            at = line + int(np.count_nonzero(text[: opens[np.argmax(amid)]] == LF))
            message = (
                f"{self.where}, line {at}: a quote ({self.quote}) amid a value, or one that is not closed; double the "
                "quotes inside a quoted value, or set source.csv.quote to null where they are plain text"
            )
            raise InputError("E_QUOTE", message)

    def _refuse_open_quote(self, text: NDArray[np.uint8], quote: int, line: int) -> None:
        at = line + int(np.count_nonzero(text[:quote] == LF))
        message = (
            f"{self.where}, line {at}: the quote ({self.quote}) that opens here is never closed; close it, or set "
            "source.csv.quote to null where quotes are plain text"
        )
        raise InputError("E_QUOTE", message)

    def _refuse_line_ends(self, line: int, what: str) -> None:
        message = f"{self.where}, line {line}: {what}; end every line with LF, or every line with CR LF"
        raise InputError("E_EOL", message)

    def _carriage_returns(
        self, text: NDArray[np.uint8], inside: NDArray[np.bool_] | None, feeds: Positions, line: int, *, cut_short: bool
    ) -> Positions:
        """Positions of the carriage returns that belong to line ends; the whole text ends its lines in one way."""
        returns = np.flatnonzero(text == CR)
        returns = returns if inside is None else returns[~inside[returns]]
        lone = returns[text[(returns + 1) % text.size] != LF]
        if lone.size:
            at = line + int(np.count_nonzero(text[: lone[0]] == LF))
            self._refuse_line_ends(at, "a carriage return alone, where LF or CR LF is a line end")
        paired = text[feeds - 1] == CR
        judged = paired[:-1] if cut_short and not paired[-1] else paired
        if judged.size:
            self._crlf = bool(judged[0]) if self._crlf is None else self._crlf
            other = np.flatnonzero(judged != self._crlf)
            if other.size:
                at = line + int(np.count_nonzero(text[: feeds[other[0]]] == LF))
                self._refuse_line_ends(at, f"line ends change from {'CR LF to LF' if self._crlf else 'LF to CR LF'}")
        return returns

    def _refuse_long_fields(self, text: NDArray[np.uint8], ends: Positions, line: int) -> None:
        lengths = np.diff(ends, prepend=-1) - 1
        if lengths.max() > MAX_FIELD:
            field = int(np.argmax(lengths > MAX_FIELD))
            begin = int(ends[field - 1]) + 1 if field else 0
            at = line + int(np.count_nonzero(text[:begin] == LF))
            if np.any(text[begin : ends[field]] == LF):
                self._refuse_open_quote(text, begin, line)
            message = f"{self.where}, line {at}: a value of more than {MAX_FIELD:,} bytes; shorten it or leave it out"
            raise InputError("E_FIELD_SIZE", message)
