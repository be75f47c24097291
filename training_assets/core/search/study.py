"""What a search leaves behind: every trial, and the best one's model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from training_assets.core.families.base import FittedModel

State = Literal["complete", "failed", "stopped"]


@dataclass(frozen=True)
class Trial:
    """One fit: what was tried, and what came of it."""

    number: int  # from 0, in the order of proposal
    family: str
    params: dict[str, Any]
    score: float | None  # on the validation rows; None where the trial failed
    state: State  # stopped: by the clock, with the best iteration so far
    seconds: float
    best_iteration: int | None
    reason: str | None = None  # why it failed

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Study:
    """All the trials of a search by number, and which of them is the best."""

    metric: str
    direction: Literal["higher", "lower"]
    trials: list[Trial]
    best: int
    seconds: float

    @property
    def best_trial(self) -> Trial:
        """Trial with the best score; of equal ones the first."""
        return next(trial for trial in self.trials if trial.number == self.best)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {**vars(self), "trials": [trial.to_json() for trial in self.trials]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Study:
        """Read what `to_json` wrote."""
        return cls(**{**data, "trials": [Trial(**trial) for trial in data["trials"]]})


@dataclass(frozen=True)
class Tuned:
    """A study and the model of its best trial."""

    study: Study
    model: FittedModel
