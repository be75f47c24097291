from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from sklearn import ensemble

from training_assets.core.families import FAMILIES, Data, Facts, Learning, forest_rows, forests, growing
from training_assets.core.families.averaged_trees import AveragedTreesModel
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made
from training_assets_tests.core.families.fits import fit, fitted, splits, usual
from training_assets_tests.core.families.promises import predicted_elsewhere, steps, waves, weighted

NAMES = ("extra_trees", "random_forest")
THEIRS: dict[tuple[str, bool], Callable[..., Any]] = {
    ("extra_trees", True): ensemble.ExtraTreesRegressor,
    ("extra_trees", False): ensemble.ExtraTreesClassifier,
    ("random_forest", True): ensemble.RandomForestRegressor,
    ("random_forest", False): ensemble.RandomForestClassifier,
}
either = pytest.mark.parametrize("name", NAMES)


def grown(name: str, train: Data, validation: Data | None = None, **settings: Any) -> AveragedTreesModel:
    return cast("AveragedTreesModel", fit(name, train, validation, **settings))


@either
@pytest.mark.parametrize("task", TASKS)
def test_it_is_scikit_learns_forest(name: str, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions equal those of the estimator itself, missing values included.

    This pins what of scikit-learn's inside the family relies on: a failure here says that scikit-learn changed.
    """
    monkeypatch.setattr(forests, "FIRM", 0.0)
    train, _, test = splits(task)
    ours = grown(name, train, max_iterations=20)
    theirs = THEIRS[name, task == "regression"](20, random_state=0, **FAMILIES[name].default_params())
    if name == "extra_trees":
        assert not theirs.bootstrap
    center, spread = ours.scale
    theirs.fit(forest_rows.matrix(train), (train.y - center) / spread if task == "regression" else train.y)
    rows = forest_rows.matrix(test)
    assert np.isnan(rows).any()
    expected = theirs.predict(rows) * spread + center if task == "regression" else theirs.predict_proba(rows)
    np.testing.assert_allclose(ours.predict(test), expected[:, 1] if task == "binary" else expected, rtol=1e-5)


@either
def test_a_leafs_shares_are_firmed_by_the_overall_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train, _, test = splits("binary")
    own: dict[str, Any] = {"max_iterations": 5, "min_samples_leaf": 1}
    firm = grown(name, train, **own).predict(test)
    monkeypatch.setattr(forests, "FIRM", 0.0)
    assert (grown(name, train, **own).predict(test) == 0).any()
    assert 0 < firm.min() < firm.max() < 1


@either
def test_what_is_grown_does_not_depend_on_batches(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation, _ = splits("multiclass")
    eight = grown(name, train, validation, max_iterations=13)
    monkeypatch.setattr(growing, "BATCH", 5)
    five = grown(name, train, validation, max_iterations=13)
    assert five.canonical() == eight.canonical()
    assert five.curves == eight.curves


@either
def test_growing_ends_when_more_trees_change_little(name: str) -> None:
    train, validation, _ = splits("regression")
    model = grown(name, train, validation, max_iterations=4000, patience=100)
    losses = model.curves["validation"]
    assert growing.WINDOW < len(losses) == model.best_iteration == len(model.trees.counts) < forests.MOST_TREES
    assert losses[-1] > (1 - growing.NOTABLE) * losses[-1 - growing.WINDOW]


@either
def test_there_are_never_more_than_the_most(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forests, "MOST_TREES", 11)
    train, validation, _ = splits("regression")
    assert grown(name, train, validation, max_iterations=4000, patience=100).best_iteration == 11


@either
def test_without_validation_rows_all_trees_are_grown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forests, "MOST_TREES", 11)
    told: list[int] = []

    def note(trees: int, loss: float) -> bool:
        assert np.isnan(loss)
        told.append(trees)
        return False

    model = grown(name, splits("binary")[0], max_iterations=19, patience=1, stop=note)
    assert model.best_iteration == len(model.trees.counts) == 19
    assert told == list(range(1, 20))
    assert model.curves == {"train": [], "validation": []}


# Bounds


@either
def test_leaves_of_many_rows_are_larger(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train = splits("regression")[0]
    small = grown(name, train, max_iterations=3, min_samples_leaf=1)
    monkeypatch.setattr(forests, "MOST_LEAVES", 20)
    large = grown(name, train, max_iterations=3, min_samples_leaf=1)
    assert len(large.trees.values) <= 3 * 20 < len(small.trees.values)


@either
def test_a_tree_of_many_rows_is_given_some_of_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train = splits("regression")[0]
    every = grown(name, train, max_iterations=3, min_samples_leaf=1)
    monkeypatch.setattr(forests, "ROWS_A_TREE", 50)
    some = grown(name, train, max_iterations=3, min_samples_leaf=1)
    assert len(some.trees.values) <= 3 * 50 < len(every.trees.values)


def test_the_rows_are_built_once() -> None:
    train = made("binary").data()[0]
    rows = forest_rows.matrix(train)
    assert rows is forest_rows.matrix(train)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert rows.shape == (train.n_rows, len(forest_rows.columns(train.layout)))


def test_target_encodings_are_read_beside_ranks() -> None:
    layout = splits("multiclass")[0].layout
    assert {"city__code", *layout.targets["city"]} <= set(forest_rows.columns(layout))


# Weights, losses, constraints


def test_a_row_of_weight_two_counts_as_the_row_twice() -> None:
    """In every leaf, of which there is one here: where to split is drawn. (A random forest draws rows, too.)"""
    train, grid = waves("regression")
    weights = np.where(np.arange(train.n_rows) % 3 == 0, 2.0, 1.0)
    twice = Data.of(pl.concat([train.frame, train.frame.filter(pl.Series(weights == 2))]), train.layout)
    own: dict[str, Any] = {"max_iterations": 1, "min_samples_leaf": train.n_rows}
    heavy = grown("extra_trees", weighted(train, weights), **own).predict(grid)
    np.testing.assert_allclose(heavy, np.average(train.y, weights=weights), rtol=1e-5)
    np.testing.assert_allclose(heavy, grown("extra_trees", twice, **own).predict(grid), rtol=1e-5)


@either
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_heavy_rows_are_believed_over_light_ones(name: str, task: Task) -> None:
    train, _ = waves(task)
    frame = train.frame
    opposite = frame.with_columns(1 - pl.col("_target") if task == "binary" else -pl.col("_target"))
    both = Data.of(pl.concat([frame, opposite.select(frame.columns)]), train.layout)
    weights = np.concatenate([np.full(frame.height, 1.0), np.full(frame.height, 1e-3)])
    model = grown(name, weighted(both, weights), max_iterations=30)
    assert np.corrcoef(model.predict(train), frame.get_column("_target").to_numpy())[0, 1] > 0.5


@either
def test_the_validation_loss_is_weighted(name: str) -> None:
    train, validation, _ = splits("binary")
    weights = np.linspace(0.1, 3, validation.n_rows)
    model = grown(name, train, weighted(validation, weights), max_iterations=5)
    probabilities = model.predict(validation)
    of_label = np.where(validation.y == 1, probabilities, 1 - probabilities)
    assert model.curves["validation"][-1] == pytest.approx(np.average(-np.log(of_label), weights=weights), rel=1e-6)


@either
@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("direction", [1, -1])
def test_predictions_rise_or_fall_where_they_must(name: str, task: Task, direction: int) -> None:
    train, grid = waves(task, direction)
    holes = train.frame.with_columns(x=pl.when(pl.int_range(pl.len()) % 7 > 0).then("x"))
    train = Data.of(holes, train.layout)
    free, bound = usual(task), replace(usual(task), monotone={"x": direction})
    assert (steps(grown(name, train, learning=free, max_iterations=20).predict(grid)) * direction).min() < 0
    bound_steps = steps(grown(name, train, learning=bound, max_iterations=20).predict(grid)) * direction
    assert bound_steps.min() >= -1e-9
    assert bound_steps.max() > 0


@either
def test_what_it_cannot_learn_is_refused(name: str) -> None:
    family, layouts = FAMILIES[name], {task: splits(task)[0].layout for task in TASKS}
    assert family.refusal(layouts["binary"], Learning("log_loss", monotone={"amount": 1})) is None
    assert family.refusal(layouts["regression"], Learning("squared_error", monotone={"amount": 1})) is None
    assert "quantile" in str(family.refusal(layouts["regression"], Learning("quantile")))
    assert "absolute_error" in str(family.refusal(layouts["regression"], Learning("absolute_error")))
    assert "monotone" in str(family.refusal(layouts["multiclass"], Learning("log_loss", monotone={"amount": 1})))
    assert "GPU" in str(family.refusal(layouts["binary"], Learning("log_loss", device="gpu")))


@either
def test_one_class_alone_is_certain(name: str) -> None:
    train, _, test = splits("binary")
    no = Data.of(train.frame.filter(pl.col("_target") == 0), train.layout)
    assert grown(name, no, max_iterations=2).predict(test).max() == 0


@either
@pytest.mark.parametrize("rows", [1_000, 100_000])
def test_the_portfolio_is_in_the_space(name: str, rows: int) -> None:
    (params,) = FAMILIES[name].portfolio(Facts(rows, 3, 3))
    assert set(params) == set(FAMILIES[name].default_params())
    assert 1 <= params["min_samples_leaf"] <= 100


@either
def test_a_saved_model_predicts_the_same_in_another_process(name: str, tmp_path: Path) -> None:
    split = made("multiclass")
    model = fitted(name, "multiclass")
    digest, predictions = predicted_elsewhere(model, split.preprocessor(), split.test, tmp_path)
    assert digest == model.canonical()
    np.testing.assert_array_equal(predictions, model.predict(splits("multiclass")[2]))
