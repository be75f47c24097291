"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re

PARQUET = b"PAR1"
ARROW = b"ARROW1"
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
# What every workbook of Excel 2007 and later has, near the beginning or in the list at the end.
WORKBOOK = b"xl/workbook.xml"
# An Arrow stream: a continuation mark, then the length of its schema, which is a small multiple of eight.
STREAM = b"\xff\xff\xff\xff"
LONGEST_SCHEMA = 1 << 24
LONGEST_PREFIX = 512
BOM = b"\xef\xbb\xbf"

_JSON = rb'(\{\s*"|\[\s*[\[{])'
_BYTES = {
    GZIP: "gzip data",
    ZIP: "a zip archive (an Excel workbook is one, too)",
    EMPTY_ZIP: "an empty zip archive",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\x00": "xz data",
    b"\x04\x22\x4d\x18": "lz4 data",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    PARQUET: "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    ARROW: "an Arrow file",
    b"FEA1": "a Feather file",
    b"Obj\x01": "an Avro file",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x7fELF": "a program",
    b"version https://git-lfs.github.com/spec/": "a Git LFS pointer; fetch the file itself with `git lfs pull`",
}
_TEXTS = {
    rb"<(!doctype\s+html|html|head|body)\b": "an HTML page, perhaps of a failed download",
    rb"<\?xml\b": "an XML document",
    _JSON: "a JSON document",
}
_TAR = (257, b"ustar")


def kind(data: bytes) -> str | None:
    """What the bytes are, in words, where they are something other than delimited text; none for plain text."""
    for prefix, words in _BYTES.items():
        if data.startswith(prefix):
            return words
    start, tar = _TAR
    if data[start : start + len(tar)] == tar:
        return "a tar archive"
    if is_arrow(data):
        return "an Arrow stream"
    head = _head(data)
    for pattern, words in _TEXTS.items():
        if re.match(pattern, head, re.IGNORECASE):
            return words
    return None


def is_parquet(data: bytes) -> bool:
    """Whether the bytes start as a Parquet file does."""
    return data.startswith(PARQUET)


def is_arrow(data: bytes) -> bool:
    """Whether the bytes start as an Arrow IPC file or stream does."""
    if data.startswith(STREAM) and len(data) > 8:
        return data[4:8] != STREAM and int.from_bytes(data[4:8], "little") <= LONGEST_SCHEMA
    return data.startswith(ARROW)


def is_gzip(data: bytes) -> bool:
    """Whether the bytes start as gzip does."""
    return data.startswith(GZIP)


def is_zip(data: bytes) -> bool:
    """Whether the bytes start as a zip archive does."""
    return data.startswith((ZIP, EMPTY_ZIP))


def is_excel(data: bytes) -> bool:
    """Whether the bytes are a zip archive that holds a workbook."""
    return data.startswith(ZIP) and WORKBOOK in data


def is_json(data: bytes) -> bool:
    """Whether the bytes start as a JSON object or a list of them does."""
    return re.match(_JSON, _head(data)) is not None


def is_arff(data: bytes) -> bool:
    """Whether the first line that is no comment names a relation, as ARFF does."""
    text = re.match(rb"(?:\s*(?:%[^\n]*\n|\n))*\s*@relation\b", data.removeprefix(BOM), re.IGNORECASE)
    return text is not None


def _head(data: bytes) -> bytes:
    return data[:LONGEST_PREFIX].removeprefix(BOM).lstrip()
