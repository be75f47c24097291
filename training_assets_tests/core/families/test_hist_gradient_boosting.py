from __future__ import annotations

from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.families import FAMILIES, Data, Learning, binning
from training_assets.core.families.hist_gradient_boosting import HistGradientBoostingModel
from training_assets.spec import Encoding
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made, strange

FAMILY = "hist_gradient_boosting"


def fit(
    train: Data,
    validation: Data | None,
    learning: Learning | None = None,
    *,
    seed: int = 0,
    rounds: int = 40,
    **params: Any,
) -> HistGradientBoostingModel:
    model = FAMILIES[FAMILY].fit(
        params,
        train,
        validation,
        learning=learning or Learning("squared_error" if train.layout.task == "regression" else "log_loss"),
        threads=1,
        seed=seed,
        max_iterations=rounds,
        patience=rounds,
        stop=lambda _made, _loss: False,
    )
    return cast("HistGradientBoostingModel", model)


def everything(data: Data) -> Any:
    """The matrix for scikit-learn's own estimator, which cannot take a column that is missing throughout."""
    matrix = np.concatenate(list(binning.blocks(data)))
    matrix[:, data.layout.quantities.index("empty")] = 0.0
    return matrix


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("categories", ["native", "ranked"])
def test_it_is_scikit_learns_estimator(task: Task, categories: str) -> None:
    """Fit and predictions equal those of the estimator itself, missing values and unseen categories included.

    This pins what of scikit-learn's inside the family relies on: a failure here says that scikit-learn changed.
    """
    split = made(
        task, rows=2400
    )  # enough that no two splits save the same: such ties go to the column that comes first
    preprocessor = split.preprocessor()
    train, validation, test = split.data()
    odd = Data.of(preprocessor.encode(strange(split.test)), preprocessor.layout)
    # All features at every split: which ones are drawn depends on their order, and the estimator puts categories first.
    ours = fit(train, validation, categories=categories, max_features=1.0)
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    mask = [False] * len(train.layout.quantities) + [categories == "native"] * len(train.layout.codes)
    chosen = {**FAMILIES[FAMILY].default_params(), "max_features": 1.0, "max_iter": ours.best_iteration}
    chosen.pop("categories")
    theirs = kind(**chosen, categorical_features=mask if any(mask) else None, early_stopping=False, random_state=0)
    with threadpool_limits(1):
        theirs.fit(everything(train), train.y)
    for data in (train, validation, test, odd):
        matrix = everything(data)
        expected = theirs.predict(matrix) if task == "regression" else theirs.predict_proba(matrix)
        if task == "binary":
            expected = expected[:, 1]
        np.testing.assert_allclose(ours.predict(data), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("learning", "loss"),
    [
        (Learning("squared_error", monotone={"noise": 1, "amount": -1}), {"loss": "squared_error"}),
        (Learning("absolute_error"), {"loss": "absolute_error"}),
        (Learning("quantile", 0.8, {"count (n)": -1}), {"loss": "quantile", "quantile": 0.8}),
    ],
)
@pytest.mark.parametrize("categories", ["native", "ranked"])
def test_losses_weights_and_directions_are_scikit_learns(
    learning: Learning, loss: dict[str, Any], categories: str
) -> None:
    # Of few values, each has its bin; else scikit-learn weighs the rows for its bins as well.
    coarse = (pl.col("amount") / 10).round(), pl.col("noise").round(1)
    train, validation, test = (
        Data.of(data.frame.with_columns(*coarse), data.layout) for data in made("regression", rows=1200).data()
    )
    weights = np.random.default_rng(0).gamma(2.0, size=train.n_rows)
    weighted = Data.of(train.frame.with_columns(_weight=pl.Series(weights)), train.layout)
    ours = fit(weighted, validation, learning, categories=categories, max_features=1.0)
    mask = [False] * len(train.layout.quantities) + [categories == "native"] * len(train.layout.codes)
    chosen = {**FAMILIES[FAMILY].default_params(), **loss, "max_features": 1.0, "max_iter": ours.best_iteration}
    chosen.pop("categories")
    theirs = HistGradientBoostingRegressor(
        **chosen,
        categorical_features=mask if any(mask) else None,
        monotonic_cst=learning.directions(train.layout.features),
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(1):
        theirs.fit(everything(train), train.y, weighted.weights)
    np.testing.assert_allclose(ours.predict(test), theirs.predict(everything(test)), rtol=1e-11)


def test_the_validation_loss_is_scikit_learns() -> None:
    train, validation, _ = made("binary").data()
    ours = fit(train, validation, categories="ranked")
    chosen = {**FAMILIES[FAMILY].default_params(), "max_iter": 40}
    chosen.pop("categories")
    theirs = HistGradientBoostingClassifier(
        **chosen, categorical_features=None, early_stopping=True, n_iter_no_change=40, random_state=0
    )
    with threadpool_limits(1):
        theirs.fit(everything(train), train.y, X_val=everything(validation), y_val=validation.y)
    np.testing.assert_allclose(ours.curves["validation"], -theirs.validation_score_[1:], rtol=1e-12)
    np.testing.assert_allclose(ours.curves["train"], -theirs.train_score_[1:], rtol=1e-12)


def test_categories_by_mask_or_by_rank_are_different_models() -> None:
    train, validation, _ = made("binary").data()
    assert (
        fit(train, validation, categories="native").canonical()
        != fit(train, validation, categories="ranked").canonical()
    )


def test_rows_are_binned_once_for_each_way_to_read_categories() -> None:
    train, validation, _ = made("binary").data()
    for categories in ("native", "ranked", "native"):
        fit(train, validation, rounds=2, categories=categories)
    views = [name[0] for name in train._views if isinstance(name, tuple)]
    assert (views.count("bins"), views.count("validation bins")) == (2, 2)
    bins = binning.of_training(train, native=True, seed=0)
    assert bins.rows.dtype == np.uint8
    assert bins.rows.flags.f_contiguous


def test_a_category_with_more_codes_than_bins_is_read_as_ranks() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 400, 4000)
    rows = pl.DataFrame(
        {
            "_target": np.where(codes % 2 == 0, "yes", "no"),
            "wide": [f"{code:03d}" for code in codes],
            "narrow": [f"{code % 200:03d}" for code in codes],
        }
    )
    kinds: FeatureKinds = {"wide": "categorical", "narrow": "categorical"}
    fitted = Preprocessor.fit(rows, kinds, Encoding(), "binary", ["no", "yes"], 0)
    data = Data.of(fitted.encode_training(rows), fitted.layout)
    assert binning.of_training(data, native=True, seed=0).native.tolist() == [False, True]
    assert fit(data, data, rounds=5).importances()["narrow"] > 0.9


