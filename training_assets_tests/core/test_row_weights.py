"""`role: weight`: from a column of the raw rows to how much a row counts in a loss, and to nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.encoding import Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families import Data
from training_assets.core.features.table import FeatureTable, feature_table
from training_assets.core.splitting import deal
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import Encoding, ModelSpec
from training_assets_tests.core.small_spec import raw_rows, small_spec

ROWS = 60
CELLS = {
    "id": [f"i{at}" for at in range(ROWS)],
    "x": [str(at) for at in range(ROWS)],
    "w": [str(1 + at % 3) for at in range(ROWS)],
    "y": ["no" if at % 2 else "yes" for at in range(ROWS)],
}


def spec_with(kind: str = "number", **sections: Any) -> ModelSpec:
    columns = {"id": {"type": "string", "role": "key"}, "x": "number", "w": {"type": kind, "role": "weight"}}
    return small_spec(columns, **sections)


def table_of(spec: ModelSpec) -> FeatureTable:
    kept = sort_rows(raw_rows(CELLS), spec)
    assert kept.counts["kept"] == ROWS
    return feature_table(kept.rows, spec, Path())


@pytest.mark.parametrize(
    ("cell", "rule"), [(None, "null"), ("0", "range"), ("-1", "range"), ("inf", "nonfinite"), ("nan", "nonfinite")]
)
def test_a_row_without_a_sound_weight_is_quarantined(cell: str | None, rule: str) -> None:
    cells = {**CELLS, "w": [cell, *CELLS["w"][1:]]}
    kept = sort_rows(raw_rows(cells), spec_with())
    assert kept.counts["kept"] == ROWS - 1
    assert kept.quarantined["_row"].to_list() == [1]
    assert rule in str(kept.quarantined.to_dicts()[0])


def test_a_weight_may_be_as_small_as_it_is_positive() -> None:
    cells = {**CELLS, "w": ["1e-300", *CELLS["w"][1:]]}
    assert sort_rows(raw_rows(cells), spec_with()).counts["kept"] == ROWS


@pytest.mark.parametrize("kind", ["number", "integer"])
def test_weights_come_with_the_features_and_are_none(kind: str) -> None:
    table = table_of(spec_with(kind))
    assert table.rows["_weight"].to_list() == [float(cell) for cell in CELLS["w"]]
    assert table.rows["_weight"].dtype == pl.Float64
    assert "w" not in table.rows.columns
    assert list(table.kinds) == ["x"]


def test_no_feature_is_made_of_a_weight() -> None:
    with pytest.raises(InputError, match=r"E_LEAKING: .*it says how much the row counts"):
        table_of(spec_with(features={"derived": {"double": "w * 2"}}))


@pytest.mark.parametrize("class_weights", [None, (1.0, 4.0)])
def test_weights_follow_their_rows_to_the_loss(class_weights: tuple[float, ...] | None) -> None:
    spec = spec_with()
    table = table_of(spec)
    dealt = deal(table.rows, spec.split, "binary", column=None, group=None, time=None, batch_order=["b1"])
    train, test = (table.rows.filter(dealt == name) for name in ("train", "test"))
    fitted = Preprocessor.fit(train, table.kinds, Encoding(), "binary", table.classes, 0)
    for rows, encoded in ((train, fitted.encode_training(train)), (test, fitted.encode(test))):
        data = Data.of(encoded, fitted.layout, class_weights=class_weights)
        assert "_weight" not in fitted.layout.columns
        expected = rows["_weight"].to_numpy() * np.array(class_weights or (1.0, 1.0))[data.labels]
        assert data.weights is not None
        np.testing.assert_allclose(data.weights, expected / expected.mean())


def test_without_a_weight_all_rows_count_alike() -> None:
    spec = small_spec({"id": {"type": "string", "role": "key"}, "x": "number"})
    kept = sort_rows(raw_rows({name: CELLS[name] for name in ("id", "x", "y")}), spec)
    assert "_weight" not in feature_table(kept.rows, spec, Path()).rows.columns
