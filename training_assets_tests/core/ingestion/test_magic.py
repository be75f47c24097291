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

from training_assets.core.ingestion.magic import is_parquet, kind


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
        (gzip.compress(b"a,b\n1,2\n"), "gzip"),
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
