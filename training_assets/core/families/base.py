"""What every model family has in common: what it is asked, and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from training_assets.core.encoding.layout import Layout
from training_assets.core.families.data import Data, Facts, Floats

Stop = Callable[[int, float], bool]
"""Told, after each iteration, how many there were and the loss on validation rows (NaN without any): whether to end."""

Loss = Literal["log_loss", "squared_error", "absolute_error", "quantile"]
CURVE_METRIC: dict[Loss, str] = {
    "log_loss": "log_loss",
    "squared_error": "rmse",
    "absolute_error": "mae",
    "quantile": "pinball_loss",
}


@dataclass(frozen=True)
class Learning:
    """What every family learns alike: the loss, and what predictions must respect."""

    loss: Loss
    quantile: float = 0.5  # of the loss `quantile` alone
    monotone: Mapping[str, int] = field(default_factory=dict)  # quantity -> 1 where predictions rise with it, -1: fall
    device: Literal["cpu", "gpu"] = "cpu"

    @property
    def curve_metric(self) -> str:
        """Name of the loss in learning curves."""
        return CURVE_METRIC[self.loss]

    def directions(self, features: Sequence[str]) -> list[int]:
        """1, -1 or 0 for each of these columns."""
        return [self.monotone.get(name, 0) for name in features]


@dataclass(frozen=True)
class Fit:
    """How a fit went: losses after each iteration on both splits, and how many iterations were kept."""

    curve_metric: str
    curves: dict[str, list[float]]  # "train", "validation": one loss an iteration, from the first on
    best_iteration: int | None  # iterations kept, counted from 1; None where a fit has no such choice

    def save(self, folder: Path, header: Mapping[str, Any]) -> None:
        """Write `fit.json`: this, and what the family needs to read its other files."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**vars(self), **header}, ensure_ascii=False, allow_nan=False)
        (folder / "fit.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> tuple[Fit, dict[str, Any]]:
        """Read what `save` wrote: the fit and the header."""
        content = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        return cls(*(content.pop(name) for name in ("curve_metric", "curves", "best_iteration"))), content


class FittedModel(Protocol):
    """A model that predicts; it holds no training rows."""

    @property
    def family(self) -> str:
        """Name of the family."""

    @property
    def best_iteration(self) -> int | None:
        """Boosting iterations kept, counted from 1; None where a fit has no such choice."""

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""

    @property
    def curves(self) -> dict[str, list[float]]:
        """Loss after each iteration on the rows of `train` and of `validation`."""

    def predict(self, data: Data) -> Floats:
        """Probability of the positive class (n,), of each class (n, k), or the value (n,)."""

    def save(self, folder: Path) -> None:
        """Write the model's files, none of which is a pickle."""

    def canonical(self) -> str:
        """Sha256 over what decides the predictions; equal for equal models, however and wherever they were saved."""

    def importances(self) -> dict[str, float]:
        """Share of each feature in the model's decisions, by its original name; at least 0, together 1."""


class Family(Protocol):
    """A kind of model: its parameters, their space, and how it is fitted and read back."""

    @property
    def name(self) -> str:
        """Name in the spec."""

    def default_params(self) -> dict[str, Any]:
        """Parameters that do well on most data; their names are all that there are."""

    def portfolio(self, facts: Facts) -> list[dict[str, Any]]:
        """Parameters that do well on most data, each in another way, the best first: tried before any search."""

    def suggest(self, trial: Any, facts: Facts) -> dict[str, Any]:
        """Parameters drawn by an Optuna trial, which knows each as `<family>.<name>`."""

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """Why the family cannot learn this; None where it can."""

    def fit(
        self,
        params: Mapping[str, Any],
        train: Data,
        validation: Data | None,
        *,
        learning: Learning,
        threads: int,
        seed: int,
        max_iterations: int,
        patience: int,
        stop: Stop,
    ) -> FittedModel:
        """Fit on `train`, stop after `patience` iterations without a better loss on `validation`, keep the best.

        Without validation rows, exactly `max_iterations` are made and kept. `stop` is asked after every iteration; once
        it says True, the fit ends with the best iteration so far (without validation rows: with all of them).
        """

    def load(self, folder: Path) -> FittedModel:
        """Read what a model's `save` wrote."""


def why_not(
    layout: Layout, learning: Learning, *, losses: Collection[Loss] = tuple(CURVE_METRIC), gpu: bool = False
) -> str | None:
    """Why a family with these losses, on a GPU or not, cannot learn this; None where it can."""
    if learning.loss not in losses:
        return f"it cannot learn the loss {learning.loss}, only {', '.join(losses)}"
    if learning.device == "gpu" and not gpu:
        return "it does not run on a GPU"
    if layout.task == "multiclass" and any(learning.directions(layout.quantities)):
        return "no probability of several classes can be made to rise or fall with a quantity; remove training.monotone"
    return None


def unbound(layout: Layout, learning: Learning) -> str | None:
    """Why trees whose leaves are set to a quantile once they have grown cannot learn this: those obey no constraint."""
    if any(learning.directions(layout.quantities)) and learning.loss in ("absolute_error", "quantile"):
        return f"it takes no training.monotone where the loss is {learning.loss}"
    return None


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights divided by their sum; equal shares where none has any weight."""
    total = sum(weights.values())
    if not total > 0:
        return dict.fromkeys(weights, 1 / len(weights))
    return {name: weight / total for name, weight in weights.items()}
