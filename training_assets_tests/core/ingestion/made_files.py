"""Files, made by hand, for the tests of ingestion."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.decoding import decoded
from training_assets.core.ingestion.delimited.text import CsvText
from training_assets.core.ingestion.discovery import BatchFile, identify, stamps
from training_assets.spec import Csv, Source

T = TypeVar("T")


def batch(folder: Path, data: bytes | str, name: str = "rows.csv") -> BatchFile:
    """A file in a folder, identified."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return identify(stamps(Source(path=str(path), format="csv"), folder)[0])


def result_or_refusal(read: Callable[[], T]) -> T | InputError:
    """What a function returns, or the refusal that it raises; any other exception is a failure."""
    try:
        return read()
    except InputError as error:
        return error


def parquet_bytes(rows: pl.DataFrame) -> bytes:
    """The rows as a Parquet file."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()


def table(data: bytes | str, **dialect: Any) -> pl.DataFrame:
    """Rows of a text under the names of its header, or column_1 and so on."""
    spelt = Csv(**dialect)
    raw = data.encode() if isinstance(data, str) else data
    text = CsvText(decoded(raw, spelt.encoding, "rows.csv"), spelt, "rows.csv")
    first = text.first()
    return text.rows(first if spelt.header else [f"column_{at}" for at in range(1, len(first) + 1)])


def refusal(data: bytes | str, **dialect: Any) -> InputError:
    """The refusal of a text; it names the file and stays short and printable."""
    with pytest.raises(InputError) as caught:
        table(data, **dialect)
    message = str(caught.value)
    assert "rows.csv" in message
    assert message.isprintable()
    assert len(message) < 2000
    return caught.value
