"""Types over all rows, by the very rules that batches will be read by."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.inference.column_types import Table, types_of_parquet, types_of_text
from training_assets.core.inference.notes import Notes
from training_assets.spec import Csv


def inferred(cells: dict[str, list[str]], **dialect: Any) -> tuple[Table, Notes]:
    notes = Notes()
    return types_of_text(pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)), Csv(**dialect), notes), notes


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "-2", "+3", ""], "integer", [1, -2, 3, None]),
        (["0", "1", "0", "1"], "integer", [0, 1, 0, 1]),
        (["1", "2.5", "3e2", ".5"], "number", [1.0, 2.5, 300.0, 0.5]),
        (["1"] * 500 + ["1.5"], "number", [1.0] * 500 + [1.5]),
        (["true", "False", "TRUE", ""], "boolean", [True, False, True, None]),
        (["yes", "no"], "string", ["yes", "no"]),
        (["007", "123"], "string", ["007", "123"]),
        (["9223372036854775808", "1"], "string", ["9223372036854775808", "1"]),
        (["9223372036854775807", "1"], "integer", [2**63 - 1, 1]),
        (["a", "1", "2"], "string", ["a", "1", "2"]),
        (["", ""], "string", [None, None]),
        (["1,234", "5"], "string", ["1,234", "5"]),
        (["0x1F", "1"], "string", ["0x1F", "1"]),
        (["1_000", "1"], "string", ["1_000", "1"]),
        (["\u0661", "\u0662"], "string", ["\u0661", "\u0662"]),
    ],
)
def test_types_of_text(cells: list[str], kind: str, values: list[Any]) -> None:
    table, _ = inferred({"x": cells})
    assert table.columns["x"].type == kind
    assert table.rows["x"].to_list() == values


def test_dates_pin_their_format() -> None:
    table, notes = inferred({"a": ["31.12.2024"], "b": ["2024-01-02 03:04"], "c": ["01/02/2024"]})
    assert [(each.type, each.format) for each in table.columns.values()] == [
        ("date", "%d.%m.%Y"),
        ("datetime", "%Y-%m-%d %H:%M"),
        ("date", "%d/%m/%Y"),
    ]
    assert [question.key for question in notes.questions] == ["columns.c.format"]
    assert "%m/%d/%Y" in notes.questions[0].text


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1", "NA", "2"], ["", "NA"]),
        (["1", " ", "2"], ["", " "]),
        (["1", "?", "N/A"], ["", "?", "N/A"]),
        (["1", "-", "none"], ["", "-", "none"]),
        (["2024-01-01", "unknown"], ["", "unknown"]),
        (["a", "NULL"], ["", "NULL"]),
        (["a", "none"], [""]),
        (["a", "unknown"], [""]),
        (["none", "unknown"], [""]),
        (["1", "soon"], [""]),
    ],
)
def test_words_for_no_value(cells: list[str], words: list[str]) -> None:
    table, notes = inferred({"x": cells})
    assert table.dialect is not None
    assert table.dialect.null_values == sorted(words)
    assert len(notes.assumptions) == len(words) - 1
    assert table.rows["x"].null_count() == sum(cell in words for cell in cells)


def test_a_word_for_no_value_names_the_columns_that_lose_it() -> None:
    table, notes = inferred({"price": ["1", "none"], "garage": ["none", "brick"]})
    assert table.rows["garage"].to_list() == [None, "brick"]
    assert notes.assumptions == ["'none' means 'no value' (in 'price', 'garage')"]


@pytest.mark.parametrize(
    ("cells", "decimal", "kind"),
    [
        ({"x": ["1,5", "2,25", "-200"]}, ",", "number"),
        ({"x": ["1,5", "NA"]}, ",", "number"),
        ({"x": ["1,234", "5,678"]}, ".", "string"),
        ({"x": ["1,5", "2"], "y": ["1.5", "2"]}, ".", "string"),
        ({"x": ["1,5", "2"], "y": ["18.00.00", "19.00.00"]}, ",", "number"),
        ({"x": ["1.5", "2"]}, ".", "number"),
    ],
)
def test_decimal_commas_need_proof(cells: dict[str, list[str]], decimal: str, kind: str) -> None:
    table, _ = inferred(cells, delimiter=";")
    assert table.dialect is not None
    assert table.dialect.decimal == decimal
    assert table.columns["x"].type == kind


def test_a_stray_word_in_a_thousand_numbers_is_asked_about() -> None:
    table, notes = inferred({"x": [str(at) for at in range(1, 1000)] + ["soon"]})
    assert table.columns["x"].type == "number"
    assert [question.key for question in notes.questions] == ["columns.x.type"]
    assert notes.assumptions == ["1 of 1,000 rows break a rule and would go to quarantine ('x: type')"]
    table, notes = inferred({"x": [str(at) for at in range(1, 100)] + ["soon"]})
    assert table.columns["x"].type == "string"


def test_too_many_broken_rows_are_asked_about() -> None:
    table, notes = inferred({"x": ["a\x1b[31m", "b"], "y": ["1", "2"]})
    assert table.rows["x"].to_list() == [None, "b"]
    assert [question.key for question in notes.questions] == ["validation.max_quarantined"]
    assert "1 of 2 rows" in notes.questions[0].text


def test_types_of_parquet() -> None:
    notes = Notes()
    rows = pl.DataFrame(
        {
            "a": pl.Series([1, None], dtype=pl.Int16),
            "b": pl.Series([1.0, 2.0], dtype=pl.Float32),
            "c": pl.Series(["x", "y"], dtype=pl.Categorical),
            "d": ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"],
            "e": pl.Series([None, None]),
            "f": [True, False],
        }
    )
    table = types_of_parquet(rows, "rows.parquet", notes)
    assert {name: column.type for name, column in table.columns.items()} == {
        "a": "integer",
        "b": "number",
        "c": "string",
        "d": "datetime",
        "e": "string",
        "f": "boolean",
    }
    assert table.columns["d"].format == "%Y-%m-%dT%H:%M:%SZ"
    assert table.dialect is None
    assert table.rows.schema["c"] == pl.String()


@pytest.mark.parametrize("dtype", [pl.UInt64, pl.Int128, pl.Decimal(10, 2), pl.List(pl.Int8), pl.Binary, pl.Duration])
def test_other_types_of_parquet_are_refused(dtype: Any) -> None:
    with pytest.raises(InputError, match=r"E_TYPE: rows\.parquet, column 'z'"):
        types_of_parquet(pl.DataFrame(schema={"a": pl.Int8, "z": dtype}), "rows.parquet", Notes())
