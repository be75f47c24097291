"""Parity is exact about names, rows and classes, and measures numbers."""

from __future__ import annotations

import math

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.parity import largest_difference

SEEN = pl.DataFrame({"prediction": ["a", "b"], "probability_a": [0.9, 0.2]})


def test_equal_tables_do_not_differ() -> None:
    assert largest_difference(SEEN, SEEN.clone()) == 0.0


@given(st.floats(-1, 1))
def test_the_difference_is_the_largest_one(shift: float) -> None:
    served = SEEN.with_columns(pl.Series("probability_a", [0.9, 0.2 + shift]))
    assert largest_difference(SEEN, served) == abs(0.2 - (0.2 + shift))


def test_large_values_differ_by_their_share_and_equal_infinities_not_at_all() -> None:
    seen = pl.DataFrame({"prediction": [1e12, -4.0, math.inf, 0.5]})
    served = pl.DataFrame({"prediction": [1e12 + 1e3, -4.0, math.inf, 0.5 + 1e-12]})
    assert math.isclose(largest_difference(seen, served), 1e-9, rel_tol=1e-3)
    assert largest_difference(seen, served.with_columns(prediction=pl.Series([1e12, -4.0, -math.inf, 0.5]))) == math.inf


def test_what_cannot_be_compared_differs_without_bound() -> None:
    for served in (
        SEEN.head(1),
        SEEN.rename({"prediction": "other"}),
        SEEN.with_columns(prediction=pl.Series(["a", "a"])),
        SEEN.with_columns(probability_a=pl.Series([0.9, math.nan])),
        SEEN.with_columns(probability_a=pl.Series([0.9, None])),
        SEEN.with_columns(probability_a=pl.Series(["0.9", "0.2"])),
    ):
        assert largest_difference(SEEN, served) == math.inf
