from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, log_expit, logit, softmax
from sklearn.calibration import _SigmoidCalibration, _TemperatureScaling
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss, roc_auc_score

from training_assets.core import calibration
from training_assets.core.calibration import Calibration, Isotonic, Sigmoid, Temperature
from training_assets.core.calibration.line import fitted_line
from training_assets.core.errors import InputError

RNG = np.random.default_rng(0)
TRUE = RNG.beta(1, 3, 3000)
Y = (RNG.random(3000) < TRUE).astype(np.int32)
TOO_SURE = expit(2.5 * logit(TRUE) + 0.7)
WEIGHTS = RNG.gamma(2, 1, 3000)
MANY_TRUE = RNG.dirichlet([1, 2, 3], 3000)
MANY_Y = np.array([RNG.choice(3, p=row) for row in MANY_TRUE], dtype=np.int32)
MANY_TOO_SURE = softmax(2.5 * np.log(MANY_TRUE), axis=1)
ALIKE = np.ones(3000)

probabilities = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])
rows = st.lists(st.tuples(st.integers(0, 1), probabilities, st.floats(0.1, 10)), min_size=2, max_size=30).filter(
    lambda rows: len({label for label, _, _ in rows}) == 2
)


def arrays(rows: list[tuple[int, float, float]]) -> tuple[Any, Any, Any]:
    y, probability, weights = (np.array(column) for column in zip(*rows, strict=True))
    return probability, y, weights


# Golden cases: scikit-learn's


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_sigmoid_is_scikit_learns(weights: Any) -> None:
    theirs = _SigmoidCalibration().fit(logit(TOO_SURE), Y, sample_weight=weights)
    ours = Sigmoid.fit(TOO_SURE, Y, ALIKE if weights is None else weights)
    assert (ours.slope, ours.intercept) == pytest.approx((-theirs.a_, -theirs.b_), abs=2e-4)
    np.testing.assert_allclose(ours.apply(TOO_SURE), theirs.predict(logit(TOO_SURE)), atol=5e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_isotonic_line_is_scikit_learns(weights: Any) -> None:
    each = ALIKE if weights is None else weights
    positives, negatives = each[Y == 1].sum(), each[Y == 0].sum()
    theirs = IsotonicRegression(
        y_min=1 / (negatives + 2), y_max=(positives + 1) / (positives + 2), out_of_bounds="clip"
    ).fit(TOO_SURE, Y, sample_weight=weights)
    between = np.linspace(-0.1, 1.1, 1001)
    np.testing.assert_allclose(Isotonic.fit(TOO_SURE, Y, each).apply(between), theirs.predict(between), atol=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_temperature_is_scikit_learns(weights: Any) -> None:
    theirs = _TemperatureScaling().fit(np.log(MANY_TOO_SURE), MANY_Y, sample_weight=weights)
    ours = Temperature.fit(MANY_TOO_SURE, MANY_Y, ALIKE if weights is None else weights)
    assert ours.sharpness == pytest.approx(float(theirs.beta_), rel=1e-5)
    np.testing.assert_allclose(ours.apply(MANY_TOO_SURE), theirs.predict(np.log(MANY_TOO_SURE)), atol=1e-6)


# What was distorted is mended


def test_a_sigmoid_undoes_a_sigmoid() -> None:
    fitted = Sigmoid.fit(TOO_SURE, Y, ALIKE)
    assert fitted.slope == pytest.approx(1 / 2.5, rel=0.15)
    assert log_loss(Y, fitted.apply(TOO_SURE)) < log_loss(Y, TRUE) * 1.002 < log_loss(Y, TOO_SURE)


def test_a_temperature_undoes_a_temperature() -> None:
    fitted = Temperature.fit(MANY_TOO_SURE, MANY_Y, ALIKE)
    assert fitted.sharpness == pytest.approx(1 / 2.5, rel=0.1)


def test_probabilities_that_are_right_stay_what_they_are() -> None:
    np.testing.assert_allclose(Sigmoid.fit(TRUE, Y, ALIKE).apply(TRUE), TRUE, atol=0.05)
    np.testing.assert_allclose(Temperature.fit(MANY_TRUE, MANY_Y, ALIKE).apply(MANY_TRUE), MANY_TRUE, atol=0.05)


@pytest.mark.parametrize("curve", [Sigmoid, Isotonic])
def test_a_weight_of_two_is_a_row_twice(curve: Any) -> None:
    twice = np.where(np.arange(300) % 3 == 0, 2, 1)
    weighted = curve.fit(TOO_SURE[:300], Y[:300], twice.astype(np.float64))
    repeated = curve.fit(np.repeat(TOO_SURE[:300], twice), np.repeat(Y[:300], twice), np.ones(twice.sum()))
    np.testing.assert_allclose(weighted.apply(TOO_SURE), repeated.apply(TOO_SURE), atol=1e-4)


# Whatever the rows


@given(rows, st.lists(probabilities, min_size=1))
def test_binary_curves_never_fall_and_give_probabilities(
    rows: list[tuple[int, float, float]], asked: list[float]
) -> None:
    at = np.sort(np.array(asked))
    for curve in (Sigmoid.fit(*arrays(rows)), Isotonic.fit(*arrays(rows))):
        calibrated = curve.apply(at)
        assert ((calibrated >= 0) & (calibrated <= 1)).all()
        assert (np.diff(calibrated) >= 0).all()


@given(rows)
def test_a_sigmoid_keeps_every_row_in_its_place(rows: list[tuple[int, float, float]]) -> None:
    probability, y, weights = arrays(rows)
    fitted = Sigmoid.fit(probability, y, weights)
    between = np.linspace(0.05, 0.95, 19)
    if fitted.slope < 5 and abs(fitted.intercept) < 10:  # steeper, neighbours near 1 become the same float
        assert (np.diff(fitted.apply(between)) > 0).all()
        area = roc_auc_score(np.arange(19) % 2, between)
        assert roc_auc_score(np.arange(19) % 2, fitted.apply(between)) == area


def test_a_sigmoid_leaves_the_area_as_it_is() -> None:
    fitted = Sigmoid.fit(TOO_SURE, Y, ALIKE)
    assert roc_auc_score(Y, fitted.apply(TOO_SURE)) == roc_auc_score(Y, TOO_SURE)


def test_a_model_that_ranks_upside_down_is_not_turned_round() -> None:
    fitted = Sigmoid.fit(1 - TRUE, Y, ALIKE)
    assert fitted.slope == 1e-3
    np.testing.assert_allclose(fitted.apply(np.array([0.01, 0.99])), Y.mean(), atol=0.01)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.1, 10)),
        min_size=1,
        max_size=20,
    )
)
def test_a_temperature_gives_probabilities_in_the_order_they_were(
    rows: list[tuple[int, list[float], float]],
) -> None:
    y, parts, weights = (np.array(column) for column in zip(*rows, strict=True))
    given = np.where(parts.sum(axis=1, keepdims=True) > 0, parts, 1.0)
    given /= given.sum(axis=1, keepdims=True)
    fitted = Temperature.fit(given, y, weights)
    assert 1 / 21 < fitted.sharpness < 21
    calibrated = fitted.apply(given)
    assert ((calibrated >= 0) & (calibrated <= 1)).all()
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)
    for before, after in zip(given, calibrated, strict=True):
        assert (np.diff(after[np.argsort(before, kind="stable")]) >= -1e-15).all()


