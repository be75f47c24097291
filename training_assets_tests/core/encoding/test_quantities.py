from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

from training_assets.core.encoding.quantities import LARGEST, Quantity, finite
from training_assets.spec import Encoding
from training_assets.spec.encoding import AsQuantity, Scale

SCALINGS: tuple[Scale, ...] = ("standard", "min_max", "robust", "quantile", "none")
IMPUTATIONS: tuple[Literal["median", "mean", "zero"], ...] = ("median", "mean", "zero")
any_number = st.none() | st.floats() | st.integers(-(2**53), 2**53).map(float)


def fitted(values: Sequence[float | None], **settings: Any) -> Quantity:
    return Quantity.fit(pl.Series(values, dtype=pl.Float64), Encoding(**settings))


def with_own(values: Sequence[float | None], **own: Any) -> Quantity:
    quantity = AsQuantity.model_validate({"method": "quantity", **own})
    return Quantity.fit(pl.Series(values, dtype=pl.Float64), Encoding(scale="none"), quantity)


def linear(quantity: Quantity, values: Sequence[float | None]) -> list[float]:
    return quantity.encode(pl.Series(values, dtype=pl.Float64))[1].to_list()


QUANTILES = {"output_distribution": "normal", "subsample": None}


@pytest.mark.parametrize("rows", [501, 3001])
@pytest.mark.parametrize(
    ("scale", "scaler"),
    [
        ("standard", StandardScaler()),
        ("min_max", MinMaxScaler()),
        ("robust", RobustScaler()),
        ("quantile", QuantileTransformer(n_quantiles=501, **QUANTILES)),
    ],
)
def test_scales_as_scikit_learn_does(scale: Scale, scaler: Any, rows: int) -> None:
    values = np.random.default_rng(0).gamma(2, 100, rows)
    if scale == "quantile":
        scaler.set_params(n_quantiles=min(1000, rows))
    others = np.append(values, [-1e6, 0, 1e6])
    found = fitted(values.tolist(), scale=scale).encode(pl.Series(others))[1]
    expected = scaler.fit(values[:, None]).transform(others[:, None])[:, 0]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("values", [[1_700_000_000 + second for second in range(120)], [2**53 - 3, 2**53 - 2, 2**53]])
def test_trees_tell_numbers_apart_that_lie_far_from_zero(values: list[int]) -> None:
    rows = pl.Series([*values, None])
    learnt = Quantity.fit(rows, Encoding())
    for quantity in (learnt, Quantity.from_json(json.loads(json.dumps(learnt.to_json())))):
        read = quantity.encode(rows)[0]
        assert read.null_count() == 1
        assert np.diff(read.drop_nulls().to_numpy()).tolist() == np.diff(values).tolist()


@pytest.mark.parametrize("values", [[0, 2**30], [-(2**30), 2**30], [1, 2, 3], [0.1, 0.2]])
def test_trees_read_other_numbers_as_they_are(values: list[float]) -> None:
    assert fitted(values).encode(pl.Series(values, dtype=pl.Float64))[0].to_list() == pytest.approx(values)


def test_a_constant_stands_for_a_missing_value() -> None:
    assert linear(with_own([1.0, 2.0, None], impute="constant", value=-1.0), [None, 5.0]) == [-1.0, 5.0]


def test_values_are_cut_at_quantiles_of_training_values_for_the_linear_family_alone() -> None:
    quantity = with_own([float(number) for number in range(101)], clip=[0.05, 0.9])
    raw, cut = quantity.encode(pl.Series([-3.0, 50.0, 1000.0]))
    assert raw.to_list() == [-3.0, 50.0, 1000.0]
    assert cut.to_list() == [5.0, 50.0, 90.0]


def test_a_logarithm_shortens_both_tails() -> None:
    found = linear(with_own([0.0, 1.0], log=True), [-9.0, 0.0, 99.0, None])
    np.testing.assert_allclose(found, [-np.log(10), 0, np.log(100), np.log(1.5)], rtol=1e-6)


def test_own_settings_go_before_those_of_the_table() -> None:
    values = np.random.default_rng(0).gamma(2, 100, 501)
    logs = np.log1p(values.clip(*np.quantile(values, [0, 0.99])))
    expected = StandardScaler().fit_transform(logs[:, None])[:, 0]
    found = linear(with_own(values.tolist(), log=True, clip=[0, 0.99], scale="standard"), values.tolist())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", SCALINGS)
def test_json_brings_it_back(scale: Scale) -> None:
    for quantity in (fitted([1.0, 5.0, None], scale=scale), with_own([1, 5], log=True, clip=[0, 1], scale=scale)):
        assert Quantity.from_json(json.loads(json.dumps(quantity.to_json()))) == quantity


