"""The linear family against scikit-learn's own solvers, and what is its own: the clock."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, Ridge

from training_assets.core.families import Data, Learning, design_matrix, penalised
from training_assets.core.families.linear import LinearModel
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made
from training_assets_tests.core.families import fits


@cache
def fit(task: Task, l2: float) -> tuple[LinearModel, Data, Data]:
    train, validation, test = made(task).data()
    model = fits.fit("linear", train, validation, max_iterations=2000, patience=1, l2=l2)
    return cast("LinearModel", model), train, test


def rows_of(model: LinearModel, data: Data) -> Any:
    return design_matrix.matrix(data, model.scale)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
def test_classes_get_the_probabilities_of_logistic_regression(task: Task, l2: float) -> None:
    model, train, test = fit(task, l2)
    theirs = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=10_000).fit(rows_of(model, train), train.y)
    expected = theirs.predict_proba(rows_of(model, test))
    np.testing.assert_allclose(model.predict(test), expected[:, 1] if task == "binary" else expected, atol=5e-3)


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
def test_values_are_those_of_ridge_regression(l2: float) -> None:
    model, train, test = fit("regression", l2)
    theirs = Ridge(alpha=l2).fit(rows_of(model, train).toarray(), train.y)
    np.testing.assert_allclose(model.predict(test), theirs.predict(rows_of(model, test).toarray()), rtol=5e-4)


@settings(max_examples=5, deadline=None)
@given(task=st.sampled_from(TASKS), seed=st.integers(0, 10_000), l2=st.sampled_from([1.0, 30.0]))
def test_weighted_rows_count_as_they_do_in_scikit_learn(task: Task, seed: int, l2: float) -> None:
    train, validation, test = made(task).data()
    weights = np.random.default_rng(seed).gamma(2.0, size=train.n_rows)
    heavy = Data.of(train.frame.with_columns(_weight=pl.Series(weights)), train.layout)
    model = cast("LinearModel", fits.fit("linear", heavy, validation, max_iterations=2000, l2=l2))
    kind = Ridge(alpha=l2) if task == "regression" else LogisticRegression(C=1 / l2, tol=1e-8, max_iter=10_000)
    theirs = kind.fit(rows_of(model, heavy), heavy.y, heavy.weights)
    if task == "regression":
        np.testing.assert_allclose(model.predict(test), theirs.predict(rows_of(model, test)), rtol=1e-3)
    else:
        chances = theirs.predict_proba(rows_of(model, test))
        np.testing.assert_allclose(model.predict(test), chances[:, 1] if task == "binary" else chances, atol=5e-3)


def test_a_direction_bounds_the_weight_of_its_quantity_alone() -> None:
    train, validation, _ = made("regression").data()
    learning = Learning("squared_error", monotone={"amount": -1, "noise": 1})
    model = cast("LinearModel", fits.fit("linear", train, validation, learning=learning))
    owners = design_matrix.owners(train.layout)
    weights = dict(zip(owners, model.solution.weights[:, 0].tolist(), strict=True))
    assert weights["amount"] == 0  # it rises with the label
    assert weights["noise"] >= 0
    assert weights["count (n)"] > 0


@pytest.mark.parametrize("task", TASKS)
def test_a_stronger_penalty_gives_smaller_weights(task: Task) -> None:
    sizes = [np.abs(fit(task, l2)[0].solution.weights).sum() for l2 in (0.1, 30.0, 10_000.0)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("task", TASKS)
def test_nothing_stops_early_and_the_training_loss_falls(task: Task) -> None:
    model, _, _ = fit(task, 1.0)
    assert model.best_iteration is None
    losses = model.curves["train"]
    assert losses[-1] == pytest.approx(min(losses), rel=1e-3)
    assert losses[-1] < losses[0]


@settings(max_examples=30, deadline=None)
@given(task=st.sampled_from(TASKS), seed=st.integers(0, 10_000), size=st.sampled_from([0.1, 1.0, 10.0]))
def test_gradients_are_those_of_the_losses(task: Task, seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    outputs = 3 if task == "multiclass" else 1
    labels = rng.normal(size=6) if task == "regression" else rng.integers(0, max(outputs, 2), 6)
    loss = penalised._LOSSES[task]
    raw, shares = size * rng.normal(size=(6, outputs)), rng.dirichlet(np.ones(6))
    miss = check_grad(
        lambda flat: loss(flat.reshape(raw.shape), labels, shares)[0],
        lambda flat: loss(flat.reshape(raw.shape), labels, shares)[1].ravel(),
        raw.ravel(),
    )
    assert miss < 1e-5 * max(size, 1)


@pytest.mark.parametrize("task", TASKS)
def test_extreme_rows_do_not_overflow(task: Task) -> None:
    rows = csr_array(np.array([[1e6], [-1e6], [1e6], [-1e6]]))
    labels = {"binary": [0, 1, 1, 0], "multiclass": [0, 1, 2, 0], "regression": [1.0, -1.0, 1.0, -1.0]}[task]
    values = np.array(labels, dtype=np.float64 if task == "regression" else np.int32)
    train = penalised.Rows(rows, values)
    found = penalised.fit(train, None, task, 3, directions=[0], l2=1.0, max_iterations=50, stop=fits.never)
    assert np.isfinite(found.raw(rows)).all()
    assert np.isfinite(found.curves["train"]).all()


def test_weights_are_the_same_bit_by_bit_when_fitted_again() -> None:
    first, _, _ = fit("multiclass", 1.0)
    fit.cache_clear()
    again, _, _ = fit("multiclass", 1.0)
    assert first is not again
    assert first.solution.weights.tobytes() == again.solution.weights.tobytes()
