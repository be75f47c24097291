"""Cases 1 to 36 and 72 to 83: what a delimited text may be instead of a table."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import polars as pl

from training_assets_tests.bad_input.case import (
    COLUMNS,
    HEADER,
    Accepted,
    Case,
    Refused,
    cells,
    sound,
    text,
    with_line,
    without,
)

TEXT = text()
FIRST: dict[str, list[Any]] = {"id": ["c0", "c1"], "age": [20, 21], "income": [1000.0, 1000.25]}
LONG = 300 << 20


def columns(**names: str) -> bytes:
    """The sound file with other names in its header."""
    return TEXT.replace(HEADER, ",".join(names.get(name, name) for name in COLUMNS), 1).encode()


def again(name: str) -> bytes:
    """The sound file with one more column under a name, as the last one."""
    return "\n".join(f"{line},{'1' if at else name}" for at, line in enumerate(TEXT.splitlines())).encode() + b"\n"


def renamed(to: str) -> dict[str, object]:
    """The columns with `plan` under another name."""
    return {to if name == "plan" else name: rules for name, rules in COLUMNS.items()}


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("rows.csv", TEXT)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.read_csv(sound()).write_parquet(buffer)
    return buffer.getvalue()


PACKED = gzip.compress(TEXT.encode())
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1\nsize 12345\n"
STRUCTURE = [
    Case(1, "empty file", b"", Refused("E_EMPTY")),
    Case(2, "header only", f"{HEADER}\n".encode(), Refused("E_NO_ROWS")),
    Case(3, "header, no newline", HEADER.encode(), Refused("E_NO_ROWS")),
    Case(4, "only newlines", b"\n\r\n\n", Refused("E_EMPTY")),
    Case(5, "blank lines inside", with_line(3, ""), Refused("E_BLANK_LINE", ("line 5",))),
    Case(6, "short row", with_line(3, "c99,30,1.5"), Refused("E_RAGGED", ("line 5", "3 fields instead of 6"))),
    Case(
        7,
        "long row",
        with_line(3, "c99,30,1.5,pro,2026-01-01T00:00:00,no,x"),
        Refused("E_RAGGED", ("line 5", "7 fields")),
    ),
    Case(8, "NUL byte in field", cells("plan", "a\0b"), Refused("E_NUL", ("line 2",))),
    Case(9, "file of NULs", b"\0" * 5000, Refused("E_NUL", ("line 1",))),
    Case(10, "UTF-8 BOM", b"\xef\xbb\xbf" + sound(), Accepted(FIRST)),
    Case(11, "UTF-16 LE with BOM", b"\xff\xfe" + TEXT.encode("utf-16-le"), Refused("E_ENCODING", ("utf-16",))),
    Case(11, "UTF-16 LE, declared", TEXT.encode("utf-16"), Accepted(FIRST), source={"csv": {"encoding": "utf-16"}}),
    Case(12, "UTF-16 BE no BOM", TEXT.encode("utf-16-be"), Refused("E_ENCODING", ("utf-16",))),
    Case(13, "latin-1 body", cells("plan", "é").decode().encode("latin-1"), Refused("E_ENCODING", ("line 2", "0xE9"))),
    Case(
        13,
        "latin-1 body, declared",
        cells("plan", "é").decode().encode("latin-1"),
        Accepted({"plan": ["é"]}),
        source={"csv": {"encoding": "latin-1"}},
    ),
    Case(
        14, "latin-1 header", columns(plan="plän").decode().encode("latin-1"), Refused("E_ENCODING", ("line 1", "0xE4"))
    ),
    Case(15, "truncated UTF-8 at EOF", sound()[:-1] + "é".encode()[:1], Refused("E_ENCODING", ("line 41",))),
    Case(
        16,
        "overlong UTF-8 (C0 AF)",
        cells("plan", "XX").replace(b"XX", b"\xc0\xaf"),
        Refused("E_ENCODING", ("line 2",)),
    ),
    Case(
        17,
        "surrogate (ED A0 80)",
        cells("plan", "XX").replace(b"XX", b"\xed\xa0\x80"),
        Refused("E_ENCODING", ("line 2",)),
    ),
    Case(18, "CR-only line ends", text(end="\r").encode(), Refused("E_EOL", ("line 1",))),
    Case(19, "CRLF", text(end="\r\n").encode(), Accepted(FIRST)),
    Case(20, "mixed EOL", sound().replace(b"\n", b"\r\n", 5), Refused("E_EOL", ("line 6",))),
    Case(21, "semicolon separated", sound().replace(b",", b";"), Refused("E_DIALECT", ("';'",))),
    Case(22, "tab separated", sound().replace(b",", b"\t"), Refused("E_DIALECT", (r"'\t'",))),
    Case(
        22,
        "tab separated, declared",
        sound().replace(b",", b"\t"),
        Accepted(FIRST),
        source={"csv": {"delimiter": "\t"}},
    ),
    Case(23, "duplicate column", again("age"), Refused("E_DUP_COLUMN", ("columns 2 and 7",))),
    Case(24, "columns differing by case", again("Age"), Refused("E_DUP_COLUMN", ("columns 2 and 7", "case"))),
    Case(25, "column with leading space", columns(age=" age"), Refused("E_COLUMN_NAME", ("column 2", "blank"))),
    Case(
        26,
        "dup + its generated suffix",
        columns(plan="age_duplicated_0", income="age"),
        Refused("E_DUP_COLUMN", ("columns 2 and 3",)),
    ),
    Case(27, "empty column name", columns(plan=""), Refused("E_COLUMN_NAME", ("column 4", "empty"))),
    Case(28, "two empty names", columns(plan="", age=""), Refused("E_COLUMN_NAME", ("column 2", "empty"))),
    Case(29, "no header", "".join(TEXT.splitlines(keepends=True)[1:]).encode(), Refused("E_SCHEMA", ("header",))),
    Case(
        29,
        "no header, declared",
        "".join(TEXT.splitlines(keepends=True)[1:]).encode(),
        Accepted(FIRST),
        source={"csv": {"header": False}},
    ),
    Case(
        30,
        "column missing",
        sound(),
        Refused("E_SCHEMA", ("missing: 'city'",)),
        columns={**COLUMNS, "city": {"type": "string"}},
    ),
    Case(31, "column extra", sound(), Refused("E_SCHEMA", ("not in the spec: 'plan'",)), columns=without("plan")),
    Case(32, "columns reordered", sound(), Accepted(FIRST), columns=dict(reversed(COLUMNS.items()))),
    Case(33, "unclosed quote", with_line(3, '"c99,30,1.5,pro,2026-01-01T00:00:00,no'), Refused("E_QUOTE", ("line 5",))),
    Case(34, "quote in middle of field", cells("plan", 'a"b'), Refused("E_QUOTE", ("line 2",))),
    Case(35, "quoted newline", cells("plan", "two\nlines", quote=True), Accepted({"plan": ["two\nlines"]})),
    Case(36, "doubled quote", cells("plan", 'say ""hi""', quote=True), Accepted({"plan": ['say "hi"']})),
    Case(
        72,
        "100 KB column name",
        columns(plan="p" * 100_000),
        Refused("E_FIELD_SIZE", ("line 1",)),
        instead="a name is a field first, and no field is that long",
    ),
    Case(72, "10 KB column name", columns(plan="p" * 10_000), Refused("E_NAME", ("column 4", "128 characters"))),
    Case(
        73,
        "10 000 columns",
        lambda: b"\n".join(b",".join(b"c%d" % at for at in range(10_000)) for _ in range(3)),
        Refused("E_WIDTH", ("10,000 columns",)),
    ),
    Case(
        74,
        "5 MB field",
        lambda: cells("plan", "x" * 5_000_000),
        Refused("E_LINE_SIZE", ("line 2",)),
        instead="the line is what is too long first",
    ),
    Case(74, "100 KB field", lambda: cells("plan", "x" * 100_000), Refused("E_FIELD_SIZE", ("line 2",))),
    Case(75, "300 MB single line", lambda: b"x" * LONG, Refused("E_LINE_SIZE", ("line 1",))),
    Case(
        75,
        "300 MB open quote",
        lambda: with_line(3, '"c99') + sound() * (LONG // len(sound())),
        Refused("E_QUOTE", ("line 5",)),
        instead="the quote that opens is what is wrong, and its line is named",
    ),
    Case(76, "gzip in .csv", PACKED, Refused("E_MAGIC", ("gzip",))),
    Case(76, "gzip, declared", PACKED, Accepted(FIRST), source={"compression": "gzip"}, name="rows.csv.gz"),
    Case(
        77,
        "gzip bomb 420 MB",
        lambda: gzip.compress(HEADER.encode() + b"\n" * (420 << 20), 1),
        Refused("E_RATIO"),
        source={"compression": "gzip"},
    ),
    Case(78, "truncated gzip", PACKED[:-30], Refused("E_MAGIC", ("cut short",)), source={"compression": "gzip"}),
    Case(
        78,
        "bad CRC in gzip",
        PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:],
        Refused("E_MAGIC", ("damaged",)),
        source={"compression": "gzip"},
    ),
    Case(
        79,
        "multi-member gzip",
        gzip.compress(TEXT[:500].encode()) + gzip.compress(TEXT[500:].encode()),
        Accepted(FIRST),
        source={"compression": "gzip"},
    ),
    Case(80, "zip as .csv", zipped(), Refused("E_MAGIC", ("zip",))),
    Case(80, "zstd as .csv", b"\x28\xb5\x2f\xfd\x24\x10\x81\x00\x00", Refused("E_MAGIC", ("zstd",))),
    Case(80, "parquet as .csv", parquet(), Refused("E_MAGIC", ("Parquet",))),
    Case(80, "html as .csv", b"<!DOCTYPE html><html><body>404</body></html>", Refused("E_MAGIC", ("HTML",))),
    Case(80, "json as .csv", json.dumps([{"id": "c1"}]).encode(), Refused("E_MAGIC", ("JSON",))),
    Case(80, "LFS pointer as .csv", LFS, Refused("E_MAGIC", ("git lfs pull",))),
    Case(81, 'trailer line "--- end"', sound() + b"--- end\n", Refused("E_RAGGED", ("line 42",))),
    Case(82, "comment first line", b"# exported today\n" + sound(), Refused("E_SCHEMA", ("missing",))),
    Case(
        83,
        "trailing comma",
        sound().replace(b"\n", b",\n"),
        Refused("E_COLUMN_NAME", ("column 7", "trailing to skip")),
        instead="the name of that column is what is wrong",
    ),
    Case(
        83,
        "trailing comma in rows alone",
        sound().replace(b"\n", b",\n").replace(b",\n", b"\n", 1),
        Refused("E_RAGGED", ("line 2",)),
    ),
    Case(
        83,
        "trailing comma, declared",
        sound().replace(b"\n", b",\n"),
        Accepted(FIRST),
        source={"csv": {"trailing": "skip"}},
    ),
]
