"""What every model family has in common: how it is given a split, and what it gives back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.encoding.layout import Layout

Floats = npt.NDArray[np.float64]
View = TypeVar("View")

CURVE_METRIC = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True)
class Facts:
    """What a family may know about the training rows when it proposes parameters."""

    rows: int
    quantities: int
    categories: int


@dataclass(frozen=True)
class Data:
    """One encoded split: what families read, with what they make of it built once and shared by all trials."""

    layout: Layout
    frame: pl.DataFrame
    _views: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    _locks: dict[Hashable, threading.Lock] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, encoded: pl.DataFrame, layout: Layout) -> Data:
        """Wrap a frame that `Preprocessor.encode` (or `encode_training`) made; `layout` is that preprocessor's."""
        return cls(layout=layout, frame=encoded)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.frame.height

    @property
    def facts(self) -> Facts:
        """Size of the split."""
        return Facts(self.n_rows, len(self.layout.quantities), len(self.layout.codes))

    @property
    def y(self) -> npt.NDArray[Any]:
        """Labels, one a row: class codes (int32) or values (float64); `ValueError` where a row has none."""
        if "_target" not in self.frame.columns or self.frame.get_column("_target").null_count():
            message = "rows without a label can be predicted, not learnt from or scored against"
            raise ValueError(message)
        return self.frame.get_column("_target").to_numpy()

    @property
    def has_labels(self) -> bool:
        """Whether every row has its label."""
        return "_target" in self.frame.columns and not self.frame.get_column("_target").null_count()

    def shared(self, name: Hashable, build: Callable[[], View]) -> View:
        """Give the view of that name, building it on first use; any number of threads get the same one."""
        # setdefault is atomic; a lock a view, so that one family's view need not wait for another's.
        with self._locks.setdefault(name, threading.Lock()):
            if name not in self._views:
                self._views[name] = build()
            view: View = self._views[name]
            return view


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

    def suggest(self, trial: Any, facts: Facts) -> dict[str, Any]:
        """Parameters drawn by an Optuna trial, which knows each as `<family>.<name>`."""

    def fit(
        self,
        params: Mapping[str, Any],
        train: Data,
        validation: Data,
        *,
        threads: int,
        seed: int,
        max_iterations: int,
        patience: int,
        deadline: Callable[[], bool],
    ) -> FittedModel:
        """Fit on `train`, stop after `patience` iterations without a better loss on `validation`, keep the best.

        `deadline` is asked after every iteration; once it says True, the fit ends with the best iteration so far.
        """

    def load(self, folder: Path) -> FittedModel:
        """Read what a model's `save` wrote."""


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights divided by their sum; equal shares where none has any weight."""
    total = sum(weights.values())
    if not total > 0:
        return dict.fromkeys(weights, 1 / len(weights))
    return {name: weight / total for name, weight in weights.items()}
