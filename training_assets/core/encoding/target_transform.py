"""What a regression learns in place of its values: themselves, their logarithm, or a power of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.errors import InputError
from training_assets.spec.training import TargetTransform as Kind

Floats = npt.NDArray[np.float64]

LOWEST = float(np.nextafter(-1.0, 0.0))  # the least value that has a finite log(1 + y)
FARTHEST = 1e150  # the squares of larger values, and so the losses, are not finite
TINY = 1e-15  # below it, a power is the logarithm to all digits


@dataclass(frozen=True)
class TargetTransform:
    """A rising function of the values, and its inverse.

    Yeo-Johnson's power is kept within 0 (the logarithm of what is right of 0) and 2 (of what is left of it): beyond
    them, the function flattens out towards a bound, and what is predicted above the bound is no value.
    """

    kind: Kind = "none"
    power: float = 1.0  # Yeo-Johnson's lambda; of no meaning to the others

    @classmethod
    def fit(cls, kind: Kind, values: Floats) -> TargetTransform:
        """Learn from the training values (n,) alone; raises `InputError` E_TARGET for values that `forward` refuses."""
        transform = cls(kind, _likeliest_power(values) if kind == "yeo_johnson" else 1.0)
        transform.forward(values)
        return transform

    def forward(self, values: Floats) -> Floats:
        """What is learnt in place of the values (n,); `InputError` E_TARGET for far ones, or not above -1 (log)."""
        _refuse_far(values)
        if self.kind == "none":
            return values
        if self.kind == "log":
            low = int(np.sum(values <= -1))
            if low:
                message = (
                    f"target_transform log needs values above -1, and {low} of {values.size} are not; make it "
                    "yeo_johnson, which takes any value, or none"
                )
                raise InputError("E_TARGET", message)
            return np.log1p(values)
        return np.where(
            values < 0, -_power(-np.minimum(values, 0), 2 - self.power), _power(np.maximum(values, 0), self.power)
        )

    def back(self, learnt: Floats) -> Floats:
        """The values (n,) that `forward` made these of; the nearest there is, where it made them of none."""
        if self.kind == "none":
            return learnt
        ends = self.forward(np.array([LOWEST if self.kind == "log" else -FARTHEST, FARTHEST]))
        within = np.clip(learnt, *ends)
        if self.kind == "log":
            return np.expm1(within)
        return np.where(
            within < 0, -_root(-np.minimum(within, 0), 2 - self.power), _root(np.maximum(within, 0), self.power)
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TargetTransform:
        """Read what `to_json` wrote."""
        return cls(**data)


def _likeliest_power(values: Floats) -> float:
    """The power within 0 and 2 under which the values are most likely to be normal: scikit-learn's, where it is within.

    Its own search is not used, since it fails on values far from 0. Formula: Yeo and Johnson (2000), section 3.
    """
    from scipy.optimize import minimize_scalar

    _refuse_far(values)
    slope = float(np.mean(np.sign(values) * np.log1p(np.abs(values))))

    def unlikely(power: float) -> float:
        turned = TargetTransform("yeo_johnson", float(power)).forward(values)
        size = max(float(np.abs(turned).max()), TINY)  # squares of what is divided by it stay finite
        spread = float(np.std(turned / size))
        return math.inf if spread <= 0 else math.log(size) + math.log(spread) - (float(power) - 1) * slope

    if not values.size or values.min() == values.max():
        return 1.0
    found = float(minimize_scalar(unlikely, bounds=(0, 2), method="bounded", options={"xatol": 1e-8}).x)
    return min((found, 0.0, 2.0), key=unlikely)


def _power(size: Floats, power: float) -> Floats:
    """((1 + size)**power - 1) / power for sizes of at least 0, and its limit, the logarithm, for a power of 0."""
    logarithm = np.log1p(size)
    return logarithm if power < TINY else np.expm1(power * logarithm) / power


def _root(size: Floats, power: float) -> Floats:
    """What `_power` made these of."""
    return np.expm1(size if power < TINY else np.log1p(power * size) / power)


def _refuse_far(values: Floats) -> None:
    far = int(np.sum(~(np.abs(values) <= FARTHEST)))
    if far:
        message = (
            f"{far} of {values.size} values of the target are beyond ±{FARTHEST:g}; correct them, or leave them out"
        )
        raise InputError("E_TARGET", message)


UNCHANGED = TargetTransform()
