"""The multi-layer perceptron: what it learns, what it refuses, and its file."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.encoding import Preprocessor
from training_assets.core.families import FAMILIES, Data, Facts, Learning, load, mlp, mlp_model
from training_assets.core.families.mlp import KEPT
from training_assets.core.families.mlp_model import MlpModel
from training_assets.spec import Encoding
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made, strange
from training_assets_tests.core.families.fits import fit, fitted, never, splits, usual
from training_assets_tests.core.families.promises import predicted_elsewhere

SMALL: dict[str, Any] = {"width": 8, "max_iterations": 4}


def model(task: Task, **settings: Any) -> MlpModel:
    return cast("MlpModel", fitted("mlp", task, **{**SMALL, **settings}))


# What is learnt


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_layers_and_width_are_those_that_were_asked_for(task: Task, layers: int) -> None:
    shapes = [weights.shape for weights, _ in model(task, layers=layers).layers]
    assert [width for _, width in shapes[:-1]] == [8] * layers
    assert shapes[-1] == (8, 3 if task == "multiclass" else 1)


@pytest.mark.parametrize("task", TASKS)
def test_after_one_iteration_it_predicts_as_the_estimator_does(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.neural_network

    made_by: list[Any] = []
    name = "MLPRegressor" if task == "regression" else "MLPClassifier"
    kind = getattr(sklearn.neural_network, name)

    def noted(**given: Any) -> Any:
        made_by.append(kind(**given))
        return made_by[0]

    monkeypatch.setattr(sklearn.neural_network, name, noted)
    train, _, test = splits(task)
    found = cast("MlpModel", fit("mlp", train, None, max_iterations=1, layers=2, width=16))
    rows = mlp_model.squashed_rows(test, found.scale)[:]
    if task == "regression":
        expected = made_by[0].predict(rows) * found.label_spread + found.label_center
    else:
        chances = made_by[0].predict_proba(rows)
        expected = chances[:, 1] if task == "binary" else chances
    np.testing.assert_allclose(found.predict(test), expected, rtol=1e-4, atol=1e-5)


def test_its_layers_are_a_moving_mean_of_those_after_each_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neural_network import MLPClassifier

    seen: list[list[Any]] = []
    learn = MLPClassifier.partial_fit

    def noted(self: Any, *rows: Any, **given: Any) -> Any:
        learnt = learn(self, *rows, **given)
        seen.append([each.copy() for each in self.coefs_])
        return learnt

    monkeypatch.setattr(MLPClassifier, "partial_fit", noted)
    found = cast("MlpModel", fit("mlp", splits("binary")[0], None, max_iterations=8, layers=2, width=16))
    assert len(seen) == 8
    for place, (weights, _) in enumerate(found.layers):
        mean = np.mean([each[place] for each in seen[:5]], axis=0)
        for each in seen[5:]:
            mean = KEPT * mean + (1 - KEPT) * each[place]
        np.testing.assert_allclose(weights, mean, rtol=1e-4, atol=1e-6)


def test_noise_is_on_quantities_alone_other_each_time_and_as_wide_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neural_network import MLPClassifier

    seen: list[Any] = []
    learn = MLPClassifier.partial_fit

    def noted(self: Any, rows: Any, *labels: Any, **given: Any) -> Any:
        seen.append(rows.copy())
        return learn(self, rows, *labels, **given)

    monkeypatch.setattr(MLPClassifier, "partial_fit", noted)
    train, _, _ = splits("binary")
    found = cast("MlpModel", fit("mlp", train, None, max_iterations=2, width=8, noise=0.3))
    calm = mlp_model.squashed_rows(train, found.scale)
    quantities = calm.n_quantities
    assert 0 < quantities < calm.shape[1]
    first, second = (rows - calm[:] for rows in seen)
    for noise in (first, second):
        assert np.all(noise[:, quantities:] == 0)
        assert noise[:, :quantities].std() == pytest.approx(0.3, rel=0.1)
        assert noise[:, :quantities].mean() == pytest.approx(0.0, abs=0.03)
    assert not np.any(first[:, :quantities] == second[:, :quantities])
    np.testing.assert_array_equal(mlp_model.squashed_rows(train, found.scale)[:], calm[:])


@pytest.mark.parametrize("task", TASKS)
def test_it_stops_early_and_keeps_the_weights_of_the_best_iteration(task: Task) -> None:
    train, validation, test = splits(task)
    found = fit("mlp", train, validation, max_iterations=200, patience=100, learning_rate_init=0.01)
    losses = found.curves["validation"]
    assert found.best_iteration == int(np.argmin(losses)) + 1
    assert len(losses) == found.best_iteration + mlp.PATIENCE < 200
    again = fit("mlp", train, None, max_iterations=found.best_iteration, learning_rate_init=0.01)
    np.testing.assert_array_equal(again.predict(test), found.predict(test))


def test_what_an_earlier_study_does_not_name_stays_at_its_default() -> None:
    train, validation, test = splits("binary")
    how: dict[str, Any] = {"learning": usual("binary"), "threads": 1, "seed": 0, "max_iterations": 2}
    known = {name: value for name, value in FAMILIES["mlp"].default_params().items() if name != "noise"}
    one, other = (
        FAMILIES["mlp"].fit(params, train, validation, patience=9, stop=never, **how)
        for params in (known, {**known, "noise": 0.0})
    )
    np.testing.assert_array_equal(one.predict(test), other.predict(test))


def test_a_shorter_patience_is_kept_to() -> None:
    found = fitted("mlp", "binary", patience=2, max_iterations=200, learning_rate_init=0.01)
    assert found.best_iteration is not None
    assert len(found.curves["validation"]) == found.best_iteration + 2


@settings(max_examples=8, deadline=None)
@given(center=st.floats(-1e6, 1e6), spread=st.floats(1e-3, 1e6))
def test_where_values_lie_and_how_far_apart_changes_nothing(center: float, spread: float) -> None:
    train, validation, test = splits("regression")

    def moved(data: Data) -> Data:
        return Data.of(data.frame.with_columns(pl.col("_target") * spread + center), data.layout)

    plain = fit("mlp", train, validation, **SMALL).predict(test)
    found = fit("mlp", moved(train), moved(validation), **SMALL).predict(test)
    size = np.abs(found).max()
    np.testing.assert_allclose(found, plain * spread + center, rtol=1e-3, atol=1e-5 * size + 1e-3 * spread)


@pytest.mark.parametrize("task", TASKS)
def test_values_far_beyond_those_of_training_give_finite_predictions(task: Task) -> None:
    split = made(task)
    preprocessor = split.preprocessor()
    far = strange(split.test).with_columns(**{"noise": pl.lit(1e300), "count (n)": pl.lit(-(2**62))})
    predicted = model(task).predict(Data.of(preprocessor.encode(far), preprocessor.layout))
    assert np.isfinite(predicted).all()


def test_equal_values_are_predicted_as_they_are() -> None:
    train, validation, test = splits("regression")
    same = Data.of(train.frame.with_columns(_target=pl.lit(7.0)), train.layout)
    found = fit("mlp", same, validation, max_iterations=200, learning_rate_init=0.01)
    assert np.abs(found.predict(test) - 7).mean() < 0.5


def test_rows_of_constant_columns_are_learnt_from_without_a_gain() -> None:
    split = made("binary")
    preprocessor = Preprocessor.fit(split.train, {"flat": "numeric"}, Encoding(), "binary", split.classes, 0)
    train, test = (Data.of(preprocessor.encode(rows), preprocessor.layout) for rows in (split.train, split.test))
    found = fit("mlp", train, test, max_iterations=20)
    assert len(np.unique(found.predict(test))) == 1
    assert found.importances() == {"flat": 1.0}


def test_one_row_can_be_learnt_from() -> None:
    train, validation, test = splits("multiclass")
    one = Data.of(train.frame[:1], train.layout)
    predictions = fit("mlp", one, validation, **SMALL).predict(test)
    assert (predictions[:, one.y[0]] == 1).all()


# Iterations over many rows


@pytest.mark.parametrize("n_rows", [mlp.STRETCH + 1, 100_000, 2 * mlp.STRETCH, 200_000])
def test_an_iteration_has_as_many_rows_however_many_there_are(n_rows: int) -> None:
    """So that the iterations of a trial say how many a final fit of more rows needs."""
    dealt = list(itertools.islice(mlp._stretches(n_rows, np.random.default_rng(0)), 8))
    assert {len(rows) for rows in dealt} == {mlp.STRETCH}
    times = np.bincount(np.concatenate(dealt), minlength=n_rows)
    passes = 8 * mlp.STRETCH // n_rows
    assert set(times) <= {passes, passes + 1}  # each row once a pass
    again = itertools.islice(mlp._stretches(n_rows, np.random.default_rng(0)), 8)
    assert all(np.array_equal(one, other) for one, other in zip(dealt, again, strict=True))


def test_few_rows_are_all_read_in_an_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(mlp._stretches(mlp.STRETCH, np.random.default_rng(0))) == slice(None)
    monkeypatch.setattr(mlp, "STRETCH", 150)  # so that the 400 rows are many
    told: list[int] = []

    def note(made: int, _loss: float) -> bool:
        told.append(made)
        return False

    train, validation, test = splits("binary")
    found = fit("mlp", train, validation, max_iterations=12, stop=note)
    assert told == list(range(1, 13))
    two = fit("mlp", train, validation, max_iterations=12, threads=2)
    assert two.canonical() == found.canonical()
    assert ((found.predict(test) >= 0.5) == test.y).mean() > 0.7


# Refused


@pytest.mark.parametrize(
    ("learning", "why"),
    [
        (Learning("absolute_error"), "absolute_error"),
        (Learning("quantile", 0.9), "quantile"),
        (Learning("squared_error", monotone={"amount": 1}), "rise or fall"),
        (Learning("squared_error", device="gpu"), "GPU"),
    ],
)
def test_what_it_cannot_learn_it_refuses(learning: Learning, why: str) -> None:
    reason = FAMILIES["mlp"].refusal(splits("regression")[0].layout, learning)
    assert why in (reason or "")


def test_wide_rows_are_refused_with_their_width(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = splits("binary")[0].layout
    assert FAMILIES["mlp"].refusal(layout, usual("binary")) is None
    monkeypatch.setattr(mlp, "MOST_COLUMNS", 4)
    assert "columns are more than 4" in (FAMILIES["mlp"].refusal(layout, usual("binary")) or "")


def test_nothing_else_of_the_fit_is_chosen_by_rows_but_the_batch() -> None:
    family = FAMILIES["mlp"]
    few, many = (family.portfolio(Facts(rows, 1, 1)) for rows in (100, 1_000_000))
    for one, other in zip(few, many, strict=True):
        assert {name for name in one if one[name] != other[name]} == {"batch_size"}


# Saved


@pytest.mark.parametrize("task", TASKS)
def test_another_process_reads_the_same_model(task: Task, tmp_path: Path) -> None:
    split = made(task)
    preprocessor, found = split.preprocessor(), model(task)
    rows = strange(split.test).drop("_target")
    canonical, elsewhere = predicted_elsewhere(found, preprocessor, rows, tmp_path)
    here = found.predict(Data.of(preprocessor.encode(rows), preprocessor.layout))
    assert canonical == found.canonical()
    np.testing.assert_array_equal(elsewhere, here)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"w0": np.zeros((3, 4), np.float32), "b0": np.zeros(5, np.float32)},
        {"w0": np.zeros(4, np.float32), "b0": np.zeros(4, np.float32)},
        {
            "w0": np.zeros((3, 4), np.float32),
            "b0": np.zeros(4, np.float32),
            "w1": np.zeros((5, 1), np.float32),
            "b1": np.zeros(1, np.float32),
        },
    ],
)
def test_arrays_that_are_no_layers_are_refused(broken: dict[str, Any], tmp_path: Path) -> None:
    model("binary").save(tmp_path)
    np.savez(tmp_path / mlp_model.FILE, allow_pickle=False, **broken)
    with pytest.raises(ValueError, match="not the layers of a network"):
        load("mlp", tmp_path)


def test_a_pickle_among_the_arrays_is_not_opened(tmp_path: Path) -> None:
    model("binary").save(tmp_path)
    np.savez(tmp_path / mlp_model.FILE, w0=np.array([print], dtype=object), b0=np.zeros(1))
    with pytest.raises(ValueError, match="allow_pickle"):
        load("mlp", tmp_path)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), task=st.sampled_from(TASKS))
def test_any_changed_weight_is_another_canonical_digest(data: st.DataObject, task: Task) -> None:
    found = model(task)
    layer = data.draw(st.integers(0, len(found.layers) - 1))
    part = data.draw(st.integers(0, 1))
    changed = [list(pair) for pair in found.layers]
    array = changed[layer][part].copy()
    place = data.draw(st.integers(0, array.size - 1))
    array.flat[place] = np.nextafter(array.flat[place], np.float32(np.inf))
    changed[layer][part] = array
    other = MlpModel(**{**vars(found), "layers": tuple((pair[0], pair[1]) for pair in changed)})
    assert other.canonical() != found.canonical()


def test_it_is_never_asked_again_once_it_was_stopped() -> None:
    asked: list[int] = []

    def once(made: int, _loss: float) -> bool:
        asked.append(made)
        return True

    assert fitted("mlp", "binary", stop=once, **SMALL).best_iteration == 1
    assert asked == [1]
    assert fitted("mlp", "binary", stop=never, **SMALL).best_iteration == 4
