"""What all families promise, asked of each for each task."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest

from training_assets.core.families import FAMILIES, Data, Facts, FittedModel, load
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made, strange
from training_assets_tests.core.families.fits import fit, fitted, splits

EVERY = list(itertools.product(FAMILIES, TASKS))
WITHOUT_TRAIN_CURVE = {"lightgbm", "mlp", "extra_trees", "random_forest"}
OF_CATEGORIES = {"one_hot_max_size", "categories", "cat_smooth", "min_data_per_group"}
every_family_and_task = pytest.mark.parametrize(("name", "task"), EVERY)


@cache
def default_model(name: str, task: Task) -> FittedModel:
    return fitted(name, task)


def strange_data(task: Task) -> Data:
    """Rows without labels, with what training never saw."""
    split = made(task)
    fitted_preprocessor = split.preprocessor()
    return Data.of(fitted_preprocessor.encode(strange(split.test).drop("_target")), fitted_preprocessor.layout)


def loss(task: Task, y: Any, predictions: Any) -> float:
    if task == "regression":
        return float(np.sqrt(np.mean(np.square(y - predictions))))
    columns = predictions if task == "multiclass" else np.column_stack([1 - predictions, predictions])
    return float(-np.mean(np.log(columns[np.arange(len(y)), y])))


@every_family_and_task
def test_predictions_have_the_contracts_shape(name: str, task: Task) -> None:
    _, _, test = splits(task)
    predictions = default_model(name, task).predict(test)
    assert predictions.dtype == np.float64
    assert predictions.shape == ((test.n_rows, 3) if task == "multiclass" else (test.n_rows,))
    if task != "regression":
        assert ((predictions >= 0) & (predictions <= 1)).all()
    if task == "multiclass":
        np.testing.assert_allclose(predictions.sum(axis=1), 1)


@every_family_and_task
def test_a_model_beats_the_best_constant(name: str, task: Task) -> None:
    train, _, test = splits(task)
    if task == "regression":
        constant = np.full(test.n_rows, train.y.mean())
    else:
        shares = np.bincount(train.y) / train.n_rows
        constant = np.tile(shares, (test.n_rows, 1)) if task == "multiclass" else np.full(test.n_rows, shares[1])
    assert loss(task, test.y, default_model(name, task).predict(test)) < 0.8 * loss(task, test.y, constant)


@every_family_and_task
def test_curves_have_a_loss_an_iteration(name: str, task: Task) -> None:
    model = default_model(name, task)
    assert model.family == name
    assert model.curve_metric == ("rmse" if task == "regression" else "log_loss")
    assert set(model.curves) == {"train", "validation"}
    assert len(model.curves["validation"]) > 0
    assert len(model.curves["train"]) == (0 if name in WITHOUT_TRAIN_CURVE else len(model.curves["validation"]))
    assert all(np.isfinite(losses).all() for losses in model.curves.values())


@every_family_and_task
def test_the_curves_loss_at_the_best_iteration_is_the_models(name: str, task: Task) -> None:
    model = default_model(name, task)
    train, validation, _ = splits(task)
    kept = model.best_iteration or len(model.curves["validation"])
    for split, data in (("train", train), ("validation", validation)):
        if split == "train" and (name == "catboost" or name in WITHOUT_TRAIN_CURVE):
            continue  # while CatBoost learns, a row's categories are averaged over the rows before it alone
        assert model.curves[split][kept - 1] == pytest.approx(loss(task, data.y, model.predict(data)), rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["catboost", "hist_gradient_boosting", "lightgbm"])
def test_boosting_stops_early_and_keeps_the_best_iteration(name: str, task: Task) -> None:
    model = fitted(name, task, learning_rate=0.3, max_iterations=500, patience=15)
    losses = model.curves["validation"]
    assert model.best_iteration == int(np.argmin(losses)) + 1
    assert len(losses) == model.best_iteration + 15 < 500


@every_family_and_task
def test_importances_are_shares_by_the_features_own_names(name: str, task: Task) -> None:
    importances = default_model(name, task).importances()
    assert set(importances) == set(made(task).kinds)
    assert sum(importances.values()) == pytest.approx(1)
    assert min(importances.values()) >= 0
    assert importances["empty"] == importances["flat"] == pytest.approx(0, abs=1e-9)
    assert max(importances, key=importances.__getitem__) in {"amount", "colour", "count (n)", "city"}


# Saved and loaded


@every_family_and_task
def test_a_loaded_model_is_the_one_that_was_saved(name: str, task: Task, tmp_path: Path) -> None:
    model = default_model(name, task)
    model.save(tmp_path)
    read = load(name, tmp_path)
    assert read.canonical() == model.canonical()
    assert read.importances() == model.importances()
    assert (read.family, read.best_iteration, read.curve_metric) == (name, model.best_iteration, model.curve_metric)
    assert read.curves == model.curves
    for data in (splits(task)[2], strange_data(task)):
        np.testing.assert_array_equal(read.predict(data), model.predict(data))


@every_family_and_task
def test_no_file_is_a_pickle(name: str, task: Task, tmp_path: Path) -> None:
    default_model(name, task).save(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) <= {"fit.json", "layers.npz", "model.cbm", "model.txt", "trees.npz", "weights.npz"}
    assert {content[:4] for content in written.values()} <= {b'{"cu', b"CBM1", b"tree", b"PK\x03\x04"}


@every_family_and_task
def test_one_row_and_no_row_are_rows_too(name: str, task: Task) -> None:
    _, _, test = splits(task)
    model = default_model(name, task)
    every = model.predict(test)
    alone = model.predict(Data.of(test.frame[7:8].drop("_target"), test.layout))
    np.testing.assert_allclose(alone[0], every[7], rtol=1e-12)
    assert model.predict(Data.of(test.frame[:0].drop("_target"), test.layout)).shape == (0, *every.shape[1:])


# Repeated


@every_family_and_task
def test_the_same_fit_gives_the_same_model_on_any_number_of_threads(name: str, task: Task) -> None:
    first, again, wider = (fitted(name, task, max_iterations=8, threads=threads) for threads in (1, 1, 2))
    assert first.canonical() == again.canonical() == wider.canonical()
    _, _, test = splits(task)
    np.testing.assert_array_equal(first.predict(test), wider.predict(test))


@every_family_and_task
def test_another_fit_has_another_canonical_digest(name: str, task: Task) -> None:
    forest = {"min_samples_leaf": 20}
    others: dict[str, dict[str, Any]] = {
        "linear": {"l2": 50.0},
        "extra_trees": forest,
        "random_forest": forest,
        "mlp": {"alpha": 0.1},
    }
    other = others.get(name, {"learning_rate": 0.2})
    assert fitted(name, task, **other).canonical() != default_model(name, task).canonical()


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "linear"])
def test_the_seed_decides_what_is_random(name: str) -> None:
    assert fitted(name, "binary", seed=1).canonical() != default_model(name, "binary").canonical()


# Stopped


@every_family_and_task
def test_a_fit_is_told_to_stop_and_ends_with_the_best_iteration_so_far(name: str, task: Task) -> None:
    told: list[tuple[int, float]] = []

    def after_three(made: int, loss: float) -> bool:
        told.append((made, loss))
        return made >= 3

    model = fitted(name, task, stop=after_three)
    assert told == list(enumerate(model.curves["validation"], start=1))
    assert len(told) == 3
    assert model.best_iteration is None or 1 <= model.best_iteration <= 3
    assert np.isfinite(model.predict(splits(task)[2])).all()


@every_family_and_task
def test_a_fit_that_is_stopped_at_once_has_one_iteration(name: str, task: Task) -> None:
    model = fitted(name, task, stop=lambda _made, _loss: True)
    assert len(model.curves["validation"]) == 1
    assert np.isfinite(model.predict(splits(task)[2])).all()


# Awkward labels


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("missing", ["a", "c"])
def test_a_class_without_training_rows_is_still_a_column(name: str, missing: str) -> None:
    split = made("multiclass")
    preprocessor = split.preprocessor()
    encoded = preprocessor.encode(split.train.filter(pl.col("_target") != missing))
    train, validation = (Data.of(frame, preprocessor.layout) for frame in (encoded, splits("multiclass")[1].frame))
    model = fit(name, train, validation, max_iterations=20)
    predictions = model.predict(validation)
    assert predictions.shape == (validation.n_rows, 3)
    np.testing.assert_allclose(predictions.sum(axis=1), 1)
    assert predictions[:, "abc".index(missing)].max() < 0.1


# Parameters


@pytest.mark.parametrize("name", FAMILIES)
def test_the_default_lies_in_the_space_and_names_every_parameter(name: str) -> None:
    family = FAMILIES[name]
    defaults = family.default_params()
    trial = optuna.trial.FixedTrial({f"{name}.{key}": value for key, value in defaults.items()})
    assert family.suggest(trial, Facts(rows=100, quantities=1, categories=1)) == defaults
    for key, distribution in trial.distributions.items():
        assert distribution._contains(distribution.to_internal_repr(trial.params[key]))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("categories", [0, 3])
@pytest.mark.parametrize("rows", [1, 1_000, 200_000, 50_000_000])
def test_the_portfolio_lies_in_the_space_and_no_two_are_alike(name: str, categories: int, rows: int) -> None:
    facts = Facts(rows=rows, quantities=5, categories=categories)
    portfolio = FAMILIES[name].portfolio(facts)
    assert 1 <= len(portfolio) <= 3
    assert len({repr(params) for params in portfolio}) == len(portfolio)
    for params in portfolio:
        trial = optuna.trial.FixedTrial({f"{name}.{key}": value for key, value in params.items()})
        assert FAMILIES[name].suggest(trial, facts) == params
        for key, distribution in trial.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(trial.params[key]))


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_about_categories_are_suggested_where_there_are_some(name: str) -> None:
    defaults = FAMILIES[name].default_params()
    trial = optuna.trial.FixedTrial({f"{name}.{key}": value for key, value in defaults.items()})
    without = FAMILIES[name].suggest(trial, Facts(rows=100, quantities=1, categories=0))
    assert set(without) == set(defaults) - OF_CATEGORIES


@pytest.mark.parametrize("name", FAMILIES)
def test_what_the_sampler_draws_can_be_fitted(name: str) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(4):
        params = FAMILIES[name].suggest(study.ask(), splits("binary")[0].facts)
        assert np.isfinite(fitted(name, "binary", max_iterations=5, **params).predict(splits("binary")[2])).all()
