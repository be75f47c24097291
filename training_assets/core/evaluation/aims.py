"""What a spec asks of predictions beyond its task: it decides which metrics are added, and what the dummy predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_assets.spec import ModelSpec
from training_assets.spec.decision import Cost
from training_assets.spec.training import Loss


@dataclass(frozen=True)
class Aims:
    """A regression's loss and, where it learns one, its quantile; what mistakes cost, where that decides."""

    loss: Loss = "auto"
    quantile: float | None = None
    cost: Cost | None = None

    @classmethod
    def of(cls, spec: ModelSpec) -> Aims:
        """What a spec asks."""
        return cls(spec.training.loss, spec.training.quantile, spec.decision.cost)

    @property
    def metrics(self) -> frozenset[str]:
        """Names of the metrics that only these aims have."""
        asked = {"pinball_loss": self.quantile, "cost": self.cost}
        return frozenset(name for name, value in asked.items() if value is not None)

    @property
    def judged_by(self) -> frozenset[str]:
        """Names of the metrics that are best for the constant that these aims ask for, not for the mean."""
        return frozenset({"mae", "median_absolute_error"}) if self.loss == "absolute_error" else self.metrics

    def constant(self, values: NDArray[Any]) -> float:
        """Of all constants the one with the least loss on these values (n,), at least one; the middle of several."""
        if self.loss == "auto":
            return float(np.mean(values))
        quantile = 0.5 if self.quantile is None else self.quantile
        return float(np.quantile(values, quantile, method="averaged_inverted_cdf"))

    @property
    def threshold(self) -> float | None:
        """From which probability on it costs less to call a row positive; none where mistakes have no costs."""
        if self.cost is None:
            return None
        return self.cost.false_positive / (self.cost.false_positive + self.cost.false_negative)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        cost = None if self.cost is None else self.cost.model_dump(mode="json")
        return {"loss": self.loss, "quantile": self.quantile, "cost": cost}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Aims:
        """Read what `to_json` gave."""
        return cls(data["loss"], data["quantile"], None if data["cost"] is None else Cost.model_validate(data["cost"]))


NONE = Aims()
