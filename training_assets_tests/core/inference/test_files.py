"""What a user means by a file, a folder or a pattern."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.inference import files
from training_assets.core.inference.files import source_path, table_of
from training_assets.core.inference.notes import Notes


def put(path: Path, text: str = "a,y\n1,x\n2,z\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_paths_inside_the_root_are_relative_and_others_absolute(tmp_path: Path) -> None:
    root = tmp_path / "root"
    inside, outside = put(root / "data" / "a.csv"), put(tmp_path / "b.csv")
    assert source_path(inside, root) == "data/a.csv"
    assert source_path(Path("data/a.csv"), root) == "data/a.csv"
    assert source_path(outside, root) == outside.as_posix()
    assert source_path(root / "data", root) == "data/*.csv"
    assert source_path(Path("data/*.csv"), root) == "data/*.csv"


def test_the_working_folder_comes_before_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    put(root / "sub" / "a.csv")
    monkeypatch.chdir(root / "sub")
    assert source_path(Path("a.csv"), root) == "sub/a.csv"
    assert source_path(Path("*.csv"), root) == "sub/*.csv"


def test_a_folder_must_hold_files_of_one_kind(tmp_path: Path) -> None:
    put(tmp_path / "data" / "notes.md")
    with pytest.raises(InputError, match="E_MISSING"):
        source_path(tmp_path / "data", tmp_path)
    put(tmp_path / "data" / "a.csv")
    put(tmp_path / "data" / "b.csv")
    put(tmp_path / "data" / "c.parquet")
    with pytest.raises(InputError, match=r"E_FORMAT: data holds files of several kinds \(2 x .csv, 1 x .parquet\)"):
        source_path(tmp_path / "data", tmp_path)


def test_all_files_give_one_table(tmp_path: Path) -> None:
    put(tmp_path / "1.csv")
    put(tmp_path / "2.csv", "y,a\nw,0.5\n\nv,NA\n")
    source, table = table_of("*.csv", tmp_path, Notes())
    assert source.csv is not None
    assert source.csv.model_dump(exclude_defaults=True) == {"null_values": ["", "NA"], "blank_lines": "skip"}
    assert table.columns["a"].type == "number"
    assert table.rows.rows() == [(1.0, "x"), (2.0, "z"), (0.5, "w"), (None, "v")]


def test_parquet_files_may_differ_in_the_width_of_numbers(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 2], "y": ["x", "z"]}, schema_overrides={"a": pl.Int8}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"y": ["x"], "a": [1.5]}).write_parquet(tmp_path / "2.parquet")
    source, table = table_of("*.parquet", tmp_path, Notes())
    assert (source.format, source.csv) == ("parquet", None)
    assert table.rows["a"].to_list() == [1.0, 2.0, 1.5]
    pl.DataFrame({"y": ["x"], "a": [[1]]}).write_parquet(tmp_path / "3.parquet")
    with pytest.raises(InputError, match="E_SCHEMA"):
        table_of("*.parquet", tmp_path, Notes())


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "1.csv")
    put(tmp_path / "2.csv", "a,b,y\n1,2,x\n3,4,z\n")
    with pytest.raises(InputError, match=r"E_SCHEMA: 2\.csv"):
        table_of("*.csv", tmp_path, Notes())


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_MISSING: no file matches"):
        table_of("*.csv", tmp_path, Notes())


def test_many_bytes_are_read_up_to_a_limit_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(4):
        put(tmp_path / f"{at}.csv")
    monkeypatch.setattr(files, "MOST_BYTES", 30)
    notes = Notes()
    _, table = table_of("*.csv", tmp_path, notes)
    assert table.rows.height == 4
    assert notes.assumptions == ["types are those of the first 2 of 4 files (0 GiB)"]
