"""Which parameters decided the score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.search.importances import FEWEST, parameter_importances, scale_of, varying
from training_assets.core.search.study import State, Trial


def trials(many: int, **columns: Any) -> list[Trial]:
    """Trials whose score is minus the first column's distance from the middle of its decades."""
    random = np.random.default_rng(0)
    done = []
    for number in range(many):
        params = {
            "l2": float(10 ** random.uniform(-4, 2)),
            "kind": str(random.choice(["a", "b"])),
            "fixed": 3,
            **columns,
        }
        score = -abs(math.log10(params["l2"]) + 1)
        done.append(Trial(number, "own", params, "sampler", score, "complete", 1.0, 0.0, None, None))
    return done


def test_what_decides_comes_first_and_all_is_shared_out() -> None:
    shares = parameter_importances(trials(40))
    assert list(shares) == ["l2", "kind"]
    assert shares["l2"] > 0.9
    assert sum(shares.values()) == pytest.approx(1)
    assert parameter_importances(trials(40)) == shares


def test_trials_that_ended_early_do_not_count() -> None:
    done = trials(FEWEST)
    assert parameter_importances(done)
    states: tuple[State, ...] = ("pruned", "stopped", "failed")
    for state in states:
        last = Trial(
            99, "own", done[0].params, "sampler", None if state == "failed" else 9.0, state, 1.0, 0.0, None, None
        )
        assert parameter_importances([*done, last]) == parameter_importances(done)
        assert parameter_importances([*done[1:], last]) == {}


@pytest.mark.parametrize("known", [{"l2": 1.0}, {"kind": "a"}])
def test_one_parameter_alone_or_equal_scores_decide_nothing(known: dict[str, Any]) -> None:
    assert parameter_importances(trials(30, **known)) == {}


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 2, 3], "linear"),
        ([0.0, 1000.0], "linear"),
        ([1e-3, 1.0], "log"),
        ([1, 100], "log"),
        ([True, False], "choice"),
        ([None, 1], "choice"),
        (["a", "b"], "choice"),
    ],
)
def test_scales_follow_from_the_values(values: list[Any], scale: str) -> None:
    assert scale_of(values) == scale


def test_parameters_that_some_trials_lack_do_not_vary() -> None:
    done = trials(10)
    assert varying(done) == ["l2", "kind"]
    del done[1].params["l2"]
    assert varying(done) == ["kind"]
    assert varying([]) == []


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.integers(-5, 5) | st.none() | st.booleans(), st.sampled_from(["x", "y"])),
        min_size=FEWEST,
        max_size=FEWEST + 3,
    )
)
def test_shares_are_shares_whatever_the_parameters(rows: list[tuple[float, Any, str]]) -> None:
    done = [
        Trial(number, "own", {"size": size, "kind": kind}, "grid", score, "complete", 1.0, 0.0, None, None)
        for number, (score, size, kind) in enumerate(rows)
    ]
    shares = parameter_importances(done)
    assert not shares or sum(shares.values()) == pytest.approx(1)
    assert all(share >= 0 for share in shares.values())
