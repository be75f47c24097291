from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import PowerTransformer

from training_assets.core.encoding.target_transform import FARTHEST, UNCHANGED, TargetTransform
from training_assets.core.errors import InputError
from training_assets.spec.training import TargetTransform as Kind

RNG = np.random.default_rng(0)
SKEWED = RNG.gamma(2, 50, 500)
KINDS: tuple[Kind, ...] = ("none", "log", "yeo_johnson")
anything = st.floats(-FARTHEST, FARTHEST) | st.floats(-1000, 1000) | st.integers(-5, 5).map(float)
transforms = st.just(UNCHANGED) | st.builds(TargetTransform, st.just("yeo_johnson"), st.floats(0, 2))


@given(st.lists(anything, min_size=1, max_size=20), transforms)
def test_values_come_back(values: list[float], transform: TargetTransform) -> None:
    y = np.array(values)
    np.testing.assert_allclose(transform.back(transform.forward(y)), y, rtol=1e-9, atol=1e-12)


@given(st.lists(st.floats(-0.999, FARTHEST), min_size=1, max_size=20))
def test_logarithms_come_back(values: list[float]) -> None:
    y, transform = np.array(values), TargetTransform("log")
    np.testing.assert_allclose(transform.back(transform.forward(y)), y, rtol=1e-9, atol=1e-12)


@given(st.lists(anything, min_size=3, max_size=20, unique=True))
def test_what_is_fitted_on_values_turns_them_back(values: list[float]) -> None:
    y = np.array(values)
    transform = TargetTransform.fit("yeo_johnson", y)
    assert 0 <= transform.power <= 2
    np.testing.assert_allclose(transform.back(transform.forward(y)), y, rtol=1e-9, atol=1e-12)


@given(st.lists(anything, min_size=2, max_size=20), transforms)
def test_larger_values_stay_larger(values: list[float], transform: TargetTransform) -> None:
    assert (np.diff(transform.forward(np.sort(values))) >= 0).all()


@given(st.lists(st.floats(allow_nan=False), min_size=1), transforms | st.just(TargetTransform("log")))
def test_whatever_is_predicted_is_a_value(learnt: list[float], transform: TargetTransform) -> None:
    if transform == UNCHANGED:
        return
    values = transform.back(np.array(learnt))
    assert np.isfinite(values).all()
    assert transform.kind != "log" or (values > -1).all()


def test_the_power_is_scikit_learns() -> None:
    theirs = PowerTransformer(method="yeo-johnson", standardize=False).fit(SKEWED.reshape(-1, 1))
    ours = TargetTransform.fit("yeo_johnson", SKEWED)
    assert ours.power == pytest.approx(theirs.lambdas_[0], abs=1e-6)
    both = np.concatenate([SKEWED, -SKEWED / 10])
    np.testing.assert_allclose(ours.forward(both), theirs.transform(both.reshape(-1, 1))[:, 0], rtol=1e-5)


@pytest.mark.parametrize(("values", "power"), [(1e3 + RNG.pareto(1.0, 300), 0.0), (-1e3 - RNG.pareto(1.0, 300), 2.0)])
def test_a_power_that_flattens_out_is_not_taken(values: Any, power: float) -> None:
    assert TargetTransform.fit("yeo_johnson", values).power == power
    theirs = PowerTransformer(method="yeo-johnson", standardize=False).fit(values.reshape(-1, 1)).lambdas_[0]
    assert not 0 <= theirs <= 2


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_it_is_yeos_and_johnsons_formula(power: float) -> None:
    y = np.linspace(-4, 4, 33)

    def formula(value: float) -> float:
        if value >= 0:
            return math.log(value + 1) if power == 0 else ((value + 1) ** power - 1) / power
        rest = 2 - power
        return -math.log(1 - value) if rest == 0 else -((1 - value) ** rest - 1) / rest

    np.testing.assert_allclose(
        TargetTransform("yeo_johnson", power).forward(y), [formula(each) for each in y], atol=1e-12
    )


def test_a_log_is_of_one_and_the_value() -> None:
    np.testing.assert_array_equal(TargetTransform.fit("log", SKEWED).forward(SKEWED), np.log1p(SKEWED))


def test_values_that_have_no_logarithm_are_counted() -> None:
    with pytest.raises(InputError, match=r"E_TARGET: .*2 of 4 are not.*yeo_johnson"):
        TargetTransform.fit("log", np.array([-1.0, -2.0, 0.0, 3.0]))


@pytest.mark.parametrize("kind", ["log", "yeo_johnson"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_values_beyond_reason_are_counted(kind: Kind, bad: float) -> None:
    with pytest.raises(InputError, match="E_TARGET: 1 of 2 values"):
        TargetTransform.fit(kind, np.array([0.0, bad]))


def test_none_changes_nothing() -> None:
    assert TargetTransform.fit("none", SKEWED) == UNCHANGED
    assert UNCHANGED.forward(SKEWED) is SKEWED
    assert UNCHANGED.back(SKEWED) is SKEWED


@pytest.mark.parametrize("kind", KINDS)
def test_it_survives_json(kind: Kind) -> None:
    transform = TargetTransform.fit(kind, SKEWED)
    assert TargetTransform.from_json(json.loads(json.dumps(transform.to_json()))) == transform


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_do_not_vary_are_turned_and_turned_back(kind: Kind) -> None:
    constant = np.full(5, 7.0)
    transform = TargetTransform.fit(kind, constant)
    np.testing.assert_allclose(transform.back(transform.forward(constant)), constant)


def test_values_whose_squares_are_not_finite_are_refused_without_a_transform_too() -> None:
    far = np.array([1.0, 1e200])
    with pytest.raises(InputError, match="E_TARGET: 1 of 2 values of the target are beyond"):
        TargetTransform().forward(far)
    assert TargetTransform().forward(far[:1]).tolist() == [1.0]
