"""Trials that may become members of the final model: the best ones, and the best of each family."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from training_assets.core.families import FittedModel
from training_assets.core.search.study import Trial

BEST = 16
"""Best trials that a blend is chosen from, besides the best one of each family."""


@dataclass(frozen=True)
class Candidate:
    """A trial that may become a member."""

    trial: Trial
    predictions: Any  # of the validation rows, before the target's transform is turned back
    model: FittedModel | None  # as the trial left it; None where it was not kept


@dataclass
class Candidates:
    """Candidates by their trials' numbers; models and predictions of others are let go."""

    direction: Literal["higher", "lower"]
    kept: dict[int, Candidate] = field(default_factory=dict)

    def add(self, candidate: Candidate) -> bool:
        """Take one with a score; whether it is kept."""
        self.kept[candidate.trial.number] = candidate
        self.keep_only({*self.ranked()[:BEST], *self.best_of_families()})
        return candidate.trial.number in self.kept

    def keep_only(self, numbers: set[int]) -> None:
        """Let the others go."""
        self.kept = {number: each for number, each in self.kept.items() if number in numbers}

    def ranked(self) -> list[int]:
        """Their numbers, the best score first; of equal ones the one proposed first."""
        sign = -1 if self.direction == "higher" else 1
        return sorted(self.kept, key=lambda number: (sign * (self.kept[number].trial.score or 0.0), number))

    def best_of_families(self) -> list[int]:
        """The best one of each family, the best family first."""
        first: dict[str, int] = {}
        for number in self.ranked():
            first.setdefault(self.kept[number].trial.family, number)
        return list(first.values())
