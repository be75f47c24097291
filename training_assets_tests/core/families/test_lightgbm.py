from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import lightgbm
import numpy as np
import polars as pl
import pytest

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Data, Facts, Learning, binning, lightgbm_rows
from training_assets.core.families.lightgbm_model import LightGBMModel
from training_assets.spec import Encoding
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made
from training_assets_tests.core.families.fits import fit, fitted, splits
from training_assets_tests.core.families.promises import predicted_elsewhere, steps, waves, weighted

FAMILY = "lightgbm"


def model_of(train: Data, validation: Data | None, **settings: Any) -> LightGBMModel:
    return cast("LightGBMModel", fit(FAMILY, train, validation, **settings))


# Shared rows


def test_fits_at_the_same_time_from_one_dataset_are_those_one_after_the_other() -> None:
    settings: list[dict[str, Any]] = [
        {"num_leaves": leaves, "categories": categories, "seed": seed}
        for leaves in (7, 31)
        for categories in ("native", "ranked")
        for seed in (0, 1)
    ]
    made_rows = made("binary", rows=6000)
    train, validation, _ = made_rows.data()
    one_by_one = [model_of(train, validation, **each).canonical() for each in settings]
    again, watched, _ = made_rows.data()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: model_of(again, watched, **each).canonical(), settings))
    assert together == one_by_one
    assert len(set(together)) == len(settings)


def test_rows_are_binned_once_for_each_way_to_read_categories() -> None:
    train, validation, _ = made("binary").data()
    for categories, leaves in (("native", 7), ("ranked", 7), ("native", 31)):
        fit(FAMILY, train, validation, categories=categories, num_leaves=leaves, max_iterations=2)
    names = [name[0] for name in train._views if isinstance(name, tuple)]
    assert (names.count("lightgbm"), names.count("lightgbm validation")) == (2, 2)


def test_a_model_holds_no_rows() -> None:
    assert set(vars(fitted(FAMILY, "binary"))) == {
        *("text", "fit", "share_of", "n_columns", "task", "n_classes", "scale", "family")
    }


def test_calls_at_the_same_time_agree_on_the_number_of_threads() -> None:
    threads = lightgbm_rows._Threads()
    with threads.of(3) as first, threads.of(1) as second:
        assert (first, second) == (3, 3)
        with threads.of(2) as third:
            assert third == 3
    with threads.of(1) as afterwards:
        assert afterwards == 1


# Categories


def test_categories_are_read_as_such_or_as_ranks() -> None:
    native = model_of(*splits("binary")[:2], categories="native")
    ranked = model_of(*splits("binary")[:2], categories="ranked")
    assert "cat_threshold" in native.text
    assert "cat_threshold" not in ranked.text


def test_a_category_with_too_many_codes_is_read_as_ranks() -> None:
    levels = np.arange(2000) % 400
    rows = pl.DataFrame(
        {
            "_target": np.where(levels % 2 == 0, "yes", "no"),
            "wide": [f"{level:03d}" for level in levels],
            "narrow": [f"{level % 200:03d}" for level in levels],
        }
    )
    kinds: FeatureKinds = {"wide": "categorical", "narrow": "categorical"}
    fitted_preprocessor = Preprocessor.fit(rows, kinds, Encoding(), "binary", ["no", "yes"], 0)
    data = Data.of(fitted_preprocessor.encode_training(rows), fitted_preprocessor.layout)
    assert lightgbm_rows.native(data) == [1]
    assert fit(FAMILY, data, data, max_iterations=5).importances()["narrow"] > 0.75


# Stopping


def test_without_validation_rows_all_iterations_are_made_and_kept() -> None:
    told: list[tuple[int, bool]] = []

    def note(iteration: int, loss: float) -> bool:
        told.append((iteration, np.isnan(loss)))
        return False

    model = fit(FAMILY, splits("binary")[0], None, max_iterations=23, patience=1, stop=note)
    assert model.best_iteration == 23
    assert told == [(iteration, True) for iteration in range(1, 24)]
    assert model.curves == {"train": [], "validation": []}


def test_without_validation_rows_a_stop_keeps_what_there_is() -> None:
    model = model_of(splits("binary")[0], None, max_iterations=23, stop=lambda iteration, _loss: iteration == 4)
    assert model.best_iteration == model.text.count("Tree=") == 4


def test_the_best_iteration_is_the_one_that_is_kept() -> None:
    model = model_of(*splits("binary")[:2], learning_rate=0.5, max_iterations=200)
    assert model.best_iteration == model.text.count("Tree=") < len(model.curves["validation"])


def test_a_fit_ends_where_no_tree_can_be_grown() -> None:
    model = fitted(FAMILY, "binary", min_data_in_leaf=300, max_iterations=50)
    assert len(model.curves["validation"]) == 1
    assert len(np.unique(model.predict(splits("binary")[2]))) == 1


# Losses, weights, constraints


@pytest.mark.parametrize("quantile", [0.1, 0.9])
def test_a_quantile_has_its_share_of_labels_below(quantile: float) -> None:
    train, validation, test = made("regression", rows=6000).data()
    learning = Learning("quantile", quantile=quantile)
    own = {"learning_rate": 0.1, "num_leaves": 8, "min_data_in_leaf": 100}
    model = model_of(train, validation, learning=learning, max_iterations=200, **own)
    assert np.mean(train.y <= model.predict(train)) == pytest.approx(quantile, abs=0.02)
    assert np.mean(test.y <= model.predict(test)) == pytest.approx(quantile, abs=0.07)
    misses = validation.y - model.predict(validation)
    loss = np.mean(np.maximum(quantile * misses, (quantile - 1) * misses))
    assert min(model.curves["validation"]) == pytest.approx(loss, rel=1e-5)
    assert model.curve_metric == "pinball_loss"


