"""The format of files is found by their bytes, said in the spec, and read by that spec to the last row."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import polars as pl
import pytest
import yaml

from training_assets.core.errors import InputError
from training_assets.core.inference.draft import Draft, draft, model_name, to_yaml
from training_assets.core.inference.files import source_path
from training_assets.core.inference.tables import format_of
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import ModelSpec

ROWS = pl.DataFrame(
    {
        "x": [round(at * 0.37 % 5, 2) for at in range(60)],
        "c": ["red", "green", "blue"] * 20,
        "day": [dt.date(2024, 1, 1 + at % 28) for at in range(60)],
        "y": [("no", "yes")[at % 3 == 0] for at in range(60)],
    }
)
CSV = ROWS.write_csv().encode()


def zipped(data: bytes, name: str = "rows.csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def workbook(*sheets: str) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheets[0]
    book.active.append(ROWS.columns)
    for row in ROWS.rows():
        book.active.append(row)
    for name in sheets[1:]:
        book.create_sheet(name)
    return written(book.save)


ARFF = (
    "@relation r\n@attribute x real\n@attribute c {red, green, blue}\n@attribute day date 'yyyy-MM-dd'\n"
    "@attribute y {no, yes}\n@data\n" + "".join(",".join(map(str, row)) + "\n" for row in ROWS.rows())
).encode()

FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "tabs": (ROWS.write_csv(separator="\t").encode(), {"format": "csv", "csv": {"delimiter": "\t"}}),
    "gzip": (gzip.compress(CSV), {"format": "csv", "compression": "gzip"}),
    "zip": (zipped(CSV), {"format": "csv", "compression": "zip"}),
    "parquet": (written(ROWS.write_parquet), {"format": "parquet"}),
    "arrow": (written(ROWS.write_ipc), {"format": "arrow"}),
    "stream": (written(ROWS.write_ipc_stream), {"format": "arrow"}),
    "jsonl": (written(ROWS.write_ndjson), {"format": "jsonl"}),
    "packed jsonl": (gzip.compress(written(ROWS.write_ndjson)), {"format": "jsonl", "compression": "gzip"}),
    "arff": (ARFF, {"format": "arff"}),
    "excel": (workbook("rows"), {"format": "excel"}),
    "sheets": (workbook("rows", "notes"), {"format": "excel", "sheet": "rows"}),
}


def read_back(done: Draft, root: Path) -> pl.DataFrame:
    """All rows of the drafted source, read and sorted; none is quarantined."""
    assert ModelSpec.model_validate(yaml.safe_load(to_yaml(done.spec))["attributes"]) == done.spec
    found = [sort_rows(read_batch(identify(stamp), done.spec), done.spec) for stamp in stamps(done.spec.source, root)]
    assert sum(each.counts["quarantined"] for each in found) == 0
    return pl.concat([each.rows for each in found])


@pytest.mark.parametrize("name", FILES)
def test_a_format_is_found_by_its_bytes_and_read_back(tmp_path: Path, name: str) -> None:
    """The file's name says nothing."""
    data, source = FILES[name]
    (tmp_path / "rows.bin").write_bytes(data)
    done = draft(tmp_path / "rows.bin", "y", name=None, root=tmp_path)
    said = done.spec.source.model_dump(exclude_defaults=True)
    assert said == {"path": "rows.bin", **source}
    assert {key: column.type for key, column in done.spec.columns.items()} == {
        "x": "number",
        "c": "string",
        "day": "date",
        "y": "string",
    }
    assert read_back(done, tmp_path).select(ROWS.columns).equals(ROWS)


