"""Lists in a text become a 0/1 quantity an item."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MultiLabelBinarizer

from training_assets.core.encoding.items import Items

TAGS = pl.Series("tags", ["rock, jazz", "jazz", None, "", " jazz ,pop,jazz", "blues,,rock"])


def matrix(fitted: Items, values: pl.Series) -> np.ndarray:
    return np.column_stack([each.to_numpy() for each in fitted.values({"tags": values})])


def test_common_items_have_a_column_and_others_are_counted() -> None:
    fitted = Items.fit("tags", TAGS, ",", max_items=2, min_rows=1)
    assert fitted.items == ("jazz", "rock")
    assert [slot.name for slot in fitted.slots] == ["tags__item_0", "tags__item_1", "tags__other_items"]
    assert matrix(fitted, TAGS).tolist()[:2] == [[1, 1, 0], [1, 0, 0]]
    assert np.isnan(matrix(fitted, TAGS)[2]).all()
    assert matrix(fitted, TAGS).tolist()[3:] == [[0, 0, 0], [1, 0, 1], [0, 1, 1]]
    assert Items.from_json(fitted.to_json()) == fitted


def test_rare_items_are_counted_with_the_unknown() -> None:
    fitted = Items.fit("tags", TAGS, ",", max_items=50, min_rows=2)
    assert fitted.items == ("jazz", "rock")
    assert matrix(fitted, pl.Series("tags", ["swing, blues, jazz"])).tolist() == [[1, 0, 2]]


def test_without_any_item_there_is_the_count_of_others() -> None:
    fitted = Items.fit("tags", pl.Series([None, ""], dtype=pl.String), "|", max_items=5, min_rows=1)
    assert fitted.items == ()
    assert matrix(fitted, pl.Series("tags", ["a|b", None], dtype=pl.String)).tolist()[0] == [2]
    assert matrix(fitted, pl.Series("tags", [], dtype=pl.String)).shape == (0, 1)


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), min_size=1, max_size=20))
def test_columns_are_those_of_scikit_learn(lists: list[list[str]]) -> None:
    values = pl.Series("tags", [";".join(each) for each in lists])
    fitted = Items.fit("tags", values, ";", max_items=3, min_rows=1)
    binarizer = MultiLabelBinarizer(classes=list(fitted.items))
    kept = [[item for item in each if item in fitted.items] for each in lists]
    if fitted.items:
        assert matrix(fitted, values)[:, :-1].tolist() == binarizer.fit_transform(kept).tolist()
    assert matrix(fitted, values)[:, -1].tolist() == [len(set(each) - set(fitted.items)) for each in lists]
