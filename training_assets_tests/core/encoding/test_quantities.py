from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from training_assets.core.encoding.quantities import LARGEST, Quantity, finite
from training_assets.spec import Encoding

Scaling = Literal["standard", "min_max", "robust", "none"]
SCALINGS: tuple[Scaling, ...] = ("standard", "min_max", "robust", "none")
IMPUTATIONS: tuple[Literal["median", "mean", "zero"], ...] = ("median", "mean", "zero")
any_number = st.none() | st.floats() | st.integers(-(2**53), 2**53).map(float)


def fitted(values: Sequence[float | None], **settings: Any) -> Quantity:
    return Quantity.fit(pl.Series(values, dtype=pl.Float64), Encoding(**settings))


@pytest.mark.parametrize(
    ("scale", "scaler"), [("standard", StandardScaler()), ("min_max", MinMaxScaler()), ("robust", RobustScaler())]
)
def test_scales_as_scikit_learn_does(scale: Scaling, scaler: Any) -> None:
    values = np.random.default_rng(0).gamma(2, 100, 501)
    _, scaled = fitted(values.tolist(), scale=scale).encode(pl.Series(values))
    expected = scaler.fit_transform(values[:, None])[:, 0]
    np.testing.assert_allclose(scaled.to_numpy(), expected, rtol=1e-6, atol=1e-6)


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
def test_a_column_without_values_is_zero(scale: Scaling, impute: str) -> None:
    empty = pl.Series([None] * 3, dtype=pl.Float64)
    value, scaled = fitted([None] * 3, scale=scale, impute=impute).encode(empty)
    assert value.null_count() == 3
    assert scaled.to_list() == [0.0] * 3


@pytest.mark.parametrize("scale", ["standard", "min_max", "robust"])
def test_a_constant_column_is_zero_after_scaling(scale: Scaling) -> None:
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
    values: list[float | None], scale: Scaling, impute: str, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(values))
    assert fitted(values, scale=scale, impute=impute) == fitted(shuffled, scale=scale, impute=impute)


@given(
    st.lists(any_number, max_size=20),
    st.lists(any_number, max_size=20),
    st.sampled_from(SCALINGS),
    st.sampled_from(IMPUTATIONS),
)
def test_every_scaled_value_is_a_finite_float32(
    training: list[float | None], others: list[float | None], scale: Scaling, impute: str
) -> None:
    quantity = fitted(training, scale=scale, impute=impute)
    value, scaled = quantity.encode(pl.Series(others, dtype=pl.Float64))
    assert all(math.isfinite(part) for part in (quantity.impute, quantity.center, quantity.scale))
    assert quantity.scale > 0
    assert scaled.null_count() == 0
    assert np.isfinite(scaled.to_numpy()).all()
    present = value.drop_nulls()
    assert len(present) == sum(number is not None and math.isfinite(number) for number in others)
    assert np.isfinite(present.to_numpy()).all()
