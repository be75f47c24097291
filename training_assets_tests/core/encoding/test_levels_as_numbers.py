"""Levels as numbers: places in an order, and counts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OrdinalEncoder

from training_assets.core.encoding.levels_as_numbers import Count, Rank

ORDER = ("low", "middle", "high")
cells = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=2), max_size=20)


def test_a_place_is_that_of_scikit_learn_and_null_beyond_the_order() -> None:
    values = pl.Series("size", ["high", "low", "huge", None, "middle"])
    rank = Rank("size", ORDER)
    (places,) = rank.values({"size": values})
    assert places.to_list() == [2.0, 0.0, None, None, 1.0]
    encoder = OrdinalEncoder(categories=[list(ORDER)], handle_unknown="use_encoded_value", unknown_value=np.nan)
    expected = encoder.fit([[level] for level in ORDER]).transform(values.to_frame().to_numpy())[:, 0]
    np.testing.assert_array_equal(places.to_numpy(), expected)
    assert Rank.from_json(rank.to_json()) == rank
    assert [slot.name for slot in rank.slots] == ["size__rank"]


@given(cells, cells)
def test_a_count_is_that_of_the_training_rows(training: list[str | None], others: list[str | None]) -> None:
    count = Count.fit("c", pl.Series("c", training, dtype=pl.String))
    (found,) = count.values({"c": pl.Series("c", others, dtype=pl.String)})
    counted = Counter(training)
    assert found.to_list() == [None if value is None else float(counted[value]) for value in others]
    assert Count.from_json(count.to_json()) == count
    assert [slot.name for slot in count.slots] == ["c__count"]
