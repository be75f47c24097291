"""Losses, weights, directions and final fits: what all families promise about what they are told to learn."""

from __future__ import annotations

import itertools
from math import isnan
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from training_assets.core.encoding import Preprocessor
from training_assets.core.families import FAMILIES, Data, Learning
from training_assets.spec import Encoding
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made
from training_assets_tests.core.families.fits import fit, fitted, splits, usual

every_family_and_task = pytest.mark.parametrize(("name", "task"), list(itertools.product(FAMILIES, TASKS)))
every_family = pytest.mark.parametrize("name", FAMILIES)

LOSSES = [
    Learning("squared_error"),
    Learning("absolute_error"),
    Learning("quantile", 0.9),
    Learning("squared_error", monotone={"amount": 1}),
    Learning("absolute_error", monotone={"amount": -1}),
    Learning("quantile", 0.9, {"amount": 1}),
]


def weighed(data: Data, seed: int = 0) -> Data:
    weights = np.random.default_rng(seed).gamma(2.0, size=data.n_rows)
    return Data.of(data.frame.with_columns(_weight=pl.Series(weights)), data.layout)


def loss(task: Task, y: Any, predictions: Any, weights: Any = None) -> float:
    if task == "regression":
        return float(np.sqrt(np.average(np.square(y - predictions), weights=weights)))
    columns = predictions if task == "multiclass" else np.column_stack([1 - predictions, predictions])
    return float(np.average(-np.log(columns[np.arange(len(y)), y]), weights=weights))


def able(name: str, learning: Learning, task: Task = "regression") -> None:
    reason = FAMILIES[name].refusal(splits(task)[0].layout, learning)
    if reason is not None:
        pytest.skip(f"{name}: {reason}")


# Losses


@every_family
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_a_quantile_is_below_its_share_of_the_labels(name: str, quantile: float) -> None:
    learning = Learning("quantile", quantile)
    able(name, learning)
    train, validation, _ = splits("regression")
    model = fitted(name, "regression", learning=learning, max_iterations=200, patience=40)
    assert np.mean(train.y < model.predict(train)) == pytest.approx(quantile, abs=0.12)
    best = mean_pinball_loss(validation.y, np.full(validation.n_rows, np.quantile(train.y, quantile)), alpha=quantile)
    assert mean_pinball_loss(validation.y, model.predict(validation), alpha=quantile) < 0.8 * best


@every_family
@pytest.mark.parametrize("learning", LOSSES[1:3], ids=lambda learning: learning.loss)
def test_curves_are_of_the_loss_that_is_learnt(name: str, learning: Learning) -> None:
    able(name, learning)
    validation = weighed(splits("regression")[1])
    model = fit(name, weighed(splits("regression")[0]), validation, learning=learning)
    assert model.curve_metric == ("mae" if learning.loss == "absolute_error" else "pinball_loss")
    assert model.best_iteration is not None
    losses = {
        "absolute_error": mean_absolute_error(
            validation.y, model.predict(validation), sample_weight=validation.weights
        ),
        "quantile": mean_pinball_loss(
            validation.y, model.predict(validation), alpha=learning.quantile, sample_weight=validation.weights
        ),
    }
    shown = model.curves["validation"][model.best_iteration - 1]
    assert shown == pytest.approx(losses[learning.loss], rel=1e-6)
    assert shown == min(model.curves["validation"])


def test_what_a_family_cannot_learn_it_refuses_with_a_reason() -> None:
    regression, multiclass = splits("regression")[0].layout, splits("multiclass")[0].layout
    linear, trees, catboost = (FAMILIES[name] for name in ("linear", "hist_gradient_boosting", "catboost"))
    for family in (linear, trees, catboost):
        assert family.refusal(regression, Learning("squared_error", monotone={"amount": 1})) is None
        several = family.refusal(multiclass, Learning("log_loss", monotone={"amount": 1}))
        assert several is not None
        assert "training.monotone" in several
    for loss in ("absolute_error", "quantile"):
        assert loss in str(linear.refusal(regression, Learning(loss)))
        assert trees.refusal(regression, Learning(loss)) is catboost.refusal(regression, Learning(loss)) is None
    gpu = Learning("squared_error", device="gpu")
    assert "GPU" in str(linear.refusal(regression, gpu))
    assert "GPU" in str(trees.refusal(regression, gpu))
    assert catboost.refusal(regression, gpu) is None
    assert "GPU" in str(catboost.refusal(regression, Learning("squared_error", monotone={"amount": 1}, device="gpu")))