def test_several_sheets_are_asked_about(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(workbook("rows", "notes"))
    done = draft(tmp_path / "rows.xlsx", "y", name=None, root=tmp_path)
    assert [(each.key, each.proposal) for each in done.questions] == [("source.sheet", "rows")]


def test_values_that_an_arff_header_declares_are_the_columns(tmp_path: Path) -> None:
    text = ARFF.decode().replace("@attribute x real", "@attribute x {0.5,1}").replace("red, green", "gray, red, green")
    body = text[: text.index("@data\n") + 6] + "0.5,red,2024-01-01,no\n1,blue,2024-01-02,yes\n" * 10
    (tmp_path / "rows.arff").write_text(body.replace("{0.5,1}", "{0,1}").replace("0.5,", "0,"))
    columns = draft(tmp_path / "rows.arff", "y", name=None, root=tmp_path).spec.columns
    assert columns["c"].values == ["gray", "red", "green", "blue"]
    assert (columns["x"].type, columns["x"].is_categorical, columns["x"].values) == ("integer", True, None)


@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_a_folder_of_partitions_is_recognised(tmp_path: Path, ending: str) -> None:
    for at, (year, month) in enumerate([("2024", "01"), ("2024", "02"), ("2025", "01")]):
        folder = tmp_path / "sales" / f"year={year}" / f"month={month}"
        folder.mkdir(parents=True)
        part = ROWS[at * 20 : at * 20 + 20]
        data = written(part.write_parquet) if ending == "parquet" else gzip.compress(part.write_csv().encode())
        (folder / f"part.{ending}").write_bytes(data)
    done = draft(tmp_path / "sales", "last", name=None, root=tmp_path)
    assert done.spec.name == "sales"
    assert done.spec.source.path == f"sales/year=*/month=*/*.{ending}"
    assert done.spec.source.partitions == ["year", "month"]
    assert done.spec.target.column == "y"
    assert (done.spec.columns["year"].type, done.spec.columns["month"].type) == ("integer", "string")
    rows = read_back(done, tmp_path)
    assert rows.select(ROWS.columns).equals(ROWS)
    assert rows["year"].to_list() == [2024] * 40 + [2025] * 20
    assert rows["month"].unique().sort().to_list() == ["01", "02"]


def test_words_that_a_format_cannot_declare_are_asked_about(tmp_path: Path) -> None:
    lines = "".join(
        f'{{"x": {"7.5" if at % 2 else chr(34) + "NA" + chr(34)}, "y": "{"ab"[at % 3 == 0]}"}}\n' for at in range(40)
    )
    (tmp_path / "rows.jsonl").write_text(lines)
    done = draft(tmp_path / "rows.jsonl", "y", name=None, root=tmp_path)
    assert done.spec.columns["x"].type == "string"
    assert any("'NA' in 'x' may mean 'no value'" in question.text for question in done.questions)


def test_a_workbook_without_names_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for at in range(20):
        book.active.append([at * 1.5 + 0.5, at * 7 % 5, "ab"[at % 2]])
    (tmp_path / "rows.xlsx").write_bytes(written(book.save))
    with pytest.raises(InputError, match=r"E_SCHEMA: .*put the names of columns above it"):
        draft(tmp_path / "rows.xlsx", "last", name=None, root=tmp_path)


def test_files_of_two_formats_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rows").write_bytes(written(ROWS.write_parquet))
    (tmp_path / "b.rows").write_bytes(written(ROWS.write_ipc))
    with pytest.raises(InputError, match=r"E_MAGIC: b\.rows"):
        draft(Path("*.rows"), "y", name="rows", root=tmp_path)


def test_plain_text_is_taken_for_delimited() -> None:
    assert format_of(b"a,b\n1,2\n") == "csv"
    assert format_of(b"@relation\n") == "arff"
    assert format_of(b'% c\n\n  @RELATION "x"\n') == "arff"
    assert format_of(b'{"a": 1}\n') == "jsonl"


def test_a_folder_of_packed_files_is_named_by_both_endings(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(CSV))
    assert source_path(tmp_path, tmp_path) == "*.csv.gz"
    (tmp_path / "rows.zip").write_bytes(zipped(CSV))
    with pytest.raises(InputError, match=r"E_FORMAT: .*1 x \.csv\.gz"):
        source_path(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/Sales 2026.csv.gz", "sales_2026"),
        ("data/sales/year=*/month=*/*.parquet", "sales"),
        ("data/sales/**/*.csv", "sales"),
        ("data/a.b.csv", "a_b"),
        ("*.csv", "model"),
        ("/*.csv", "model"),
    ],
)
def test_a_model_is_called_after_its_file_or_folder(path: str, name: str) -> None:
    assert model_name(path) == name
