"""The curves: each is fitted on probabilities and labels, applied to probabilities, and kept as JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from training_assets.core.calibration.line import fitted_line

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]

MOST_CERTAIN = 1e-12  # as scikit-learn: probabilities are no closer to 0 and 1 when their logarithms are taken
SLOPES = (1e-3, 100.0)  # a sigmoid that fell would put the worst rows first; steeper, rows become equal
FARTHEST = 3.0  # log of a temperature; what wants one beyond 20 or under 1/20 tells its validation rows apart


class Calibration(Protocol):
    """A fitted curve."""

    def apply(self, predictions: Floats) -> Floats:
        """Calibrated probabilities, shaped as they come: (n,) of the positive class, or (n, k), rows adding up to 1."""

    def to_json(self) -> dict[str, Any]:
        """Its `kind`, and everything that it learnt, as JSON values."""


@dataclass(frozen=True)
class Sigmoid:
    """Platt's sigmoid over the log-odds: binary, keeps the order of all rows."""

    kind: ClassVar[Literal["sigmoid"]] = "sigmoid"
    slope: float
    intercept: float

    @classmethod
    def fit(cls, probability: Floats, y: Labels, weights: Floats) -> Sigmoid:
        """Fit by log loss against Platt's smoothed labels, as scikit-learn's `_SigmoidCalibration` does.

        Source: Platt, Probabilistic outputs for support vector machines (1999), section 2.2.
        """
        odds, positive = _log_odds(probability), y == 1
        low, high = _smoothed(positive, weights)
        wanted = np.where(positive, high, low)
        slope, intercept = fitted_line(odds, wanted, weights)
        if not SLOPES[0] <= slope <= SLOPES[1]:
            slope = float(np.clip(slope, *SLOPES))
            _, intercept = fitted_line(np.zeros_like(odds), wanted, weights, slope * odds)
        return cls(slope, intercept)

    def apply(self, predictions: Floats) -> Floats:
        """Probabilities (n,) on the sigmoid."""
        from scipy.special import expit

        calibrated: Floats = expit(self.slope * _log_odds(predictions) + self.intercept)
        return calibrated

    def to_json(self) -> dict[str, Any]:
        """Kind, slope and intercept."""
        return {"kind": self.kind, **vars(self)}


@dataclass(frozen=True)
class Isotonic:
    """A line of segments that never falls: binary; rows may become equal, none change places."""

    kind: ClassVar[Literal["isotonic"]] = "isotonic"
    before: tuple[float, ...]  # probabilities at which segments meet, rising
    after: tuple[float, ...]  # what becomes of them

    @classmethod
    def fit(cls, probability: Floats, y: Labels, weights: Floats) -> Isotonic:
        """Fit by scikit-learn's `IsotonicRegression`, within Platt's smoothed labels: no row is certain."""
        from sklearn.isotonic import IsotonicRegression

        low, high = _smoothed(y == 1, weights)
        fitted = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip")
        fitted.fit(probability.astype(np.float64), (y == 1).astype(np.float64), sample_weight=weights)
        return cls(tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist()))

    def apply(self, predictions: Floats) -> Floats:
        """Probabilities (n,) on the segments; beyond the ends, those of the ends."""
        calibrated: Floats = np.interp(predictions, self.before, self.after)
        return calibrated

    def to_json(self) -> dict[str, Any]:
        """Kind and points."""
        return {"kind": self.kind, "before": list(self.before), "after": list(self.after)}


@dataclass(frozen=True)
class Temperature:
    """All log-probabilities times one number: multiclass, keeps the order of a row's classes."""

    kind: ClassVar[Literal["temperature"]] = "temperature"
    sharpness: float  # 1 / temperature: above 1, the likelier classes become likelier

    @classmethod
    def fit(cls, probabilities: Floats, y: Labels, weights: Floats) -> Temperature:
        """Fit by log loss, as scikit-learn's `_TemperatureScaling`: Guo et al., On calibration (2017), section 4.2."""
        from scipy.optimize import minimize_scalar

        def loss(logarithm: float) -> float:
            calibrated = cls(float(np.exp(logarithm))).apply(probabilities)
            return float(np.sum(weights * losses(calibrated, y)))

        found = minimize_scalar(loss, bounds=(-FARTHEST, FARTHEST), method="bounded", options={"xatol": 1e-8})
        return cls(float(np.exp(found.x)))

    def apply(self, predictions: Floats) -> Floats:
        """Probabilities (n, k)."""
        from scipy.special import softmax

        sharpened = self.sharpness * np.log(np.clip(predictions, MOST_CERTAIN, 1.0))
        calibrated: Floats = softmax(sharpened.astype(np.float64), axis=1)
        return calibrated

    def to_json(self) -> dict[str, Any]:
        """Kind and sharpness."""
        return {"kind": self.kind, **vars(self)}


Curve: TypeAlias = type[Sigmoid] | type[Isotonic] | type[Temperature]


def losses(predictions: Floats, y: Labels) -> Floats:
    """Log loss of each row."""
    given = (
        np.where(y == 1, predictions, 1 - predictions) if predictions.ndim == 1 else predictions[np.arange(len(y)), y]
    )
    lost: Floats = -np.log(np.clip(given, MOST_CERTAIN, 1.0))
    return lost


def _log_odds(probability: Floats) -> Floats:
    from scipy.special import logit

    odds: Floats = logit(np.clip(probability.astype(np.float64), MOST_CERTAIN, 1 - MOST_CERTAIN))
    return odds


def _smoothed(positive: npt.NDArray[np.bool_], weights: Floats) -> tuple[float, float]:
    """What Platt has negative and positive rows promise in place of 0 and 1: one row more of each speaks against it."""
    positives, negatives = float(weights[positive].sum()), float(weights[~positive].sum())
    return 1 / (negatives + 2), (positives + 1) / (positives + 2)
