"""A scorer forgets nothing between weights, and weighs only in proportion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.scorers import scorer
from training_assets_tests.core.evaluation import made_up

SAMPLES: dict[str, tuple[Any, Any]] = {
    "binary": made_up.binary(120),
    "multiclass": made_up.multiclass(120),
    "regression": made_up.regression(121),  # odd, so that one row is in the middle
}
tasks = pytest.mark.parametrize("task", list(SAMPLES))


@tasks
def test_measures_every_metric_in_order(task: Any) -> None:
    y, predictions = SAMPLES[task]
    assert tuple(scorer(task, y, predictions, 0.5).measure(np.ones(len(y)))) == metrics.names(task)


@tasks
def test_weights_do_not_linger(task: Any) -> None:
    y, predictions = SAMPLES[task]
    measure = scorer(task, y, predictions, 0.5).measure
    first = measure(np.ones(len(y)))
    measure(np.random.default_rng(0).random(len(y)))
    assert measure(np.ones(len(y))) == first


@tasks
def test_only_the_proportion_of_weights_counts(task: Any) -> None:
    y, predictions = SAMPLES[task]
    weights = np.random.default_rng(0).random(len(y)) + 0.1
    one, seven = (scorer(task, y, predictions, 0.5).measure(weights * factor) for factor in (1, 7))
    for name in metrics.names(task):
        assert_allclose(one[name], seven[name], rtol=1e-9, err_msg=name)


@tasks
def test_inputs_are_left_as_they_were(task: Any) -> None:
    y, predictions = SAMPLES[task]
    before = y.copy(), predictions.copy(), np.ones(len(y))
    weights = np.ones(len(y))
    scorer(task, y, predictions, 0.5).measure(weights)
    for left, right in zip(before, (y, predictions, weights), strict=True):
        assert (left == right).all()


@pytest.mark.parametrize(("weights", "expected"), [([1, 1, 1, 1], 1.5), ([1, 1, 1, 0], 1.0), ([1, 1, 1, 3], 2.5)])
def test_the_median_is_that_of_rows_repeated(weights: list[float], expected: float) -> None:
    errors = np.array([0.0, 1.0, 2.0, 3.0])
    measured = scorer("regression", np.array([0, 0, 0, 1e-9]), errors, 0.5).measure(np.array(weights, dtype=float))
    assert measured["median_absolute_error"] == pytest.approx(expected, abs=1e-6)
