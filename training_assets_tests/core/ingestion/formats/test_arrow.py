"""Arrow IPC files and streams: rows in the types that they are written in, or a refusal."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import ipc

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import compression
from training_assets.core.ingestion.formats.arrow import open_arrow
from training_assets.core.ingestion.reading import read_rows
from training_assets_tests.core.ingestion.made_files import parquet_bytes
from training_assets_tests.core.ingestion.test_reading import spec

ROWS = pl.DataFrame({"label": ["a", "b"], "age": [1, 2], "weight": [1.5, None]})


def file_of(rows: pl.DataFrame, **options: str) -> bytes:
    buffer = io.BytesIO()
    rows.write_ipc(buffer, **options)  # type: ignore[call-overload]
    return buffer.getvalue()


def stream_of(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_ipc_stream(buffer)
    return buffer.getvalue()


def refusal(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        open_arrow(data, "rows.arrow")
    assert "rows.arrow" in str(caught.value)
    return caught.value


@pytest.mark.parametrize("data", [file_of(ROWS), file_of(ROWS, compression="zstd"), stream_of(ROWS)])
def test_files_and_streams_are_read(data: bytes) -> None:
    assert open_arrow(data, "rows.arrow").equals(ROWS)
    read = read_rows(data, spec(source="arrow"), "rows.arrow", {})
    assert read.rows() == [(1, 1.5, "a"), (2, None, "b")]


def test_what_is_no_arrow_is_named() -> None:
    found = refusal(parquet_bytes(ROWS))
    assert found.code == "E_MAGIC"
    assert "Parquet" in found.text
    assert refusal(b"a,b\n1,2\n").code == "E_MAGIC"


@pytest.mark.parametrize("cut", [8, 40, 200, -10])
def test_a_file_that_is_cut_short_is_refused(cut: int) -> None:
    assert refusal(file_of(ROWS)[:cut]).code == "E_CORRUPT"


def test_without_rows_there_is_nothing_to_read() -> None:
    assert refusal(file_of(ROWS.clear())).code == "E_NO_ROWS"


def test_text_that_is_no_utf8_is_found() -> None:
    offsets, values = pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")
    text = pa.StringArray.from_buffers(1, offsets, values)
    sink = io.BytesIO()
    with ipc.new_file(sink, pa.schema([("a", pa.string())])) as writer:
        writer.write_batch(pa.record_batch([text], names=["a"]))
    assert refusal(sink.getvalue()).code == "E_CORRUPT"


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "HARMLESS_BYTES", 1 << 20)
    zeros = pl.DataFrame({"a": pl.Series([0]).new_from_index(0, 1_000_000)})
    assert refusal(file_of(zeros, compression="zstd")).code == "E_RATIO"


def test_types_without_a_logical_type_are_refused_by_name() -> None:
    nested = ROWS.with_columns(weight=pl.lit([1, 2]))
    with pytest.raises(InputError, match=r"E_TYPE: .*column 'weight'"):
        read_rows(file_of(nested), spec(source="arrow"), "rows.arrow", {})
