"""Rows to score: every column that a feature is made from must be there, and no other one is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.features.logical import Kind
from training_assets.core.features.raw_rows import features_of
from training_assets_tests.core.small_spec import small_spec

COLUMNS: dict[str, Any] = {
    "id": {"type": "string", "role": "key"},
    "when": {"type": "datetime", "role": "time"},
    "town": {"type": "string", "role": "ignored"},
    "start": {"type": "integer", "role": "ignored"},
    "n": "integer",
    "unused": "integer",
}
JOIN = {
    "table": "t.csv",
    "keys": ["town"],
    "as_of": {"time": "when", "table_time": "known", "tolerance": "3d"},
    "columns": ["temp"],
}
SPEC = small_spec(COLUMNS, features={"joins": [JOIN], "derived": {"twice": "start * 2"}})
KINDS: dict[str, Kind] = {"n": "numeric", "temp": "numeric", "twice": "numeric"}
ROWS = pl.DataFrame({"when": ["2024-01-01 10:00:00"], "town": ["A"], "start": ["4"], "n": ["1"]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("town,known,temp\nA,2024-01-01T00:00:00,5.5\n")
    return tmp_path


def test_columns_that_no_feature_is_made_from_may_be_missing(root: Path) -> None:
    read = features_of(ROWS, SPEC, root, KINDS)
    assert read.features.rows() == [(1, 5.5, 8)]
    assert read.unread == {}


@pytest.mark.parametrize("name", ROWS.columns)
def test_columns_that_features_are_made_from_may_not(root: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"E_SCHEMA: the rows lack {name}, which the model reads"):
        features_of(ROWS.drop(name), SPEC, root, KINDS)


def test_unread_cells_are_told_wherever_a_feature_is_made_from_them(root: Path) -> None:
    broken = ROWS.with_columns(when=pl.lit("01/02/2024"), start=pl.lit("four"), unused=pl.lit("x"))
    read = features_of(broken, SPEC, root, KINDS)
    assert read.features.rows() == [(1, None, None)]
    assert read.unread == {"when": 1, "start": 1}


def test_a_column_that_the_model_never_uses_may_have_any_type(root: Path) -> None:
    others = ROWS.with_columns(y=pl.lit(value=True), id=pl.lit(1.5), unused=pl.lit("2024-01-01").str.to_date())
    assert features_of(others, SPEC, root, KINDS).features.rows() == [(1, 5.5, 8)]