def test_no_scaling_leaves_values_as_they_are() -> None:
    value, scaled = fitted([1.5, -2.0, 8.0], scale="none").encode(pl.Series([1.5, 100.0]))
    assert value.to_list() == scaled.to_list() == [1.5, 100.0]


@pytest.mark.parametrize(("impute", "expected"), [("median", 2.0), ("mean", 4.0), ("zero", 0.0)])
def test_a_missing_value_is_imputed_in_the_scaled_column_alone(impute: str, expected: float) -> None:
    quantity = fitted([1.0, 2.0, 9.0, None], impute=impute, scale="none")
    value, scaled = quantity.encode(pl.Series([None, 5.0], dtype=pl.Float64))
    assert value.to_list() == [None, 5.0]
    assert scaled.to_list() == [expected, 5.0]
    assert value.dtype == scaled.dtype == pl.Float32


def test_what_is_no_finite_number_is_missing() -> None:
    values = pl.Series([1.0, math.nan, math.inf, -math.inf, None])
    assert finite(values).to_list() == [1.0, None, None, None, None]
    assert Quantity.fit(values, Encoding(scale="min_max")) == Quantity(1.0, 1.0, 1.0)


def test_values_beyond_float32_are_cut_to_its_largest() -> None:
    value, scaled = fitted([0.0, 1.0], scale="none").encode(pl.Series([1e300, -1e300]))
    assert value.to_list() == scaled.to_list() == [LARGEST, -LARGEST]


@pytest.mark.parametrize("scale", SCALINGS)
@pytest.mark.parametrize("impute", IMPUTATIONS)
def test_a_column_without_values_is_zero(scale: Scale, impute: str) -> None:
    empty = pl.Series([None] * 3, dtype=pl.Float64)
    value, scaled = fitted([None] * 3, scale=scale, impute=impute).encode(empty)
    assert value.null_count() == 3
    assert scaled.to_list() == [0.0] * 3


@pytest.mark.parametrize("scale", ["standard", "min_max", "robust", "quantile"])
def test_a_constant_column_is_zero_after_scaling(scale: Scale) -> None:
    # 0.1 is no binary fraction: the standard deviation of many of them is not exactly 0.
    quantity = fitted([0.1] * 1001, scale=scale)
    assert quantity.scale == 1.0
    assert quantity.encode(pl.Series([0.1, None], dtype=pl.Float64))[1].to_list() == [0.0, 0.0]


def test_a_column_that_is_mostly_one_value_falls_back_on_its_standard_deviation() -> None:
    values = [0.0] * 97 + [1000.0, 2000.0, 3000.0]
    quantity = fitted(values, scale="robust")
    assert quantity.center == 0.0
    assert quantity.scale == pytest.approx(np.std(values))


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Int8, pl.UInt32, pl.Boolean, pl.Null])
def test_any_number_is_read(dtype: Any) -> None:
    values = pl.Series([None, None]) if dtype == pl.Null else pl.Series([1, 0, None]).cast(dtype)
    value, scaled = Quantity.fit(values, Encoding()).encode(values)
    assert value.dtype == scaled.dtype == pl.Float32
    assert scaled.null_count() == 0


@given(
    st.lists(any_number, min_size=1, max_size=30), st.sampled_from(SCALINGS), st.sampled_from(IMPUTATIONS), st.data()
)
def test_the_order_of_rows_does_not_matter(
    values: list[float | None], scale: Scale, impute: str, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(values))
    assert fitted(values, scale=scale, impute=impute) == fitted(shuffled, scale=scale, impute=impute)


@given(
    st.lists(any_number, max_size=20),
    st.lists(any_number, max_size=20),
    st.sampled_from(SCALINGS),
    st.sampled_from(IMPUTATIONS),
    st.sampled_from([{}, {"log": True}, {"clip": [0.1, 0.9]}, {"clip": [0, 1], "log": True, "scale": "robust"}]),
)
def test_every_scaled_value_is_a_finite_float32(
    training: list[float | None],
    others: list[float | None],
    scale: Scale,
    impute: str,
    own_settings: dict[str, Any],
) -> None:
    own = AsQuantity.model_validate({"method": "quantity", **own_settings})
    settings = Encoding.model_validate({"scale": scale, "impute": impute})
    quantity = Quantity.fit(pl.Series(training, dtype=pl.Float64), settings, own)
    value, scaled = quantity.encode(pl.Series(others, dtype=pl.Float64))
    assert all(math.isfinite(part) for part in (quantity.impute, quantity.center, quantity.scale))
    assert quantity.scale > 0
    assert scaled.null_count() == 0
    assert np.isfinite(scaled.to_numpy()).all()
    present = value.drop_nulls()
    assert len(present) == sum(number is not None and math.isfinite(number) for number in others)
    assert np.isfinite(present.to_numpy()).all()
