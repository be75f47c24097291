"""Packed files are unpacked as declared, whole and within bounds, or refused by name."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import compression
from training_assets.core.ingestion.formats.compression import Compression, compression_of, unpacked
from training_assets.core.ingestion.reading import read_rows
from training_assets_tests.core.ingestion.test_reading import spec

TEXT = b"age,weight,label\n30,1.5,a\n31,2.5,b\n"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def refusal(data: bytes, how: Compression) -> InputError:
    with pytest.raises(InputError) as caught:
        unpacked(data, how, "rows.packed")
    assert "rows.packed" in str(caught.value)
    return caught.value


def test_what_was_packed_is_unpacked() -> None:
    assert unpacked(TEXT, None, "rows.csv") == TEXT
    assert unpacked(gzip.compress(TEXT), "gzip", "rows.csv.gz") == TEXT
    assert unpacked(zipped(("folder/rows.csv", TEXT)), "zip", "rows.zip") == TEXT
    assert unpacked(zipped(("rows.csv", TEXT), method=zipfile.ZIP_STORED), "zip", "rows.zip") == TEXT


def test_several_gzip_members_are_read_as_one_text() -> None:
    assert unpacked(gzip.compress(TEXT) + gzip.compress(b"32,3.5,a\n"), "gzip", "rows.gz") == TEXT + b"32,3.5,a\n"


def test_bytes_behind_the_last_gzip_member_are_refused() -> None:
    assert refusal(gzip.compress(TEXT) + b"more", "gzip").code == "E_MAGIC"


@pytest.mark.parametrize("cut", [3, 12, 20, -9, -4, -1])
def test_a_gzip_file_that_is_cut_short_is_refused(cut: int) -> None:
    assert refusal(gzip.compress(TEXT)[:cut], "gzip").code == "E_MAGIC"


def test_a_wrong_checksum_is_refused() -> None:
    packed = gzip.compress(TEXT)
    assert refusal(packed[:-8] + struct.pack("<I", 7) + packed[-4:], "gzip").code == "E_MAGIC"
    archive = bytearray(zipped(("rows.csv", TEXT), method=zipfile.ZIP_STORED))
    archive[archive.index(b"1.5")] = ord("9")
    assert refusal(bytes(archive), "zip").code == "E_MAGIC"


@pytest.mark.parametrize("how", ["gzip", "zip"])
def test_a_file_that_unpacks_to_too_much_is_refused(how: Compression, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "HARMLESS_BYTES", 1 << 20)
    bomb = gzip.compress(b"0" * (2 << 20)) if how == "gzip" else zipped(("rows.csv", b"0" * (2 << 20)))
    assert len(bomb) < 10_000
    assert refusal(bomb, how).code == "E_RATIO"
    monkeypatch.setattr(compression, "HARMLESS_BYTES", 4 << 20)
    assert len(unpacked(bomb, how, "rows.packed")) == 2 << 20


def test_a_size_that_a_zip_archive_lies_about_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "HARMLESS_BYTES", 1 << 20)
    size = 2 << 20
    lying = zipped(("rows.csv", b"0" * size)).replace(struct.pack("<I", size), struct.pack("<I", 100))
    assert refusal(lying, "zip").code in {"E_MAGIC", "E_RATIO"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ((), "no file"),
        ((("a.csv", TEXT), ("b.csv", TEXT)), "2 entries ('a.csv', 'b.csv')"),
        ((("rows.csv", TEXT), ("__MACOSX/._rows.csv", b"x")), "__MACOSX"),
        ((("../rows.csv", TEXT),), "leaves its folder"),
        ((("/etc/rows.csv", TEXT),), "leaves its folder"),
        ((("..\\rows.csv", TEXT),), "leaves its folder"),
        ((("rows/", b""),), "is a folder"),
        ((("ro\x1bws.csv", TEXT),), "does not print"),
    ],
)
def test_a_zip_archive_holds_one_plain_file(members: tuple[tuple[str, bytes], ...], words: str) -> None:
    found = refusal(zipped(*members), "zip")
    assert found.code == "E_ARCHIVE"
    assert words in found.text
    assert found.text.isprintable()


def test_a_link_and_an_encrypted_member_are_refused() -> None:
    link = zipfile.ZipInfo("rows.csv")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in refusal(buffer.getvalue(), "zip").text
    locked = bytearray(zipped(("rows.csv", TEXT)))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(bytes(locked), "zip").text


def test_what_is_not_packed_as_declared_is_refused_and_named() -> None:
    assert "zip archive" in refusal(zipped(("rows.csv", TEXT)), "gzip").text
    assert "no packed file" in refusal(TEXT, "gzip").text
    assert refusal(gzip.compress(TEXT), "zip").code == "E_MAGIC"


def test_packing_is_known_by_the_bytes() -> None:
    assert compression_of(gzip.compress(TEXT)) == "gzip"
    assert compression_of(zipped(("rows.csv", TEXT))) == "zip"
    assert compression_of(zipped(("xl/workbook.xml", b"<x/>"))) is None
    assert compression_of(TEXT) is None


def test_what_is_packed_and_not_declared_is_refused_with_the_key() -> None:
    for data, how in ((gzip.compress(TEXT), "gzip"), (zipped(("rows.csv", TEXT)), "zip")):
        with pytest.raises(InputError, match=f"E_MAGIC: .*set source.compression to {how}"):
            read_rows(data, spec(), "rows.csv", {})