@pytest.mark.parametrize("curve", [Sigmoid(2.0, -1.0), Isotonic((0.2, 0.8), (0.1, 0.7))])
def test_zero_and_one_are_probabilities(curve: Calibration) -> None:
    low, high = curve.apply(np.array([0.0, 1.0]))
    assert 0 <= low < high <= 1


def test_what_a_float32_makes_of_one_is_a_probability() -> None:
    over = np.array([1.0000001])
    for curve in (Sigmoid(1.0, 0.0), Isotonic((0.2, 0.8), (0.1, 0.7))):
        assert 0 <= curve.apply(over)[0] <= 1


@given(rows)
def test_no_line_is_better(rows: list[tuple[int, float, float]]) -> None:
    probability, y, weights = arrays(rows)
    odds, wanted = logit(np.clip(probability, 1e-12, 1 - 1e-12)), np.where(y == 1, 0.9, 0.2)

    def loss(slope: float, intercept: float) -> float:
        at = slope * odds + intercept
        return float(-np.sum(weights * (wanted * log_expit(at) + (1 - wanted) * log_expit(-at))))

    slope, intercept = fitted_line(odds, wanted, weights)
    least = loss(slope, intercept)
    for by_slope in (-0.01, 0, 0.01):
        for by_intercept in (-0.01, 0, 0.01):
            assert loss(slope + by_slope, intercept + by_intercept) >= least - 1e-9 * abs(least)


@pytest.mark.parametrize("probability", [[0.5, 0.5, 0.5], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
def test_probabilities_that_do_not_tell_rows_apart_are_mended_all_the_same(probability: list[float]) -> None:
    at = np.array(probability)
    fitted = Sigmoid.fit(at, np.array([1, 0, 1]), np.ones(3))
    assert 0.25 <= fitted.apply(at).min() <= fitted.apply(at).max() <= 0.75


def test_no_rows_are_calibrated_to_none() -> None:
    assert Sigmoid(1.0, 0.0).apply(np.zeros(0)).shape == (0,)
    assert Isotonic((0.2, 0.8), (0.1, 0.7)).apply(np.zeros(0)).shape == (0,)
    assert Temperature(2.0).apply(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "curve", [Sigmoid(1.2345678901234567, -0.1), Isotonic((0.1, 0.30000000000000004), (0.0, 0.9)), Temperature(0.7)]
)
def test_curves_survive_json(curve: Calibration) -> None:
    assert calibration.from_json(json.loads(json.dumps(curve.to_json(), allow_nan=False))) == curve


def test_an_unknown_curve_is_refused() -> None:
    with pytest.raises(InputError, match="E_FORMAT: calibration 'spline' is unknown to this code"):
        calibration.from_json({"kind": "spline", "knots": []})
