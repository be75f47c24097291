"""From a text file's bytes to sound UTF-8: encoding and NUL bytes are judged here, lines and fields are not."""

from __future__ import annotations

import codecs
from typing import Literal

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import magic

Encoding = Literal["utf-8", "latin-1", "utf-16"]
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LOOKED_AT = 4096
# Latin text in UTF-16 has a NUL in every other byte; a stray NUL or a file of NULs has not.
UTF16_SHARE = 0.3
PIECE = 1 << 22


def decoded(data: bytes, encoding: Encoding, where: str) -> bytes:
    """The text as UTF-8 without a byte-order mark; raises InputError E_EMPTY, E_MAGIC, E_ENCODING or E_NUL.

    `latin-1` is read as Windows-1252, as browsers do, since that is what files with this label hold: the two differ
    only where Latin-1 has invisible control characters.
    """
    if not data.strip(b" \t\r\n"):
        message = f"{where} is empty; deliver the file again, with a header and rows"
        raise InputError("E_EMPTY", message)
    found = magic.kind(data)
    if found is not None:
        message = f"{where} is no delimited text but {found}; {_remedy(data)}"
        raise InputError("E_MAGIC", message)
    if encoding == "utf-16":
        text = _from_utf16(data, where)
    else:
        if looks_like_utf16(data):
            message = (
                f"{where} looks like UTF-16, not {encoding}; set source.csv.encoding to utf-16 or save it as UTF-8"
            )
            raise InputError("E_ENCODING", message)
        text = _from_latin1(data, where) if encoding == "latin-1" else _from_utf8(data, where)
    return _without_nul(text, where)


def sound_utf8(data: bytes, where: str) -> bytes:
    """A text of a format that is always UTF-8, without a byte-order mark; raises InputError as `decoded` does."""
    if not data.strip(b" \t\r\n"):
        message = f"{where} is empty; deliver the file again, with rows"
        raise InputError("E_EMPTY", message)
    found = magic.kind(data)
    if found is not None and not magic.is_json(data):
        message = f"{where} is {found}; {_remedy(data)}"
        raise InputError("E_MAGIC", message)
    bad = first_bad_utf8(data)
    if bad is not None or looks_like_utf16(data):
        where_bad = f", line {line_at(data, bad)}" if bad is not None else ""
        message = f"{where}{where_bad}: no valid UTF-8; save the file as UTF-8"
        raise InputError("E_ENCODING", message)
    return _without_nul(data.removeprefix(codecs.BOM_UTF8), where)


def guess_encoding(data: bytes) -> Encoding:
    """The first encoding that can be right: UTF-16 by its NULs or mark, UTF-8 where it is valid, else Latin-1."""
    if looks_like_utf16(data):
        return "utf-16"
    return "utf-8" if first_bad_utf8(data) is None else "latin-1"


def looks_like_utf16(data: bytes) -> bool:
    """Whether bytes have UTF-16's mark, or NULs in about every other place and nearly none between."""
    if data.startswith(UTF16_MARKS):
        return True
    head = data[:LOOKED_AT]
    half = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return half > 0 and max(even, odd) >= UTF16_SHARE * half and min(even, odd) * 10 <= max(even, odd)


def first_bad_utf8(data: bytes) -> int | None:
    """Position of the first byte that is no valid UTF-8; none where all are. Needs little memory beside the data."""
    if data.isascii():
        return None
    view, start = memoryview(data), 0
    while start < len(data):
        last = start + PIECE >= len(data)
        try:
            _, read = codecs.utf_8_decode(view[start : start + PIECE], "strict", last)
        except UnicodeDecodeError as error:
            return start + error.start
        start += read
    return None


def line_at(text: bytes, position: int) -> int:
    """Number of the line (from 1) that holds a position."""
    return text.count(b"\n", 0, position) + 1


def _remedy(data: bytes) -> str:
    if magic.is_gzip(data) or (magic.is_zip(data) and not magic.is_excel(data)):
        return f"set source.compression to {'gzip' if magic.is_gzip(data) else 'zip'}, or unpack it"
    return "unpack or convert it, or mend source.format"


def _without_nul(text: bytes, where: str) -> bytes:
    nul = text.find(b"\0")
    if nul >= 0:
        message = f"{where}, line {line_at(text, nul)}: NUL byte; the file is damaged or no text, deliver it again"
        raise InputError("E_NUL", message)
    return text


def _from_utf8(data: bytes, where: str) -> bytes:
    bad = first_bad_utf8(data)
    if bad is not None:
        message = (
            f"{where}, line {line_at(data, bad)}: byte 0x{data[bad]:02X} is no valid UTF-8; "
            "save it as UTF-8, or set source.csv.encoding (latin-1 for Windows files)"
        )
        raise InputError("E_ENCODING", message)
    return data.removeprefix(codecs.BOM_UTF8)


def _from_latin1(data: bytes, where: str) -> bytes:
    if data.isascii():
        return data
    if first_bad_utf8(data) is None:
        message = (
            f"{where} is UTF-8, not latin-1: read as latin-1 its letters would be garbled; mend source.csv.encoding"
        )
        raise InputError("E_ENCODING", message)
    try:
        return data.decode("cp1252").encode()
    except UnicodeDecodeError as error:
        message = (
            f"{where}, line {line_at(data, error.start)}: byte 0x{data[error.start]:02X} means nothing in latin-1 "
            "(Windows-1252); save the file as UTF-8"
        )
        raise InputError("E_ENCODING", message) from error


def _from_utf16(data: bytes, where: str) -> bytes:
    if not looks_like_utf16(data):
        message = f"{where} is not UTF-16, as source.csv.encoding says; mend that setting or the file"
        raise InputError("E_ENCODING", message)
    marked = data.startswith(UTF16_MARKS)
    little = data[1:LOOKED_AT:2].count(0) >= data[0:LOOKED_AT:2].count(0)
    codec = "utf-16" if marked else "utf-16-le" if little else "utf-16-be"
    try:
        return data.decode(codec).encode()
    except UnicodeError as error:
        message = f"{where} is damaged UTF-16 ({str(error)[:100]}); deliver it again or save it as UTF-8"
        raise InputError("E_ENCODING", message) from error