# Weights


@every_family_and_task
def test_weights_change_what_is_learnt_and_their_scale_does_not(name: str, task: Task) -> None:
    train, validation, test = splits(task)
    heavy = Data.of(weighed(train).frame.with_columns(_weight=pl.col("_weight") * 1024), train.layout)
    plain, once, scaled = (fit(name, data, validation, max_iterations=8) for data in (train, weighed(train), heavy))
    assert once.canonical() != plain.canonical()
    np.testing.assert_allclose(scaled.predict(test), once.predict(test), rtol=1e-6)


@every_family_and_task
def test_the_validation_loss_is_weighted_too(name: str, task: Task) -> None:
    train, validation, _ = splits(task)
    weights = weighed(validation)
    model = fit(name, train, weights)
    kept = model.best_iteration or len(model.curves["train"])
    expected = loss(task, validation.y, model.predict(validation), weights.weights)
    assert model.curves["validation"][kept - 1] == pytest.approx(expected, rel=1e-5)


@every_family
def test_class_weights_move_probabilities_towards_the_heavier_class(name: str) -> None:
    train, validation, test = splits("binary")
    heavier = [Data(data.layout, data.frame, (1.0, 10.0)) for data in (train, validation)]
    assert fit(name, *heavier).predict(test).mean() > fitted(name, "binary").predict(test).mean() + 0.05


@every_family_and_task
def test_wrong_rows_of_no_weight_do_no_harm(name: str, task: Task) -> None:
    train, validation, test = splits(task)
    rng = np.random.default_rng(0)
    wrong = rng.random(train.n_rows) < 0.5
    label = pl.Series(np.where(wrong, rng.permutation(train.y), train.y), dtype=train.frame["_target"].dtype)
    spoilt = train.frame.with_columns(_target=label, _weight=pl.Series(np.where(wrong, 1e-6, 1.0)))
    weighted, unweighted = (
        fit(name, Data.of(frame, train.layout), validation) for frame in (spoilt, spoilt.drop("_weight"))
    )
    harm = loss(task, test.y, unweighted.predict(test)) - loss(task, test.y, fitted(name, task).predict(test))
    assert harm > 0
    assert loss(task, test.y, weighted.predict(test)) < loss(task, test.y, unweighted.predict(test)) - harm / 4


# Directions


@every_family
@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("direction", [1, -1])
def test_predictions_rise_or_fall_with_the_quantity(name: str, task: Task, direction: int) -> None:
    learning = Learning(usual(task).loss, monotone={"amount": direction})
    able(name, learning, task)
    model = fitted(name, task, learning=learning)
    split = made(task)
    values = [0.0, 5.0, 20.0, 60.0, 100.0, 101.0, 200.0, 1000.0]
    preprocessor = split.preprocessor()
    swept = [
        model.predict(Data.of(preprocessor.encode(split.test.with_columns(amount=pl.lit(value))), preprocessor.layout))
        for value in values
    ]
    steps = direction * np.diff(np.array(swept), axis=0)
    assert steps.min() >= -1e-9 * np.abs(swept).max()
    assert direction == -1 or steps.max() > 0


@every_family
@pytest.mark.parametrize(("loss", "quantile"), [("absolute_error", 0.5), ("quantile", 0.1), ("quantile", 0.9)])
def test_leaves_that_are_set_after_growth_keep_directions_too(name: str, loss: Any, quantile: float) -> None:
    """Skewed labels that mostly fall with `x` where it has to rise: medians of leaves would follow them."""
    learning = Learning(loss, quantile, {"x": 1})
    rng = np.random.default_rng(0)
    x, z, spread = rng.uniform(-3, 3, 2000), rng.normal(size=2000), np.exp(rng.normal(size=2000))
    rows = pl.DataFrame({"_target": x + 2 * np.sin(3 * x) + z * x + spread, "x": x, "z": z})
    preprocessor = Preprocessor.fit(rows, {"x": "numeric", "z": "numeric"}, Encoding(), "regression", [], 0)
    train = Data.of(preprocessor.encode_training(rows), preprocessor.layout)
    reason = FAMILIES[name].refusal(train.layout, learning)
    if reason is not None:
        pytest.skip(f"{name}: {reason}")
    swept = pl.DataFrame({"x": np.tile(np.linspace(-3, 3, 60), 20), "z": np.repeat(rng.normal(size=20), 60)})
    model = fit(name, train, None, learning=learning, max_iterations=40)
    predictions = model.predict(Data.of(preprocessor.encode(swept), preprocessor.layout)).reshape(20, 60)
    assert np.diff(predictions, axis=1).min() >= -1e-6


