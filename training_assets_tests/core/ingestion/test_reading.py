"""A file becomes the rows of a batch: identity first, then the spec's columns in the spec's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.reading import read_batch
from training_assets.spec import ModelSpec
from training_assets_tests.core.ingestion.made_files import batch, parquet_bytes

COLUMNS = {"age": {"type": "integer"}, "weight": {"type": "number"}, "label": {"type": "string"}}


def spec(columns: dict[str, Any] | None = None, source: str = "csv", **dialect: Any) -> ModelSpec:
    given: dict[str, Any] = {"path": "rows.*", "format": source}
    if dialect:
        given["csv"] = dialect
    target = {"column": "label", "task": "binary"}
    return ModelSpec.model_validate({"source": given, "columns": columns or COLUMNS, "target": target})


def refusal(folder: Path, data: bytes | str, model: ModelSpec | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read_batch(batch(folder, data), model or spec())
    assert "rows.csv" in str(caught.value)
    assert len(str(caught.value)) < 2000
    return caught.value


def test_rows_of_a_csv_stay_text_and_have_identity(tmp_path: Path) -> None:
    file = batch(tmp_path, "age,weight,label\n30,1.5,a\n,2,b\n")
    rows = read_batch(file, spec())
    assert rows.schema == {
        "_batch": pl.String(),
        "_row": pl.Int64(),
        "age": pl.String(),
        "weight": pl.String(),
        "label": pl.String(),
    }
    assert rows.rows() == [(file.digest, 1, "30", "1.5", "a"), (file.digest, 2, None, "2", "b")]


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    rows = read_batch(batch(tmp_path, "label,age,weight\na,30,1.5\n"), spec())
    assert rows.drop("_batch").rows() == [(1, "30", "1.5", "a")]


def test_a_file_without_a_header_takes_the_names_of_the_spec(tmp_path: Path) -> None:
    rows = read_batch(batch(tmp_path, "30;1,5;a\n31;2;b\n"), spec(header=False, delimiter=";", decimal=","))
    assert rows["weight"].to_list() == ["1,5", "2"]
    assert refusal(tmp_path, "30,1.5\n31,2\n", spec(header=False)).code == "E_SCHEMA"


def test_rows_of_parquet_have_logical_types(tmp_path: Path) -> None:
    given = pl.DataFrame({"label": ["a"], "weight": [1], "age": [30.0]}, schema_overrides={"label": pl.Categorical})
    file = batch(tmp_path, parquet_bytes(given), "rows.parquet")
    rows = read_batch(file, spec(source="parquet"))
    assert rows.schema == {
        "_batch": pl.String(),
        "_row": pl.Int64(),
        "age": pl.Int64(),
        "weight": pl.Float64(),
        "label": pl.String(),
    }
    assert rows.row(0) == (file.digest, 1, 30, 1.0, "a")


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        ("age,label\n30,a\n", "E_SCHEMA", "missing: 'weight'"),
        ("age,weight,label,extra\n30,1,a,x\n", "E_SCHEMA", "not in the spec: 'extra'"),
        ("age,wieght,label\n30,1,a\n", "E_SCHEMA", "did you mean 'wieght'"),
        ("Age,weight,label\n30,1,a\n", "E_SCHEMA", "did you mean 'age'"),
        ("30,1.5,a\n31,2,b\n", "E_SCHEMA", "header to false"),
        ("# exported today\nage,weight,label\n30,1,a\n", "E_SCHEMA", "missing"),
        ("age,weight,label,\n30,1,a,\n", "E_COLUMN_NAME", "trailing to skip"),
        ("age;weight;label\n30;1;a\n", "E_DIALECT", "';'"),
        ("age\tweight\tlabel\n30\t1\ta\n", "E_DIALECT", "'\\t'"),
        ("age,age,label\n30,1,a\n", "E_DUP_COLUMN", "columns 1 and 2"),
        ("age,weight,label\n", "E_NO_ROWS", "no rows"),
        ("age,weight,label\n30,1\n", "E_RAGGED", "line 2"),
        (b"age,weight,label\n30,1,\xff\n", "E_ENCODING", "line 2"),
        (b"PAR1....PAR1", "E_MAGIC", "Parquet"),
        ("<html><body>404</body></html>", "E_MAGIC", "HTML"),
        ('age,weight,label\n30,"1,5",a\n31,"2,5",b\n', "E_DIALECT", "decimal mark is ','"),
    ],
)
def test_another_structure_is_refused(tmp_path: Path, data: bytes | str, code: str, said: str) -> None:
    error = refusal(tmp_path, data)
    assert error.code == code
    assert said in str(error)


def test_a_thousands_mark_now_and_then_is_no_other_decimal_mark(tmp_path: Path) -> None:
    rows = read_batch(batch(tmp_path, 'age,weight,label\n30,"1,500",a\n31,2,b\n32,3,b\n'), spec())
    assert rows["weight"].to_list() == ["1,500", "2", "3"]


def test_many_other_columns_make_a_short_message(tmp_path: Path) -> None:
    names = [f"column {at} " + "x" * 100 for at in range(500)]
    error = refusal(tmp_path, ",".join(names) + "\n" + ",".join("1" * 500) + "\n")
    assert error.code == "E_SCHEMA"
    assert "and 488 more" in str(error)


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        (pl.DataFrame({"age": [1], "label": ["a"]}), "E_SCHEMA", "missing: 'weight'"),
        (pl.DataFrame({"age": [1], "weight": [1.0], "label": ["a"], "z": [1]}), "E_SCHEMA", "not in the spec: 'z'"),
        (pl.DataFrame({"age": ["1"], "weight": [1.0], "label": ["a"]}), "E_TYPE", "column 'age'"),
        (pl.DataFrame({"age": [1, 2**60], "weight": [1, 2**60], "label": ["a", "b"]}), "E_TYPE", "row 2"),
        (pl.DataFrame({"age": [1], "weight": [[1.0]], "label": ["a"]}), "E_TYPE", "List"),
        (pl.DataFrame({"age": [1], "weight": [1.0], "label": ["a"], "__index_level_0__": [0]}), "E_NAME", "'_'"),
    ],
)
def test_other_parquet_is_refused(tmp_path: Path, rows: pl.DataFrame, code: str, said: str) -> None:
    error = refusal(tmp_path, parquet_bytes(rows), spec(source="parquet"))
    assert error.code == code
    assert said in str(error)


def test_the_index_that_pandas_describes_in_the_metadata_is_not_restored(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"age": [1, 2], "weight": [1.0, None], "label": ["a", "b"]}, index=pd.RangeIndex(5, 7))
    frame.to_parquet(tmp_path / "made.parquet")
    rows = read_batch(batch(tmp_path, (tmp_path / "made.parquet").read_bytes()), spec(source="parquet"))
    assert rows.drop("_batch").rows() == [(1, 1, 1.0, "a"), (2, 2, None, "b")]


def test_names_are_compared_in_composed_form(tmp_path: Path) -> None:
    columns = {"gr\u00f6\u00dfe": {"type": "number"}, "label": {"type": "string"}}
    rows = read_batch(batch(tmp_path, "gro\u0308\u00dfe,label\n1,a\n"), spec(columns))
    assert rows["gr\u00f6\u00dfe"].to_list() == ["1"]


def test_a_file_that_changed_since_it_was_identified_is_not_read(tmp_path: Path) -> None:
    file = batch(tmp_path, "age,weight,label\n30,1.5,a\n")
    file.path.write_text("age,weight,label\n99,1.5,a\n")
    with pytest.raises(InputError, match="E_UNSTABLE"):
        read_batch(file, spec())
