"""A file is what its bytes are."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import polars as pl
import pytest

from training_assets.core.ingestion.formats.magic import is_arff, is_arrow, is_excel, is_json, is_parquet, kind


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip"),
        (bz2.compress(b"a,b\n1,2\n"), "bzip2"),
        (lzma.compress(b"a,b\n1,2\n"), "xz"),
        (b"\x28\xb5\x2f\xfd0000", "zstd"),
        (zipped(), "zip"),
        (tarred(), "tar"),
        (parquet(), "Parquet"),
        (b"PARE0000", "encrypted"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf \n<html lang=en>", "HTML"),
        (b'<?xml version="1.0"?>', "XML"),
        (b'{"a": 1}', "JSON"),
        (b"[[1, 2]]", "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "LFS"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"\x7fELF", "program"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, words: str) -> None:
    assert words in str(kind(data))


@pytest.mark.parametrize(
    "data", [b"a,b\n1,2\n", b"", b"x", b"<5,>5\n1,2\n", b"[a],b\n1,2\n", b"{a},b\n", b"version,b\n"]
)
def test_delimited_text_is_taken_for_nothing_else(data: bytes) -> None:
    assert kind(data) is None


def test_parquet_is_told_from_text() -> None:
    assert is_parquet(parquet())
    assert not is_parquet(b"a,b\n1,2\n")


def arrow(*, stream: bool) -> bytes:
    buffer = io.BytesIO()
    rows = pl.DataFrame({"a": [1]})
    if stream:
        rows.write_ipc_stream(buffer)
    else:
        rows.write_ipc(buffer)
    return buffer.getvalue()


def test_arrow_files_and_streams_are_told_from_text() -> None:
    assert is_arrow(arrow(stream=False))
    assert is_arrow(arrow(stream=True))
    assert kind(arrow(stream=True)) == "an Arrow stream"
    assert not is_arrow(b"\xff\xff\xff\xff")
    assert not is_arrow(b"\xff" * 100)
    assert not is_arrow(b"a,b\n1,2\n")


def test_workbooks_json_and_arff_are_told_from_their_like() -> None:
    assert not is_excel(zipped())
    assert is_json(b'\xef\xbb\xbf {"a": 1}')
    assert not is_json(b"{a},b\n")
    assert is_arff(b"% made\n%\n\n@RELATION x\n")
    assert not is_arff(b"relation,@relation\n")
