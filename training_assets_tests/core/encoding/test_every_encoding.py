"""What holds for the whole preprocessor, with every encoding in use at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from training_assets.core.encoding import Preprocessor
from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.fingerprint import canonical
from training_assets.core.leakage.poison import preprocessor_saw_training_rows_alone
from training_assets.core.leakage.shuffled import shuffled_labels_fall_to_chance
from training_assets_tests.core.encoding.mixed_rows import ENCODING, KINDS, fitted, mixed


def test_each_feature_becomes_what_was_asked_for() -> None:
    layout = fitted().layout
    trees, linear = ({layout.owner(name) for name in names} for names in (layout.features, layout.scaled))
    assert trees == set(KINDS)
    assert linear == set(KINDS) - {"colour", "shop", "street"}
    assert set(layout.codes) == {"colour", "shop", "street", "note"}
    assert set(layout.one_hot) == {"colour", "street"}
    assert set(layout.targets) == {"shop", "note"}
    names = [name for name in layout.quantities if "__" in name]
    assert names == [
        "size__rank",
        "agent__count",
        *(f"note__text_{index}" for index in range(5)),
        *("tags__item_0", "tags__item_1", "tags__item_2", "tags__other_items"),
        *(f"opened__{part}" for part in ("year", "month", "day", "weekday", "day_of_year", "hour", "elapsed")),
        *(f"moved__{part}" for part in ("weekday", "hour", "elapsed")),
    ]


def test_the_linear_family_alone_reads_where_a_quantity_is_missing() -> None:
    layout = fitted().layout
    missing = [name for name in layout.linear_only if name.endswith("__missing")]
    assert missing == [f"{name}__missing" for name in KINDS if name not in {"colour", "shop", "street"}]
    frame = fitted().encode(mixed())
    for name in missing:
        feature = layout.owner(name)
        assert frame[f"{name}__scaled"].to_list() == expected_missing(feature), name


def expected_missing(feature: str) -> list[float]:
    values = mixed()[feature]
    unknown = values == "odd" if feature == "size" else values.is_null()  # a level beyond the order is missing
    return (values.is_null() | unknown.fill_null(value=False)).cast(pl.Float64).to_list()


def test_without_missing_values_or_without_being_asked_for_there_is_no_indicator() -> None:
    rows = mixed().with_columns(pl.col("amount").fill_null(0.0))
    assert "amount__missing" not in fitted(rows).layout.linear_only
    quiet = ENCODING.model_copy(update={"indicator": False})
    without = Preprocessor.fit(mixed(), KINDS, quiet, "binary", ["no", "yes"], 0)
    assert not [name for name in without.layout.linear_only if name.endswith("__missing")]


def test_scaled_columns_are_full_and_finite_and_raw_ones_null_where_the_feature_is() -> None:
    frame = fitted().encode_training(mixed())
    layout = fitted().layout
    scaled = frame.select(f"{name}__scaled" for name in layout.scaled)
    assert set(scaled.dtypes) == {pl.Float32}
    assert np.isfinite(scaled.to_numpy()).all()
    for name in layout.quantities:
        feature = mixed()[layout.owner(name)]
        assert frame.filter(feature.is_null())[name].null_count() == feature.null_count(), name


def test_neither_the_order_of_rows_nor_of_columns_matters() -> None:
    shuffled = mixed().sample(fraction=1, shuffle=True, seed=1).select(sorted(mixed().columns))
    again = fitted(shuffled)
    assert again.digest == fitted().digest
    assert_frame_equal(again.encode_training(shuffled).sort("_row"), fitted().encode_training(mixed()).sort("_row"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", 1e9),
        ("skewed", 0.001),
        ("colour", "mauve"),
        ("shop", "shop 1"),
        ("street", "lane"),
        ("agent", "nobody"),
        ("note", "something else altogether"),
        ("tags", "river|river bank"),
        ("opened", datetime.fromisoformat("2019-05-01")),
        ("moved", date(2031, 5, 1)),
    ],
)
def test_one_training_cell_changes_the_digest(name: str, value: Any) -> None:
    values = mixed()[name].to_list()
    values[values.index(mixed()[name].drop_nulls()[3])] = value
    values[-1] = value
    changed = mixed().with_columns(pl.Series(name, values, dtype=mixed().schema[name]))
    assert fitted(changed).digest != fitted().digest


def test_json_brings_it_back_whole() -> None:
    read = Preprocessor.from_json(json.loads(canonical(fitted().to_json())))
    assert read == fitted()
    assert read.digest == fitted().digest
    assert read.layout == fitted().layout
    assert list(read.layout.columns) == list(fitted().layout.columns)
    assert_frame_equal(read.encode(mixed(seed=1)), fitted().encode(mixed(seed=1)))
    assert_frame_equal(read.encode_training(mixed()), fitted().encode_training(mixed()))


SCRIPT = """
import json, sys
import polars as pl
from pathlib import Path
from training_assets.core.encoding import Preprocessor
from training_assets_tests.core.encoding.mixed_rows import fitted
folder = Path(sys.argv[1])
read = Preprocessor.from_json(json.loads((folder / "preprocessor.json").read_text()))
read.encode(pl.read_parquet(folder / "rows.parquet")).write_parquet(folder / "encoded.parquet")
(folder / "digests").write_text(read.digest + " " + fitted().digest)
"""


def test_another_process_encodes_bit_by_bit_the_same_and_learns_the_same_on_one_thread(tmp_path: Path) -> None:
    (tmp_path / "preprocessor.json").write_bytes(canonical(fitted().to_json()))
    mixed(seed=1).write_parquet(tmp_path / "rows.parquet")
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    subprocess.run(command, env={**os.environ, **one}, check=True, capture_output=True)
    assert (tmp_path / "digests").read_text().split() == [fitted().digest] * 2
    read, own = pl.read_parquet(tmp_path / "encoded.parquet"), fitted().encode(mixed(seed=1))
    assert read.schema == own.schema
    for name in own.columns:
        assert read[name].to_arrow() == own[name].to_arrow(), name


ODD: Mapping[str, st.SearchStrategy[Any]] = {
    "numeric": st.none() | st.floats(),
    "categorical": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "date": st.none() | st.datetimes(),
}
SOUND: Mapping[str, list[Any]] = {name: mixed()[name].drop_nulls().unique().sort().to_list() for name in KINDS}
CELLS = {name: st.sampled_from(SOUND[name]) | ODD[kind] for name, kind in KINDS.items()}
CELLS["moved"] = st.none() | st.dates()
ROWS = st.lists(st.fixed_dictionaries(CELLS), max_size=5)
TYPES: Mapping[str, Any] = {"numeric": pl.Float64(), "categorical": pl.String(), "date": pl.Datetime("us")}
SCHEMA = {name: TYPES[kind] for name, kind in KINDS.items()} | {"moved": pl.Date()}
FITTED = fitted()


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame({name: pl.Series([row[name] for row in rows], dtype=SCHEMA[name]) for name in KINDS})


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_any_rows_are_encoded_each_as_if_it_came_alone(rows: list[dict[str, Any]]) -> None:
    together = FITTED.encode(frame_of(rows))
    assert set(together.columns) == set(FITTED.layout.columns)
    derived = [name for name in together.columns if name.endswith(("__scaled", "__target"))]
    assert np.isfinite(together.select(derived).to_numpy()).all()
    alone = [FITTED.encode(frame_of([row])) for row in rows]
    assert_frame_equal(pl.concat([together[:0], *alone]), together, check_exact=True)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(range(mixed().height)), min_size=1, max_size=12, unique=True), ROWS)
def test_any_training_rows_will_do(positions: list[int], others: list[dict[str, Any]]) -> None:
    train = mixed()[positions]
    learnt = fitted(train)
    assert learnt.encode_training(train).columns == learnt.encode(train).columns
    frame = Preprocessor.from_json(json.loads(canonical(learnt.to_json()))).encode(frame_of(others))
    derived = [name for name in frame.columns if name.endswith(("__scaled", "__target"))]
    assert np.isfinite(frame.select(derived).to_numpy()).all()


def test_dates_may_come_as_a_pandas_frame_has_them_or_as_text() -> None:
    rows = mixed(seed=1).select(*KINDS)
    expected = FITTED.encode(rows)
    assert_frame_equal(FITTED.encode(pl.from_pandas(rows.to_pandas())), expected)
    texts = rows.with_columns(pl.col("opened").dt.strftime("%Y-%m-%dT%H:%M:%S"), pl.col("moved").cast(pl.String))
    assert_frame_equal(FITTED.encode(texts), expected)


def fit(splits: Mapping[str, pl.DataFrame]) -> Preprocessor:
    return fit_preprocessor(splits, KINDS, ENCODING, "binary", ["no", "yes"], 0)


def test_poisoned_validation_and_test_rows_change_nothing() -> None:
    assert preprocessor_saw_training_rows_alone(FITTED.digest, mixed(), list(KINDS), fit).passed

    def cheating(splits: Mapping[str, pl.DataFrame]) -> Preprocessor:
        return fit({"train": pl.concat(splits.values())})

    assert not preprocessor_saw_training_rows_alone(FITTED.digest, mixed(), list(KINDS), cheating).passed


def test_shuffled_labels_fall_to_chance() -> None:
    splits = {"train": mixed(), "validation": mixed(seed=1)}
    assert shuffled_labels_fall_to_chance(splits, fit, 0).passed


@pytest.mark.parametrize("name", list(KINDS))
def test_the_summary_says_how_each_feature_is_encoded(name: str) -> None:
    said = {row["feature"]: row for row in FITTED.summary()}[name]
    method = ENCODING.columns[name].method if name in ENCODING.columns else KINDS[name]
    wanted = {
        "numeric": "scaled",
        "quantity": "scaled",
        "one_hot": "one-hot",
        "native": "one-hot",
        "embedded": "embedded and target",
    }
    assert said["encoded"] == wanted.get(method, method)
    assert said["columns"] >= 1