def test_the_linear_family_refuses_a_direction_of_what_it_reads_as_sine_and_cosine() -> None:
    day = pl.date(2026, 1, 1).cast(pl.Datetime)
    hours = pl.select(day + pl.duration(minutes=7 * pl.int_range(200))).to_series()
    rows = pl.DataFrame({"when": hours, "_target": ["no", "yes"] * 100})
    preprocessor = Preprocessor.fit(rows, {"when": "date"}, Encoding(), "binary", ["no", "yes"], 0)
    rising = {name: Learning("log_loss", monotone={name: 1}) for name in ("when__hour", "when__elapsed")}
    refusal = FAMILIES["linear"].refusal
    assert "cyclic: false" in (refusal(preprocessor.layout, rising["when__hour"]) or "")
    assert refusal(preprocessor.layout, rising["when__elapsed"]) is None


@every_family
def test_a_direction_of_a_column_that_is_no_quantity_changes_nothing(name: str) -> None:
    other = Learning("log_loss", monotone={"not there": 1})
    assert fitted(name, "binary", learning=other).canonical() == fitted(name, "binary").canonical()


# Final fits


@every_family_and_task
def test_without_validation_rows_all_iterations_are_made_and_kept(name: str, task: Task) -> None:
    train, _, test = splits(task)
    told: list[tuple[int, float]] = []

    def note(made: int, loss: float) -> bool:
        told.append((made, loss))
        return False

    model = fit(name, train, None, max_iterations=23, patience=1, stop=note)
    assert model.curves["validation"] == []
    made = len(told)
    assert made == 23 or (name == "linear" and 1 < made < 23)  # a solver that has converged is done
    assert [iteration for iteration, _ in told] == list(range(1, made + 1))
    assert all(isnan(loss) for _, loss in told)
    assert model.best_iteration == (None if name == "linear" else 23)
    assert np.isfinite(model.predict(test)).all()


@every_family_and_task
def test_a_final_fit_is_the_trial_at_its_iterations(name: str, task: Task) -> None:
    """Validation rows decide how many iterations are kept, and nothing else."""
    train, validation, test = splits(task)
    trial = fit(name, train, validation, max_iterations=20, patience=20)
    final = fit(name, train, None, max_iterations=trial.best_iteration or 20)
    np.testing.assert_allclose(final.predict(test), trial.predict(test), rtol=1e-9)


@every_family
def test_a_final_fit_that_is_told_to_stop_keeps_all_iterations_so_far(name: str) -> None:
    train = splits("binary")[0]
    model = fit(name, train, None, stop=lambda made, _loss: made == 5)
    assert model.best_iteration in {None, 5}
    assert model.canonical() == fit(name, train, None, max_iterations=5).canonical()


@every_family
def test_a_final_fit_on_both_splits_learns_from_both(name: str) -> None:
    train, validation, _ = splits("binary")
    both = train.and_also(validation)
    assert both.n_rows == train.n_rows + validation.n_rows
    assert fit(name, both, None, max_iterations=5).canonical() != fit(name, train, None, max_iterations=5).canonical()


# Repeated


@every_family
@pytest.mark.parametrize("learning", LOSSES, ids=lambda learning: f"{learning.loss} {len(learning.monotone)}")
def test_a_regression_is_the_same_on_any_number_of_threads(name: str, learning: Learning) -> None:
    able(name, learning)
    plain, weighted = splits("regression")[:2], [weighed(data) for data in splits("regression")[:2]]
    for train, validation in (plain, weighted, (weighted[0], None)):
        one, two = (
            fit(name, train, validation, learning=learning, threads=threads, max_iterations=4) for threads in (1, 2)
        )
        assert one.canonical() == two.canonical()


@every_family
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_weighted_classifier_is_the_same_on_any_number_of_threads(name: str, task: Task) -> None:
    train, validation, _ = (weighed(data) for data in splits(task))
    for watched in (validation, None):
        one, two = (fit(name, train, watched, threads=threads, max_iterations=4) for threads in (1, 2))
        assert one.canonical() == two.canonical()