def test_the_widest_native_category_has_a_bin_a_code() -> None:
    levels = [f"{code:03d}" for code in range(253)]  # with null and unknown: 255 codes, as many as there are bins
    rows = pl.DataFrame({"_target": ["no", "yes"] * 506, "c": (levels * 4)})
    fitted = Preprocessor.fit(rows, {"c": "categorical"}, Encoding(), "binary", ["no", "yes"], 0)
    data = Data.of(fitted.encode(rows), fitted.layout)
    assert fitted.layout.codes == {"c": 255}
    assert binning.of_training(data, native=True, seed=0).native.tolist() == [True]
    assert np.isfinite(fit(data, data, rounds=3, min_samples_leaf=1).predict(data)).all()


def test_bin_edges_of_many_rows_come_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binning, "SAMPLE", 100)
    monkeypatch.setattr(binning, "BLOCK", 64)
    train, validation, _ = made("binary").data()
    model = fit(train, validation)
    assert model.canonical() == fit(*made("binary").data()[:2]).canonical()
    assert model.canonical() != fit(*made("binary").data()[:2], seed=1).canonical()


def test_blocks_join_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation, test = made("regression").data()
    model = fit(train, validation)
    with threadpool_limits(1):
        whole = model.predict(test)
    monkeypatch.setattr(binning, "BLOCK", 7)
    assert len(list(binning.blocks(test))) == -(-test.n_rows // 7)
    np.testing.assert_array_equal(model.predict(test), whole)


def test_validation_rows_of_an_unseen_class_do_not_disturb() -> None:
    split = made("multiclass")
    preprocessor = split.preprocessor()
    two = split.train.filter(pl.col("_target") != "b")
    train, validation = (Data.of(preprocessor.encode(rows), preprocessor.layout) for rows in (two, split.validation))
    model = fit(train, validation)
    assert model.seen == (0, 2)
    assert model.predict(validation)[:, 1].max() == 0
