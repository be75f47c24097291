from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.fingerprint import canonical
from training_assets.spec import Encoding
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import KINDS, TASKS, made, strange

ROW_COLUMNS = ["_batch", "_row", "_key", "_target"]
EVERY_ENCODING = [
    Encoding(scale=scale, impute=impute, categorical=categorical)
    for scale, impute, categorical in itertools.product(
        ("standard", "min_max", "robust", "none"), ("median", "mean", "zero"), ("auto", "one_hot", "target")
    )
]


@pytest.mark.parametrize("task", TASKS)
def test_an_encoded_frame_has_the_columns_of_the_layout(task: Task) -> None:
    split = made(task)
    fitted = split.preprocessor()
    frame = fitted.encode(split.validation)
    assert frame.columns[:4] == ROW_COLUMNS
    assert set(frame.columns[4:]) == set(fitted.layout.columns)
    assert frame.height == split.validation.height
    assert frame["_target"].dtype == (pl.Float64 if task == "regression" else pl.Int32)
    for name in fitted.layout.quantities:
        assert frame[name].dtype == frame[f"{name}__scaled"].dtype == pl.Float32
        assert frame[f"{name}__scaled"].null_count() == 0
    for name, n_codes in fitted.layout.codes.items():
        assert frame[f"{name}__code"].dtype == pl.Int32
        assert frame[f"{name}__code"].is_between(0, n_codes - 1).all()
    for names in fitted.layout.targets.values():
        assert all(frame[name].dtype == pl.Float32 and frame[name].null_count() == 0 for name in names)


def test_categories_with_many_levels_are_target_encoded() -> None:
    layout = made("binary").preprocessor().layout
    assert set(layout.one_hot) == {"colour", "only", "nothing"}
    assert layout.targets == {"city": ("city__target",)}


@pytest.mark.parametrize(
    ("settings_", "one_hot"),
    [
        (Encoding(categorical="one_hot"), {"colour", "city", "only", "nothing"}),
        (Encoding(categorical="target"), set()),
        (Encoding(one_hot_max_levels=100), {"colour", "city", "only", "nothing"}),
        (Encoding(one_hot_max_levels=2), {"only", "nothing"}),
    ],
)
def test_the_spec_decides_what_is_one_hot(settings_: Encoding, one_hot: set[str]) -> None:
    layout = made("binary").preprocessor(settings_).layout
    assert set(layout.one_hot) == one_hot
    assert set(layout.targets) == set(layout.codes) - one_hot


def test_a_multiclass_task_has_one_target_column_a_class() -> None:
    split = made("multiclass")
    frame = split.preprocessor().encode(split.test)
    shares = frame.select(pl.sum_horizontal([f"city__target_{code}" for code in range(3)])).to_series()
    np.testing.assert_allclose(shares.to_numpy(), 1.0, atol=0.2)  # each shrunk by itself, so not exactly


@pytest.mark.parametrize("encoding", EVERY_ENCODING)
def test_every_encoding_reads_every_column(encoding: Encoding) -> None:
    split = made("multiclass", rows=120)
    fitted = split.preprocessor(encoding)
    frame = fitted.encode_training(split.train)
    derived = [name for name in frame.columns if "__" in name]
    assert frame.select(derived).null_count().sum_horizontal().item() == 0
    assert np.isfinite(frame.select(derived).to_numpy()).all()


@pytest.mark.parametrize("task", TASKS)
def test_rows_may_come_without_label_identity_or_order(task: Task) -> None:
    split = made(task)
    fitted = split.preprocessor()
    bare = split.test.select(sorted(KINDS, reverse=True))
    expected = fitted.encode(split.test)
    assert_frame_equal(fitted.encode(bare), expected.drop(ROW_COLUMNS))


def test_other_columns_are_ignored() -> None:
    split = made("binary")
    fitted = split.preprocessor()
    assert_frame_equal(fitted.encode(split.test.with_columns(secret=1)), fitted.encode(split.test))


def test_a_missing_column_is_named() -> None:
    split = made("binary")
    with pytest.raises(InputError, match=r"E_SCHEMA.*city, count \(n\)|E_SCHEMA.*count \(n\), city"):
        split.preprocessor().encode(split.test.drop("count (n)", "city"))


def test_a_label_that_has_not_come_yet_stays_null() -> None:
    split = made("binary")
    frame = split.preprocessor().encode(split.test.with_columns(_target=pl.lit(None, dtype=pl.String)))
    assert frame["_target"].null_count() == split.test.height


