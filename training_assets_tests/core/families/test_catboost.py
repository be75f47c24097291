from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from catboost import CatBoostError
from catboost.utils import get_gpu_device_count

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Data, Learning, catboost_rows
from training_assets.core.families.catboost import CatBoostModel
from training_assets.spec import Encoding
from training_assets_tests.core.encoding.made_rows import made

LOG_LOSS = Learning("log_loss")


def fit(train: Data, validation: Data | None, learning: Learning = LOG_LOSS, **params: Any) -> CatBoostModel:
    model = FAMILIES["catboost"].fit(
        params,
        train,
        validation,
        learning=learning,
        threads=1,
        seed=0,
        max_iterations=30,
        patience=30,
        stop=lambda _made, _loss: False,
    )
    return cast("CatBoostModel", model)


def exported(model: CatBoostModel, folder: Path) -> dict[str, Any]:
    model.model.save_model(str(folder / "model.json"), format="json")
    content: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return content


def test_categories_are_read_natively(tmp_path: Path) -> None:
    train, validation, _ = made("binary").data()
    features = exported(fit(train, validation), tmp_path)["features_info"]
    assert {feature["feature_id"] for feature in features["categorical_features"]} == set(train.layout.codes)
    assert {feature["feature_id"] for feature in features["float_features"]} == set(train.layout.quantities)


def test_categories_are_not_combined(tmp_path: Path) -> None:
    train, validation, _ = made("binary").data()
    ctrs = exported(fit(train, validation), tmp_path)["features_info"].get("ctrs") or []
    assert all(len(ctr["elements"]) == 1 for ctr in ctrs)


def test_the_quantised_rows_are_shared_by_all_fits() -> None:
    train, validation, _ = made("binary").data()
    fit(train, validation)
    views = dict(train._views)
    fit(train, validation, depth=4)
    assert train._views == views
    assert set(views) == {"catboost quantised"}


def test_validation_rows_keep_the_categories_of_the_training_rows() -> None:
    """A validation pool that was quantised by itself would number its categories anew, and early stopping would err."""
    split = made("binary", rows=3000)
    train, validation, _ = split.data()
    backwards = Data.of(validation.frame.reverse(), validation.layout)
    assert fit(train, validation).curves["validation"] == pytest.approx(fit(train, backwards).curves["validation"])


def test_nothing_is_written_beside_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train, validation, _ = made("binary").data()
    fit(train, validation)
    assert list(tmp_path.iterdir()) == []


def test_saving_again_gives_other_bytes_and_the_same_canonical_digest(tmp_path: Path) -> None:
    train, validation, _ = made("binary").data()
    first, second = fit(train, validation), fit(train, validation)
    first.save(tmp_path / "1")
    second.save(tmp_path / "2")
    assert (tmp_path / "1" / "model.cbm").read_bytes() != (tmp_path / "2" / "model.cbm").read_bytes()
    assert first.canonical() == second.canonical()


def test_names_of_any_printable_text_are_sound(tmp_path: Path) -> None:
    kinds: FeatureKinds = {"^.*$": "numeric", 'CO2(tCO2) "é",': "numeric", "Source Port": "categorical"}
    rng = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "_target": rng.choice(["no", "yes"], 200),
            "^.*$": rng.normal(size=200),
            'CO2(tCO2) "é",': rng.normal(size=200),
            "Source Port": rng.choice(["a", "b"], 200),
        }
    )
    fitted = Preprocessor.fit(rows, kinds, Encoding(), "binary", ["no", "yes"], 0)
    data = Data.of(fitted.encode_training(rows), fitted.layout)
    model = fit(data, data)
    model.save(tmp_path)
    read = FAMILIES["catboost"].load(tmp_path)
    assert set(read.importances()) == set(kinds)
    np.testing.assert_array_equal(read.predict(data), model.predict(data))


@pytest.mark.parametrize("keep", [["amount", "noise"], ["city", "colour"]])
def test_quantities_or_categories_alone_are_enough(keep: list[str]) -> None:
    split = made("binary")
    kinds: FeatureKinds = {name: split.kinds[name] for name in keep}
    fitted = Preprocessor.fit(split.train, kinds, Encoding(), "binary", split.classes, 0)
    train, validation = (Data.of(fitted.encode(rows), fitted.layout) for rows in (split.train, split.validation))
    assert len(np.unique(fit(train, validation).predict(validation))) > 1


def test_weights_are_those_of_the_rows_and_of_their_classes() -> None:
    train, validation, _ = made("binary").data()
    heavy = Data(train.layout, train.frame.with_columns(_weight=pl.Series(np.arange(train.n_rows) + 1.0)), (1.0, 3.0))
    expected = (np.arange(train.n_rows) + 1.0) * np.where(train.y == 1, 3.0, 1.0)
    np.testing.assert_allclose(catboost_rows.pool(heavy).get_weight(), expected / expected.mean(), rtol=1e-6)
    unlabelled = Data(validation.layout, validation.frame.drop("_target"), (1.0, 3.0))
    assert len(fit(heavy, validation).predict(unlabelled)) == validation.n_rows


@pytest.mark.parametrize("monotone", [{}, {"amount": 1}])
def test_the_objective_is_the_loss_and_leaves_know_directions(monotone: dict[str, int]) -> None:
    train, validation, _ = made("regression").data()
    model = fit(train, validation, Learning("quantile", 0.8, monotone)).model
    params = model.get_all_params()
    assert params["loss_function"] == "Quantile:alpha=0.8"
    assert params["leaf_estimation_method"] == ("Gradient" if monotone else "Exact")


def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do() -> None:
    if get_gpu_device_count():
        pytest.skip("there is a GPU here")
    train, validation, _ = made("binary").data()
    with pytest.raises(InputError, match=r"E_DEVICE: training.device is gpu.*set it to cpu"):
        fit(train, validation, Learning("log_loss", device="gpu"))


def test_constant_features_are_catboosts_own_error() -> None:
    split = made("binary")
    fitted = Preprocessor.fit(split.train, {"flat": "numeric"}, Encoding(), "binary", split.classes, 0)
    train, validation = (Data.of(fitted.encode(rows), fitted.layout) for rows in (split.train, split.validation))
    with pytest.raises(CatBoostError, match="constant"):
        fit(train, validation)
