"""Columns in the names of folders: read strictly, and part of what a batch is."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.discovery import BatchFile, identify, stamps
from training_assets.core.ingestion.formats.partitions import names_in, partition_of
from training_assets.core.ingestion.reading import read_batch
from training_assets.spec import ModelSpec
from training_assets_tests.core.ingestion.made_files import parquet_bytes, result_or_refusal

ROWS = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
TYPES = {"year": "integer", "month": "string", "x": "integer", "y": "string"}


def spec(written: str = "parquet", types: dict[str, str] | None = None, **source: Any) -> ModelSpec:
    given = {"path": f"year=*/month=*/*.{written}", "format": written, "partitions": ["year", "month"], **source}
    columns = {name: {"type": kind} for name, kind in (types or TYPES).items()}
    return ModelSpec.model_validate({"source": given, "columns": columns, "target": {"column": "y", "task": "binary"}})


def batches(root: Path, model: ModelSpec) -> list[BatchFile]:
    return [identify(stamp) for stamp in stamps(model.source, root)]


def put(path: Path, data: bytes | None = None) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(data if data is not None else parquet_bytes(ROWS))


def refusal(path: str, *names: str) -> InputError:
    with pytest.raises(InputError) as caught:
        partition_of(PurePath(path), names)
    assert "rows.csv" in caught.value.text
    assert caught.value.text.isprintable()
    return caught.value


def test_values_are_in_the_rows_and_in_the_digest(tmp_path: Path) -> None:
    put(tmp_path / "year=2025" / "month=12" / "rows.parquet")
    put(tmp_path / "year=2026" / "month=__HIVE_DEFAULT_PARTITION__" / "rows.parquet")
    first, second = batches(tmp_path, spec())
    assert first.digest != second.digest
    assert read_batch(first, spec()).rows() == [
        (first.digest, 1, 2025, "12", 1, "a"),
        (first.digest, 2, 2025, "12", 2, "b"),
    ]
    assert read_batch(second, spec()).select("year", "month").rows() == [(2026, None)] * 2


def test_the_same_file_in_the_same_folders_is_the_same_batch(tmp_path: Path) -> None:
    put(tmp_path / "here" / "year=2025" / "month=12" / "rows.parquet")
    put(tmp_path / "there" / "year=2025" / "month=12" / "renamed.parquet")
    here, there = batches(tmp_path, spec(path="*/year=*/month=*/*.parquet"))
    assert here.digest == there.digest


def test_cells_of_text_files_stay_text(tmp_path: Path) -> None:
    put(tmp_path / "year=2025" / "month=01" / "rows.csv", b"y,x\na,1\n")
    (file,) = batches(tmp_path, spec("csv"))
    assert read_batch(file, spec("csv")).drop("_batch").rows() == [(1, "2025", "01", "1", "a")]


def test_a_value_of_another_type_is_refused_with_its_folder(tmp_path: Path) -> None:
    put(tmp_path / "year=then" / "month=01" / "rows.parquet")
    (file,) = batches(tmp_path, spec())
    with pytest.raises(InputError, match=r"E_TYPE: .*'year=then', which is no integer"):
        read_batch(file, spec())


def test_a_column_is_in_the_file_or_in_a_folder_not_in_both(tmp_path: Path) -> None:
    put(tmp_path / "year=2025" / "month=01" / "rows.parquet", parquet_bytes(ROWS.with_columns(year=pl.lit(2025))))
    (file,) = batches(tmp_path, spec())
    with pytest.raises(InputError, match=r"E_SCHEMA: .*'year'"):
        read_batch(file, spec())
    put(tmp_path / "csv" / "year=2025" / "month=01" / "rows.csv", b"y,x,year\na,1,2025\n")
    model = spec("csv", path="csv/year=*/month=*/*.csv")
    with pytest.raises(InputError, match=r"E_SCHEMA: .*'year'"):
        read_batch(batches(tmp_path, model)[0], model)


def test_values_are_decoded_as_hive_encodes_them() -> None:
    path = PurePath("data/city=S%C3%A3o%20Paulo/share=50%25/rows.csv")
    assert partition_of(path, ["city", "share"]) == (("city", "São Paulo"), ("share", "50%"))
    assert names_in(path) == ["city", "share"]
    assert names_in(PurePath("data/rows.csv")) == []


@pytest.mark.parametrize(
    "path",
    [
        "data/rows.csv",
        "data/year=2025/rows.csv",
        "data/month=01/year=2025/rows.csv",
        "data/year=2025/month=01/day=3/rows.csv",
        "data/country=de/year=2025/month=01/rows.csv",
        "rows.csv",
        "year=2025/x/month=01/rows.csv",
    ],
)
def test_other_folders_than_the_declared_are_refused(path: str) -> None:
    assert refusal(path, "year", "month").code == "E_SCHEMA"


@pytest.mark.parametrize(
    "value", ["%", "%4", "%zz", "%FF", "%  ", "", "%2E%2E", "..%2Fetc", "a%0Ab", "%1B[31m", "x" * 201, "%00"]
)
def test_values_that_are_unsafe_or_badly_encoded_are_refused(value: str) -> None:
    assert refusal(f"data/year={value}/rows.csv", "year").code == "E_NAME"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_whatever_a_folder_is_called_the_value_is_exact_or_refused(value: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in value.encode())
    read = result_or_refusal(lambda: partition_of(PurePath(f"data/year={encoded}/rows.csv"), ["year"]))
    if isinstance(read, InputError):
        assert read.code == "E_NAME"
        assert not value.isprintable() or ".." in value
    else:
        assert read == (("year", value),)
