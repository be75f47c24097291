"""The time of a search: spent, kept back, and the part of one trial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.search.budget import LARGEST_SHARE, LONGER, RESERVED, TOO_LITTLE, TURNS, Budget


class Clock:
    now = 500.0

    def __call__(self) -> float:
        return self.now


def begun(*, parallel: int = 1, spent: float = 0.0) -> tuple[Budget, Clock]:
    clock = Clock()
    return Budget.begin(60.0, clock, parallel, spent=spent), clock


def test_what_an_earlier_attempt_spent_counts() -> None:
    budget, clock = begun(spent=20.0)
    clock.now += 5.0
    assert budget.elapsed() == pytest.approx(25.0)
    assert budget.left() == pytest.approx(35.0)


def test_final_fits_have_their_time_kept_back() -> None:
    budget, clock = begun()
    budget.keep_back(10.0)
    assert budget.left() == pytest.approx(60.0 - 10.0 * RESERVED)
    clock.now += budget.left() - TOO_LITTLE * 60.0 - 0.01
    assert budget.pays_another_trial()
    clock.now += 0.02
    assert not budget.pays_another_trial()


def test_a_trial_has_its_part_and_where_cores_are_many_a_share() -> None:
    assert begun(parallel=2)[0].longest_trial(longer=False, final_fit=1.0) == pytest.approx(2 * 60 / TURNS)
    assert begun(parallel=64)[0].longest_trial(longer=False, final_fit=1.0) == pytest.approx(LARGEST_SHARE * 60)


@given(st.floats(0.0, 60.0), st.floats(0.0, 3.0), st.integers(1, 64))
def test_a_longer_trial_leaves_time_for_its_final_fit(spent: float, final_fit: float, parallel: int) -> None:
    budget, _ = begun(parallel=parallel, spent=spent)
    took = budget.longest_trial(longer=True, final_fit=final_fit)
    assert took * (1 + final_fit) <= budget.left() + 1e-9
    assert took <= min(LARGEST_SHARE, LONGER * parallel / TURNS) * 60 + 1e-9
