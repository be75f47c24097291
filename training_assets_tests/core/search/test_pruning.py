from __future__ import annotations

import math
from typing import Any

import pytest

from training_assets.core.search import Trial
from training_assets.core.search.pruning import FAMILIAR, RUNGS, best_by, limits, progress
from training_assets_tests.core.search.made_trials import trial


def boosted(loss: float, iterations: int = 200, rate: float = 0.1, **said: Any) -> Trial:
    """A trial whose loss falls towards `loss`."""
    curve = [(at, loss + 1 / at) for at in range(1, iterations + 1)]
    return trial(family="lightgbm", params={"learning_rate": rate}, curve=curve, iterations=iterations, **said)


def test_curves_of_different_learning_rates_are_compared_by_their_product_with_iterations() -> None:
    assert progress({"learning_rate": 0.1}, 50) == progress({"learning_rate": 0.05}, 100) == pytest.approx(5)


def test_nothing_is_pruned_by_fewer_than_a_few_trials_of_the_family() -> None:
    few = [boosted(0.5) for _ in range(FAMILIAR - 1)]
    others = [trial(family="catboost") for _ in range(10)]
    assert limits("lightgbm", [*few, *others]) == [math.inf] * len(RUNGS)


def test_the_limit_is_the_median_of_the_best_losses_by_then() -> None:
    found = limits("lightgbm", [boosted(loss) for loss in (0.1, 0.2, 0.4, 0.8, 1.6)])
    assert RUNGS[1] == 4.0  # after 40 iterations at a rate of 0.1
    assert found[1] == pytest.approx(0.4 + 1 / 40)
    assert found == sorted(found, reverse=True)


def test_one_that_ended_by_itself_counts_with_its_best_later_a_pruned_one_does_not() -> None:
    assert best_by(boosted(0.5, iterations=30), RUNGS[4]) == pytest.approx(0.5 + 1 / 30)
    assert best_by(boosted(0.5, iterations=30, state="pruned"), RUNGS[4]) is None
    assert best_by(boosted(0.5, iterations=30, state="pruned"), RUNGS[0]) == pytest.approx(0.5 + 1 / 20)
