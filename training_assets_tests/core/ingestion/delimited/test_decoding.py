"""Encodings: read right or refused, never garbled."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited import decoding
from training_assets.core.ingestion.delimited.decoding import Encoding, decoded, first_bad_utf8, guess_encoding

TEXT = "größe,preis\n1,2 €\n"


def refusal(data: bytes, encoding: Encoding = "utf-8") -> InputError:
    with pytest.raises(InputError) as caught:
        decoded(data, encoding, "rows.csv")
    assert "rows.csv" in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (TEXT.encode("cp1252"), "latin-1"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16"),
        (TEXT.encode("utf-16-be"), "utf-16"),
    ],
)
def test_declared_encodings_give_the_same_text(data: bytes, encoding: Encoding) -> None:
    assert decoded(data, encoding, "rows.csv").decode() == TEXT
    assert guess_encoding(data) == encoding


def test_windows_quotes_in_latin_1_are_quotes() -> None:
    assert decoded(b"a,b\nit\x92s,\x80 5\n", "latin-1", "rows.csv").decode() == "a,b\nit\u2019s,€ 5\n"


@pytest.mark.parametrize(
    ("data", "encoding", "code", "said"),
    [
        (b"", "utf-8", "E_EMPTY", "empty"),
        (b"\n\r\n \t\n", "utf-8", "E_EMPTY", "empty"),
        (b"a,b\n1,2\n3,caf\xe9\n", "utf-8", "E_ENCODING", "line 3"),
        (b"caf\xe9,b\n1,2\n", "utf-8", "E_ENCODING", "0xE9"),
        (b"a,b\n1,\xe2\x82", "utf-8", "E_ENCODING", "line 2"),
        (b"a,b\n1,\xc0\xaf\n", "utf-8", "E_ENCODING", "0xC0"),
        (b"a,b\n1,\xed\xa0\x80\n", "utf-8", "E_ENCODING", "0xED"),
        (TEXT.encode("utf-16"), "utf-8", "E_ENCODING", "utf-16"),
        (TEXT.encode("utf-16-be"), "utf-8", "E_ENCODING", "utf-16"),
        (TEXT.encode("utf-16-le"), "latin-1", "E_ENCODING", "utf-16"),
        (TEXT.encode(), "latin-1", "E_ENCODING", "is UTF-8"),
        (b"a,b\n1,\x81\n", "latin-1", "E_ENCODING", "0x81"),
        (b"a,b\n1,2\n", "utf-16", "E_ENCODING", "not UTF-16"),
        (codecs.BOM_UTF16_LE + b"a\x00,\x00\x00\xd8\n\x00", "utf-16", "E_ENCODING", "damaged"),
        (b"a,b\n1,x\x00y\n", "utf-8", "E_NUL", "line 2"),
        (b"\x00" * 64, "utf-8", "E_NUL", "line 1"),
        (b"\x1f\x8b0000", "utf-8", "E_MAGIC", "gzip"),
        (b"PK\x03\x04", "utf-8", "E_MAGIC", "zip"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(data: bytes, encoding: Encoding, code: str, said: str) -> None:
    error = refusal(data, encoding)
    assert error.code == code
    assert said in str(error)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_the_first_bad_byte_is_the_one_that_python_finds(data: bytes) -> None:
    expected = None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        expected = error.start
    assert first_bad_utf8(data) == expected


@pytest.mark.parametrize("shift", range(5))
def test_a_letter_across_two_pieces_is_whole(monkeypatch: pytest.MonkeyPatch, shift: int) -> None:
    monkeypatch.setattr(decoding, "PIECE", 8)
    assert first_bad_utf8(b"x" * shift + "€€€€".encode()) is None
    assert first_bad_utf8(b"x" * shift + "€€€€".encode() + b"\xff") == shift + 12
    assert first_bad_utf8(b"x" * shift + "€€€€".encode()[:-1]) == shift + 9
