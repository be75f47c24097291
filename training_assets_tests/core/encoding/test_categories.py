from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from training_assets.core.encoding.categories import Category

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
cells = st.lists(st.none() | texts, max_size=30)


def series(values: Sequence[str | None]) -> pl.Series:
    return pl.Series("colour", values, dtype=pl.String)


def test_levels_come_by_falling_frequency_then_by_name() -> None:
    category = Category.fit(series(["b", "c", "a", "c", None, "b", "d"]), max_levels=10)
    assert category.levels == ("b", "c", "a", "d")
    assert category.n_codes == 6


def test_codes_are_null_unknown_then_levels() -> None:
    category = Category.fit(series(["x", "x", "y"]), max_levels=10)
    codes = category.encode(series([None, "never seen", "x", "y"]))
    assert codes.to_list() == [0, 1, 2, 3]
    assert codes.dtype == pl.Int32


def test_rare_levels_are_pooled_as_unknown() -> None:
    category = Category.fit(series(["a"] * 3 + ["b"] * 2 + ["c"]), max_levels=2)
    assert category.levels == ("a", "b")
    assert category.encode(series(["a", "b", "c"])).to_list() == [2, 3, 1]


def test_levels_of_too_few_rows_are_pooled_as_unknown() -> None:
    category = Category.fit(series(["a"] * 3 + ["b"] * 2 + ["c"]), max_levels=10, min_rows=3)
    assert category.levels == ("a",)
    assert category.encode(series(["a", "b", "c", None])).to_list() == [2, 1, 1, 0]


@given(cells, st.integers(1, 4))
def test_pooled_levels_are_those_that_scikit_learn_pools(values: list[str | None], min_rows: int) -> None:
    known = [value for value in values if value is not None]
    if not known:
        return
    encoder = OneHotEncoder(min_frequency=min_rows, handle_unknown="infrequent_if_exist")
    encoder.fit(np.array(known, dtype=object)[:, None])
    (pooled,) = encoder.infrequent_categories_
    category = Category.fit(series(values), max_levels=100, min_rows=min_rows)
    assert set(category.levels) == set(known) - set([] if pooled is None else pooled)


def test_the_cut_between_equally_rare_levels_goes_by_name() -> None:
    assert Category.fit(series(["z", "y", "x", "w"]), max_levels=2).levels == ("w", "x")


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_category_without_levels_knows_null_and_unknown(values: list[str | None]) -> None:
    category = Category.fit(series(values), max_levels=10)
    assert category.n_codes == 2
    assert category.encode(series([None, "x"])).to_list() == [0, 1]


def test_a_single_level_is_enough() -> None:
    assert Category.fit(series(["x"]), max_levels=2).encode(series(["x", "y", None])).to_list() == [2, 1, 0]


def test_odd_texts_are_levels_like_any_other() -> None:
    odd = ["", " ", "^.*$", "NULL", "é", "e\u0301", "😀", "a,b", '"', "\t"]
    category = Category.fit(series(odd), max_levels=100)
    assert set(category.levels) == set(odd)
    assert sorted(category.encode(series(odd))) == list(range(2, 2 + len(odd)))


@pytest.mark.parametrize(
    ("values", "same"),
    [
        (pl.Series([True, False, None]), series(["true", "false", None])),
        (pl.Series([1, 22, None]), series(["1", "22", None])),
        (pl.Series(["x", "y", None], dtype=pl.Categorical), series(["x", "y", None])),
        (pl.Series([None, None, None]), series([None, None, None])),
    ],
)
def test_booleans_whole_numbers_and_categoricals_are_read_as_text(values: pl.Series, same: pl.Series) -> None:
    category = Category.fit(series(["true", "x", "1", "22", "false", "y"]), max_levels=10)
    assert category.encode(values).to_list() == category.encode(same).to_list()


def test_many_levels_are_coded_in_order() -> None:
    names = [f"{number:05d}" for number in range(70_000)]  # more than 16 bits
    category = Category.fit(series(names), max_levels=100_000)
    assert category.encode(series([names[0], names[-1]])).to_list() == [2, 70_001]


@given(cells, st.integers(2, 8), st.data())
def test_the_order_of_rows_does_not_matter(values: list[str | None], most: int, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    assert Category.fit(series(values), most) == Category.fit(series(shuffled), most)


@given(cells, cells, st.integers(2, 8))
def test_codes_tell_levels_apart_and_nothing_else(
    training: list[str | None], others: list[str | None], most: int
) -> None:
    category = Category.fit(series(training), most)
    counts = Counter(value for value in training if value is not None)
    assert len(category.levels) == min(len(counts), most)
    kept = [counts[level] for level in category.levels]
    assert kept == sorted(counts.values(), reverse=True)[: len(kept)]
    for value, code in zip(others, category.encode(series(others)), strict=True):
        if value is None:
            assert code == 0
        elif value in category.levels:
            assert category.levels[code - 2] == value
        else:
            assert code == 1
