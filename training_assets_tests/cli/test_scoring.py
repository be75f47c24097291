"""Files of rows to score: text as strict as in training and in the spec's dialect, and what `score` prints."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from training_assets.cli import scoring
from training_assets.cli.main import main
from training_assets.cli.scoring import beside, raw_rows
from training_assets.core.errors import InputError
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec

COLUMNS = {"id": "string", "x": "number", "town": "string"}
TEXT = "town,id,more,x\nKöln,a,1,2.5\nGraz,b,,3\n"
ROWS = {"town": ["Köln", "Graz"], "id": ["a", "b"], "more": ["1", None], "x": ["2.5", "3"]}


def spec_with(**source: Any) -> ModelSpec:
    return ModelSpec.model_validate(
        {**small_spec(COLUMNS).model_dump(mode="json"), "source": {"path": "rows", "format": "csv", **source}}
    )


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (TEXT.encode(), {}),
        (TEXT.encode(), {"format": "parquet"}),
        (gzip.compress(TEXT.encode(), mtime=0), {}),
        (TEXT.replace(",", ";").encode("latin-1"), {"csv": {"delimiter": ";", "encoding": "latin-1"}}),
        (TEXT.encode("utf-16"), {"csv": {"encoding": "utf-16"}}),
        (TEXT.replace(",", " , ").encode(), {"csv": {"padding": "strip"}}),
        (TEXT.replace("\n", "\n\n").encode(), {"csv": {"blank_lines": "skip"}}),
        ("\n".join(json.dumps(row) for row in pl.DataFrame(ROWS).rows(named=True)).encode(), {"format": "jsonl"}),
    ],
    ids=["csv", "parquet", "gzip", "latin-1", "utf-16", "padded", "blank lines", "jsonl"],
)
def test_files_are_read_as_the_source_says(tmp_path: Path, data: bytes, source: dict[str, Any]) -> None:
    (tmp_path / "new.txt").write_bytes(data)
    assert raw_rows(tmp_path / "new.txt", spec_with(**source)).to_dict(as_series=False) == ROWS


def test_parquet_is_read_as_it_is(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [2.5], "__index_level_0__": [7]})
    rows.write_parquet(tmp_path / "new.parquet")
    assert raw_rows(tmp_path / "new.parquet", spec_with()).equals(rows)
    assert raw_rows(tmp_path / "new.parquet", spec_with(format="jsonl")).equals(rows)


def test_a_files_name_is_no_pattern(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [2.5]})
    rows.write_parquet(tmp_path / "new[1].parquet")
    pl.DataFrame({"x": [7.0, 8.0]}).write_parquet(tmp_path / "new1.parquet")
    assert raw_rows(tmp_path / "new[1].parquet", spec_with()).equals(rows)


def test_rows_without_a_header_are_the_specs_columns(tmp_path: Path) -> None:
    spec = spec_with(csv={"header": False})
    (tmp_path / "new.csv").write_text("a,2.5,Graz,\n")
    assert raw_rows(tmp_path / "new.csv", spec).to_dicts() == [{"id": "a", "x": "2.5", "town": "Graz", "y": None}]
    (tmp_path / "new.csv").write_text("a,2.5,Graz\n")
    with pytest.raises(InputError, match=r"E_SCHEMA: new\.csv has 3 columns, the spec 4; without a header"):
        raw_rows(tmp_path / "new.csv", spec)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"id,x\na,1\n\nb,2\n", r"E_BLANK_LINE: new\.csv, line 3"),
        (b"id,x\na,1\nb\n", r"E_RAGGED: new\.csv, line 3: 1 fields instead of 2"),
        (b"id,x\na,\xe9\n", r"E_ENCODING: new\.csv, line 2"),
        (b"id,id\na,1\n", r"E_DUP_COLUMN: new\.csv"),
        (b'{"id": "a"}\n', r"E_FORMAT: new\.csv is jsonl; rows to score are read as csv, parquet"),
        (b"%PDF-1.7 and so on", r"E_MAGIC: new\.csv is no delimited text but a PDF"),
    ],
)
def test_text_that_training_refuses_is_not_scored(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "new.csv").write_bytes(data)
    with pytest.raises(InputError, match=message):
        raw_rows(tmp_path / "new.csv", spec_with())


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_MISSING: there is no file"):
        raw_rows(tmp_path / "new.csv", spec_with())


def test_json_holds_the_predictions_unless_a_file_does(monkeypatch: pytest.MonkeyPatch) -> None:
    predicted = pl.DataFrame({"id": [date(2024, 1, 1)], "prediction": ["yes"], "probability_yes": [float("nan")]})
    told = {"model": "m", "version": "1", "rows": 1, "unread_cells": {}}
    monkeypatch.setattr(scoring, "score", lambda *_: (told, predicted))
    printed = CliRunner().invoke(main, ["score", "m", "new.csv", "--json"])
    lines = [{"id": "2024-01-01", "prediction": "yes", "probability_yes": None}]
    assert json.loads(printed.stdout) == {**told, "predictions": lines}
    written = CliRunner().invoke(main, ["score", "m", "new.csv", "--json", "--out", "scores.csv"])
    assert json.loads(written.stdout) == told


def test_a_key_that_is_called_as_a_prediction_stays_beside_it() -> None:
    keys = pl.DataFrame({"id": [1, 2], "prediction": ["a", "b"]})
    predicted = pl.DataFrame({"prediction": ["no", "yes"], "probability_no": [0.9, 0.2]})
    found = beside(keys, predicted)
    assert found.columns == ["id", "key_prediction", "prediction", "probability_no"]
    assert found.rows() == [(1, "a", "no", 0.9), (2, "b", "yes", 0.2)]
    assert beside(keys.select("id"), predicted).columns == ["id", "prediction", "probability_no"]
