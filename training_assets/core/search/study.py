"""What a search leaves behind: every trial, and the members of the final model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from training_assets.core.families.base import FittedModel

State = Literal["complete", "pruned", "stopped", "failed"]
Origin = Literal["portfolio", "warm start", "sampler", "grid", "longer"]  # longer: what the clock cut off, once more
STILL_GAINING = 0.9


@dataclass(frozen=True)
class Trial:
    """One fit: what was tried, and what came of it."""

    number: int  # from 0, in the order of proposal
    family: str
    params: dict[str, Any]
    origin: Origin
    score: float | None  # on the validation rows; None where the trial failed
    state: State  # pruned: worse than others were by then; stopped: by the clock; both with the best iteration so far
    seconds: float
    began: float  # seconds after the search began
    best_iteration: int | None  # iterations that its score is of, counted from 1; None where a fit has no such choice
    iterations: int | None  # iterations made
    curve_metric: str | None = None
    curve: list[tuple[int, float]] = field(default_factory=list)  # validation loss at some of the iterations
    reason: str | None = None  # why it failed

    @property
    def was_still_gaining(self) -> bool:
        """Whether the clock ended it, and among its last iterations was the best so far."""
        made, best = self.iterations, self.best_iteration
        return self.state == "stopped" and made is not None and best is not None and best >= STILL_GAINING * made

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        """Read what `to_json` wrote."""
        return cls(**{**data, "curve": [(int(at), float(loss)) for at, loss in data["curve"]]})


@dataclass(frozen=True)
class Member:
    """A part of the final model: a trial's parameters, fitted once more."""

    trial: int  # number of the trial
    weight: float  # share in the blend; all together 1
    iterations: int | None  # boosting iterations of the final fit; None where a fit has no such choice
    seconds: float  # that the final fit took
    refitted: bool  # whether it learnt from validation rows as well
    reason: str | None = None  # why it is as its trial left it, or short of iterations, where a final fit was tried

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Study:
    """All the trials of a search by number, the best of them, and the members of the final model."""

    metric: str
    direction: Literal["higher", "lower"]
    trials: list[Trial]
    best: int
    members: list[Member]
    score: float  # of the members together on the validation rows, before they saw them
    seconds: float  # of it all, refit included
    budget_seconds: float
    out_of_fold: int | None = None  # rows that members were chosen on out of fold; None: on the validation rows

    @property
    def best_trial(self) -> Trial:
        """Trial with the best score; of equal ones the first."""
        return next(trial for trial in self.trials if trial.number == self.best)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {
            **vars(self),
            "trials": [trial.to_json() for trial in self.trials],
            "members": [member.to_json() for member in self.members],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Study:
        """Read what `to_json` wrote."""
        trials = [Trial.from_json(trial) for trial in data["trials"]]
        return cls(**{**data, "trials": trials, "members": [Member(**member) for member in data["members"]]})


@dataclass(frozen=True)
class Tuned:
    """A study, the final model, and what its members, as their trials were, say of the validation rows."""

    study: Study
    model: FittedModel
    validation_predictions: Any  # of rows that they did not learn from: (n,) or (n, k)
    best_model_curves: Mapping[str, list[float]]  # learning curves of the best trial, "train" and "validation"