def test_the_absolute_error_is_learnt_in_the_values_own_unit() -> None:
    train, validation, _ = splits("regression")
    model = model_of(train, validation, learning=Learning("absolute_error"))
    misses = np.abs(validation.y - model.predict(validation))
    assert min(model.curves["validation"]) == pytest.approx(misses.mean(), rel=1e-5)
    assert model.curve_metric == "mae"


def test_values_far_from_zero_keep_their_differences() -> None:
    split = made("regression")
    far = replace(
        split, **{name: getattr(split, name).with_columns(pl.col("_target") + 1e9) for name in ("train", "validation")}
    )
    train, validation, _ = far.data()
    near = fitted(FAMILY, "regression")
    moved = fit(FAMILY, train, validation)
    np.testing.assert_allclose(moved.curves["validation"], near.curves["validation"], rtol=1e-3)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_heavy_rows_are_believed_over_light_ones(task: Task) -> None:
    train, _ = waves(task)
    frame = train.frame
    opposite = frame.with_columns(1 - pl.col("_target") if task == "binary" else -pl.col("_target"))
    both = Data.of(pl.concat([frame, opposite.select(frame.columns)]), train.layout)
    weights = np.concatenate([np.full(frame.height, 1.0), np.full(frame.height, 1e-3)])
    model = fit(FAMILY, weighted(both, weights), None)
    assert np.corrcoef(model.predict(train), frame.get_column("_target").to_numpy())[0, 1] > 0.5


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("direction", [1, -1])
def test_predictions_rise_or_fall_where_they_must(task: Task, direction: int) -> None:
    train, grid = waves(task, direction)
    free = Learning("squared_error" if task == "regression" else "log_loss")
    bound = replace(free, monotone={"x": direction})
    own: dict[str, Any] = {"path_smooth": 5.0, "min_data_in_leaf": 5}
    assert (steps(fit(FAMILY, train, None, learning=free, **own).predict(grid)) * direction).min() < 0
    bound_steps = steps(fit(FAMILY, train, None, learning=bound, **own).predict(grid)) * direction
    assert bound_steps.min() >= 0
    assert bound_steps.max() > 0


def test_what_it_cannot_learn_is_refused() -> None:
    family, layouts = FAMILIES[FAMILY], {task: splits(task)[0].layout for task in TASKS}
    monotone = {"amount": 1}
    assert family.refusal(layouts["binary"], Learning("log_loss", monotone=monotone, device="gpu")) is None
    assert family.refusal(layouts["regression"], Learning("quantile")) is None
    assert "monotone" in str(family.refusal(layouts["regression"], Learning("quantile", monotone=monotone)))
    assert "monotone" in str(family.refusal(layouts["regression"], Learning("absolute_error", monotone=monotone)))
    assert "monotone" in str(family.refusal(layouts["multiclass"], Learning("log_loss", monotone=monotone)))


def test_lightgbm_itself_has_no_constraints_for_a_quantile() -> None:
    train, _ = waves("regression")
    with pytest.raises(lightgbm.basic.LightGBMError, match="monotone_constraints"):
        fit(FAMILY, train, None, learning=Learning("quantile", monotone={"x": 1}))


def test_a_gpu_that_is_not_there_is_said() -> None:
    try:
        lightgbm.Booster({"device_type": "gpu", "verbosity": -1}, lightgbm.Dataset(np.eye(9), np.arange(9)))
    except lightgbm.basic.LightGBMError:
        with pytest.raises(InputError, match=r"E_DEVICE: training.device: LightGBM finds no GPU.*set it to cpu"):
            fitted(FAMILY, "binary", learning=Learning("log_loss", device="gpu"))
    else:
        assert fitted(FAMILY, "binary", learning=Learning("log_loss", device="gpu")).best_iteration


# Parameters


@pytest.mark.parametrize("rows", [1_000, 100_000])
def test_the_portfolio_is_of_different_settings_in_the_space(rows: int) -> None:
    first, second = FAMILIES[FAMILY].portfolio(Facts(rows, 3, 3))
    assert set(first) == set(second) == set(FAMILIES[FAMILY].default_params())
    assert first["num_leaves"] != second["num_leaves"]
    plain = FAMILIES[FAMILY].portfolio(Facts(rows, 3, 0))
    assert all(not {"categories", "cat_smooth", "min_data_per_group"} & set(params) for params in plain)


# The file


@pytest.mark.parametrize("task", TASKS)
def test_the_file_is_lightgbms_own(task: Task, tmp_path: Path) -> None:
    model = model_of(*splits(task)[:2])
    model.save(tmp_path)
    booster = lightgbm.Booster(model_file=tmp_path / "model.txt")
    test = splits(task)[2]
    raw = np.asarray(booster.predict(np.concatenate(list(binning.blocks(test)))))
    np.testing.assert_array_equal(model.predict(test), raw * model.scale[1] + model.scale[0])


def test_a_saved_model_predicts_the_same_in_another_process(tmp_path: Path) -> None:
    split = made("multiclass")
    model = fitted(FAMILY, "multiclass")
    digest, predictions = predicted_elsewhere(model, split.preprocessor(), split.test, tmp_path)
    assert digest == model.canonical()
    np.testing.assert_array_equal(predictions, model.predict(splits("multiclass")[2]))
