"""Ensemble selection: which candidates become members of the final model, by which rows, and the time that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from training_assets.core.families import Data, Family, Learning
from training_assets.core.search import out_of_fold
from training_assets.core.search.blending import LARGEST_SAMPLE, blend_weights
from training_assets.core.search.budget import Budget
from training_assets.core.search.candidates import Candidate, Candidates
from training_assets.core.search.finishing import Plan, seconds_for
from training_assets.core.search.scores import Metric
from training_assets.core.search.study import Trial

ROUGHLY = 5_000
"""Validation rows on which a first guess at the blend is made, so that time is kept back for its members."""


@dataclass
class Selection:
    """The candidates of one search, and the choice among them: by validation rows, or out of fold where that is better.

    That is where rows are `exchangeable`, validation rows few and trials many (`out_of_fold`).
    """

    train: Data
    validation: Data
    families: Mapping[str, Family]
    learning: Learning
    metric: Metric
    plan: Plan
    exchangeable: bool
    candidates: Candidates = field(init=False)
    growth: float = field(init=False)  # how many times as many rows as a trial the final fits learn from
    _scored: int = 0
    _final_fits: float = 0.0  # seconds that they should take

    def __post_init__(self) -> None:
        self.candidates = Candidates(self.metric.direction)
        self.growth = 1 + self.validation.n_rows / self.train.n_rows
        self._may_fold = self.exchangeable and self.plan.most > 1 and out_of_fold.suits(self.train, self.validation)

    def add(self, candidate: Candidate) -> bool:
        """Take a trial with a score; whether it is a candidate now."""
        self._scored += 1
        return self.candidates.add(candidate)

    def seconds_to_finish(self, budget_seconds: float) -> float:
        """Wall-clock seconds to keep back for the choice and the final fits, were the search over now."""
        kept = self.candidates.kept
        members = [kept[number].trial for number in self._by_validation_rows(ROUGHLY)]
        self._final_fits = seconds_for(members, self.plan, self.growth)
        judged = self._judged_out_of_fold(out_of_fold.SHARE * budget_seconds)
        return self._final_fits + out_of_fold.seconds_for(judged, self.plan, self.growth)

    def weights(self, budget: Budget, say: Callable[[str], None]) -> tuple[dict[int, float], int | None]:
        """Members' weights (together 1) by their trials' numbers, and how many rows chose them out of fold, if so."""
        time_left = budget.seconds_but(self._final_fits)
        if judged := [trial.number for trial in self._judged_out_of_fold(time_left)]:
            end = budget.elapsed() + time_left
            found = out_of_fold.out_of_fold(
                judged,
                self.candidates.kept,
                self.families,
                self.train,
                self.validation,
                self.learning,
                self.plan,
                late=lambda: budget.elapsed() >= end,
                say=say,
            )
            if found is not None:
                rows, said = found
                return self._weights(said, rows, LARGEST_SAMPLE), rows.n_rows
        return self._by_validation_rows(LARGEST_SAMPLE), None

    def _judged_out_of_fold(self, seconds: float) -> list[Trial]:
        """Candidates that there is time to judge on all rows; none where that should not be."""
        if not self._may_fold or self._scored < out_of_fold.LEAST_TRIALS:
            return []
        order = dict.fromkeys([*self.candidates.best_of_families(), *self.candidates.ranked()])
        trials = [self.candidates.kept[number].trial for number in order]
        return out_of_fold.within(trials, self.plan, self.growth, seconds)

    def _by_validation_rows(self, most_rows: int) -> dict[int, float]:
        said = {number: each.predictions for number, each in self.candidates.kept.items()}
        return self._weights(said, self.validation, most_rows)

    def _weights(self, predictions: Mapping[int, Any], judges: Data, most_rows: int) -> dict[int, float]:
        """Weights chosen by what those of `predictions` say of at most so many of the rows `judges`.

        As it is served, a blend is the mean of what its members learnt to say, turned back.
        """
        families = {number: self.candidates.kept[number].trial.family for number in predictions}
        metric = replace(self.metric, compute=lambda y, mean: self.metric.compute(y, judges.transform.back(mean)))
        return blend_weights(predictions, families, judges.labels, metric, most=self.plan.most, rows=most_rows)