def test_a_label_that_is_no_class_is_refused() -> None:
    split = made("binary")
    with pytest.raises(InputError, match="E_LABEL"):
        split.preprocessor().encode(split.test.with_columns(_target=pl.lit("perhaps")))


@pytest.mark.parametrize("task", TASKS)
def test_strange_rows_are_encoded(task: Task) -> None:
    split = made(task)
    frame = split.preprocessor().encode(strange(split.test))
    assert frame["city__code"].to_list()[0] == 1
    assert frame["colour__code"].to_list()[0] == 0
    assert frame["nothing__code"].unique().to_list() == [1]
    assert frame["amount"].to_list()[1] is None
    assert frame["empty__scaled"].unique().to_list() == [1.0]


def test_no_rows_give_no_rows() -> None:
    split = made("binary")
    assert split.preprocessor().encode(split.test[:0]).height == 0


def test_there_must_be_training_rows() -> None:
    split = made("binary")
    with pytest.raises(InputError, match="E_NO_ROWS"):
        Preprocessor.fit(split.train[:0], KINDS, Encoding(), "binary", ["no", "yes"], 0)


def test_features_whose_encoded_names_collide_are_refused() -> None:
    rows = pl.DataFrame({"_target": ["no", "yes"], "x": [1.0, 2.0], "x__scaled": [1.0, 2.0]})
    kinds: FeatureKinds = {"x": "numeric", "x__scaled": "numeric"}
    with pytest.raises(InputError, match=r"E_NAME.*x__scaled"):
        Preprocessor.fit(rows, kinds, Encoding(), "binary", ["no", "yes"], 0)


def test_names_of_any_printable_text_are_sound() -> None:
    names = ["^.*$", "CO2(tCO2)", "subject#", "Source Port", "a,b", '"', "ß", "日", "*"]
    rows = pl.DataFrame({"_target": ["no", "yes", "yes"], **{name: [1.0, 2.0, None] for name in names}})
    fitted = Preprocessor.fit(rows, dict.fromkeys(names, "numeric"), Encoding(), "binary", ["no", "yes"], 0)
    frame = fitted.encode(rows)
    made_of_one = ("{}", "{}__scaled", "{}__missing__scaled")
    assert frame.columns == ["_target", *(column.format(name) for name in names for column in made_of_one)]


# Training rows


def test_training_rows_differ_in_their_target_encodings_alone() -> None:
    split = made("regression")
    fitted = split.preprocessor()
    cross_fitted, plain = fitted.encode_training(split.train), fitted.encode(split.train)
    assert_frame_equal(cross_fitted.drop("city__target"), plain.drop("city__target"))
    assert cross_fitted["city__target"].to_list() != plain["city__target"].to_list()
    assert cross_fitted["city__target"].dtype == pl.Float32


def test_training_rows_without_target_encoding_are_rows_like_any_other() -> None:
    split = made("binary")
    fitted = split.preprocessor(Encoding(categorical="one_hot"))
    assert_frame_equal(fitted.encode_training(split.train), fitted.encode(split.train))


def test_a_target_encoding_never_saw_the_rows_own_label() -> None:
    """The label's own trace: with labels that are pure chance, cross-fitted encodings know nothing of them."""
    rng = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "_batch": ["b"] * 2000,
            "_row": np.arange(2000),
            "_target": rng.normal(size=2000),
            "id": [f"{number}" for number in rng.integers(0, 700, 2000)],  # about three rows a level
        }
    )
    fitted = Preprocessor.fit(rows, {"id": "categorical"}, Encoding(), "regression", [], 0)
    leaky = np.corrcoef(fitted.encode(rows)["id__target"].to_numpy(), rows["_target"].to_numpy())[0, 1]
    clean = np.corrcoef(fitted.encode_training(rows)["id__target"].to_numpy(), rows["_target"].to_numpy())[0, 1]
    assert leaky > 0.4
    assert abs(clean) < 0.1


def test_a_training_row_has_the_same_encoding_wherever_it_stands() -> None:
    split = made("multiclass")
    fitted = split.preprocessor()
    shuffled = split.train.sample(fraction=1, shuffle=True, seed=1)
    assert_frame_equal(fitted.encode_training(shuffled).sort("_row"), fitted.encode_training(split.train).sort("_row"))


def test_other_rows_are_not_taken_for_training_rows() -> None:
    split = made("binary")
    with pytest.raises(ValueError, match="not the rows that the preprocessor was fitted on"):
        split.preprocessor().encode_training(split.validation)


