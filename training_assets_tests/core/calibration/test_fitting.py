from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit, softmax
from sklearn.metrics import log_loss

from training_assets.core import calibration
from training_assets.core.calibration import Isotonic, Sigmoid, Temperature
from training_assets.core.encoding.layout import Layout
from training_assets.core.errors import InputError
from training_assets.core.families import Data
from training_assets.spec.decision import Calibration as Wanted
from training_assets.spec.target import Task

N_CLASSES: dict[Task, int] = {"binary": 2, "multiclass": 3, "regression": 0}


def data(task: Task, labels: Any, class_weights: tuple[float, ...] | None = None, **columns: Any) -> Data:
    layout = Layout(task, N_CLASSES[task], (), {}, (), {})
    return Data.of(pl.DataFrame({"_target": labels, **columns}), layout, class_weights=class_weights)


def binary(rows: int, distortion: float, seed: int = 0, rate: float = 3) -> tuple[Any, Any]:
    """Probabilities that are right where the distortion is 1, and too sure above it, and labels."""
    rng = np.random.default_rng(seed)
    true = rng.beta(1, rate, rows)
    return expit(distortion * logit(true)), (rng.random(rows) < true).astype(np.int32)


def many(rows: int, distortion: float) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    true = rng.dirichlet([1, 2, 3], rows)
    labels = (rng.random((rows, 1)) > np.cumsum(true, axis=1)).sum(axis=1)
    return softmax(distortion * np.log(true), axis=1), labels.astype(np.int32)


def test_auto_mends_what_is_distorted() -> None:
    predictions, labels = binary(2000, 2.5)
    fitted = calibration.fit("auto", predictions, data("binary", labels))
    assert isinstance(fitted, Sigmoid)
    unseen, truth = binary(2000, 2.5, seed=1)
    assert log_loss(truth, fitted.apply(unseen)) < log_loss(truth, unseen)


def test_auto_mends_many_classes() -> None:
    predictions, labels = many(2000, 2.5)
    assert isinstance(calibration.fit("auto", predictions, data("multiclass", labels)), Temperature)


@pytest.mark.parametrize("seed", range(5))
def test_auto_leaves_what_is_right_alone(seed: int) -> None:
    predictions, labels = binary(3000, 1.0, seed)
    assert calibration.fit("auto", predictions, data("binary", labels)) is None


def test_auto_leaves_many_classes_that_are_right_alone() -> None:
    predictions, labels = many(3000, 1.0)
    assert calibration.fit("auto", predictions, data("multiclass", labels)) is None


@pytest.mark.parametrize(("rows", "rate"), [(999, 1.0), (3000, 60.0)])
def test_auto_needs_rows_of_both_classes(rows: int, rate: float) -> None:
    predictions, labels = binary(rows, 4.0, rate=rate)
    assert rows < 1000 or labels.sum() < 100
    assert calibration.fit("auto", predictions, data("binary", labels)) is None
    assert isinstance(calibration.fit("sigmoid", predictions, data("binary", labels)), Sigmoid)


@pytest.mark.parametrize(("wanted", "kind"), [("none", type(None)), ("sigmoid", Sigmoid), ("isotonic", Isotonic)])
def test_what_was_asked_for_is_fitted_whatever_it_gains(wanted: Wanted, kind: type) -> None:
    predictions, labels = binary(200, 1.0)
    assert isinstance(calibration.fit(wanted, predictions, data("binary", labels)), kind)


def test_a_sigmoid_of_many_classes_is_a_temperature() -> None:
    predictions, labels = many(200, 1.0)
    assert isinstance(calibration.fit("sigmoid", predictions, data("multiclass", labels)), Temperature)


def test_isotonic_lines_of_many_classes_are_refused() -> None:
    predictions, labels = many(200, 1.0)
    with pytest.raises(InputError, match=r"E_CALIBRATION: .*use auto, sigmoid or none"):
        calibration.fit("isotonic", predictions, data("multiclass", labels))


def test_values_are_not_calibrated() -> None:
    assert calibration.fit("auto", np.ones(2000), data("regression", np.ones(2000))) is None


def test_rows_count_by_their_own_weight() -> None:
    predictions, labels = binary(2000, 2.5)
    weights = np.where(labels == 1, 5.0, 1.0)
    weighed = calibration.fit("sigmoid", predictions, data("binary", labels, _weight=weights))
    alike = calibration.fit("sigmoid", predictions, data("binary", labels))
    assert weighed is not None
    assert alike is not None
    assert weighed.apply(predictions).mean() > 1.5 * alike.apply(predictions).mean()


def test_class_weights_are_what_a_calibration_mends() -> None:
    predictions, labels = binary(2000, 2.5)
    weighed = calibration.fit("sigmoid", predictions, data("binary", labels, (1.0, 5.0)))
    assert weighed == calibration.fit("sigmoid", predictions, data("binary", labels))


def test_predictions_may_be_single_precision() -> None:
    predictions, labels = binary(2000, 2.5)
    single = calibration.fit("isotonic", predictions.astype(np.float32), data("binary", labels))
    assert isinstance(single, Isotonic)
    assert single.apply(predictions).dtype == np.float64


def test_the_same_rows_give_the_same_curve() -> None:
    predictions, labels = binary(2000, 2.5)
    assert calibration.fit("auto", predictions, data("binary", labels)) == calibration.fit(
        "auto", predictions.copy(), data("binary", labels)
    )
