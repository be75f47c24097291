from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.families import Facts
from training_assets.core.families.pace import FASTEST, SLOWEST, learning_rate


def rate(rows: int) -> float:
    return learning_rate(Facts(rows=rows, quantities=1, categories=0))


def test_the_rate_is_as_it_says() -> None:
    assert rate(5_000) == pytest.approx(0.04, abs=0.001)
    assert rate(200_000) == pytest.approx(0.12, abs=0.002)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_rows_are_learnt_in_no_smaller_steps_and_within_bounds(one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert SLOWEST <= rate(few) <= rate(many) <= FASTEST