def test_training_rows_need_all_their_features_and_labels() -> None:
    split = made("binary")
    with pytest.raises(InputError, match="E_SCHEMA"):
        split.preprocessor().encode_training(split.train.drop("amount"))
    with pytest.raises(InputError, match="E_LABEL"):
        split.preprocessor().encode_training(split.train.drop("_target"))


# Identity


def test_the_digest_is_a_function_of_training_rows_whatever_their_order() -> None:
    split = made("regression")
    shuffled = split.train.sample(fraction=1, shuffle=True, seed=1).select(sorted(split.train.columns))
    again = Preprocessor.fit(shuffled, KINDS, Encoding(), "regression", [], 0)
    assert again.digest == split.preprocessor().digest


def test_poisoned_validation_and_test_rows_do_not_reach_it() -> None:
    split = made("binary")
    before = split.preprocessor()
    digest = before.digest
    before.encode(strange(split.validation))
    before.encode(strange(split.test))
    assert before.digest == digest == split.preprocessor().digest


@pytest.mark.parametrize(
    ("column", "value"), [("amount", 1e9), ("count (n)", 10**6), ("city", "Atlantis"), ("_target", "yes")]
)
def test_one_training_cell_changes_the_digest(column: str, value: Any) -> None:
    split = made("binary")
    row = split.train["_target"].to_list().index("no")
    cells = split.train[column].to_list()
    cells[row] = value
    changed = split.train.with_columns(pl.Series(column, cells))
    again = Preprocessor.fit(changed, KINDS, Encoding(), "binary", ["no", "yes"], 0)
    assert again.digest != split.preprocessor().digest


def test_spec_and_seed_are_part_of_the_digest() -> None:
    split = made("binary")
    digests = [split.preprocessor(encoding).digest for encoding in EVERY_ENCODING]
    digests += [split.preprocessor(seed=1).digest, split.preprocessor(Encoding(max_levels=5)).digest]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("write", [json.dumps, canonical])
def test_json_brings_it_back_whole(task: Task, write: Any) -> None:
    split = made(task)
    fitted = split.preprocessor()
    read = Preprocessor.from_json(json.loads(write(fitted.to_json())))
    assert read == fitted
    assert read.digest == fitted.digest
    assert read.layout == fitted.layout
    assert list(read.kinds) == list(KINDS)
    assert_frame_equal(read.encode(strange(split.test)), fitted.encode(strange(split.test)))
    assert_frame_equal(read.encode_training(split.train), fitted.encode_training(split.train))


def test_another_format_is_refused() -> None:
    written = made("binary").preprocessor().to_json()
    with pytest.raises(InputError, match="E_FORMAT"):
        Preprocessor.from_json({**written, "format": 99})


def test_the_summary_has_one_row_a_feature() -> None:
    summary = {row["feature"]: row for row in made("binary").preprocessor().summary()}
    assert list(summary) == list(KINDS)
    assert summary["flat"] == {
        "feature": "flat",
        "encoded": "scaled",
        "columns": 2,
        "impute": 0.1,
        "center": 0.1,
        "scale": 1.0,
        "levels": None,
    }
    assert summary["colour"]["encoded"] == "one-hot"
    assert summary["city"]["encoded"] == "target"
    assert summary["colour"]["levels"] == 3


# Promises


cells = st.lists(
    st.tuples(
        st.none() | st.floats(),
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        st.sampled_from(["no", "yes"]),
    ),
    min_size=1,
    max_size=25,
)


def frame_of(rows: list[tuple[float | None, str | None, str]]) -> pl.DataFrame:
    schema = {"x": pl.Float64, "c": pl.String, "_target": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


@settings(max_examples=60, deadline=None)
@given(cells, cells, st.sampled_from(EVERY_ENCODING))
def test_any_training_rows_make_a_preprocessor_that_reads_any_rows(
    training: list[Any], others: list[Any], encoding: Encoding
) -> None:
    kinds: FeatureKinds = {"x": "numeric", "c": "categorical"}
    train = frame_of(training)
    fitted = Preprocessor.fit(train, kinds, encoding, "binary", ["no", "yes"], 0)
    read = Preprocessor.from_json(json.loads(canonical(fitted.to_json())))
    assert read.encode_training(train).columns == read.encode(train).columns
    frame = read.encode(frame_of(others))
    assert frame.height == len(others)
    derived = [name for name in frame.columns if "__" in name]
    assert np.isfinite(frame.select(derived).to_numpy()).all()
