"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re

PARQUET = b"PAR1"
LONGEST_PREFIX = 512

_BYTES = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip archive (an Excel workbook is one, too)",
    b"PK\x05\x06": "an empty zip archive",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\x00": "xz data",
    b"\x04\x22\x4d\x18": "lz4 data",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    PARQUET: "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    b"ARROW1": "an Arrow file",
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
    rb'(\{\s*"|\[\s*[\[{])': "a JSON document",
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
    head = data[:LONGEST_PREFIX].removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, words in _TEXTS.items():
        if re.match(pattern, head, re.IGNORECASE):
            return words
    return None


def is_parquet(data: bytes) -> bool:
    """Whether the bytes start as a Parquet file does."""
    return data.startswith(PARQUET)
