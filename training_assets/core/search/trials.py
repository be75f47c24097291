"""One trial: a function of two splits and of what is tried; a thread runs it now, another machine might."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.families import Data, Family, FittedModel, Learning
from training_assets.core.search.pruning import RUNGS, learning_rate, progress
from training_assets.core.search.sampling import Proposal
from training_assets.core.search.scores import Metric
from training_assets.core.search.study import State, Trial

REASON = 300  # characters of an error that are kept
POINTS = 60  # of a learning curve that are kept
SLOW_RATE = 0.05
"""Learning rate that `patience` is meant for: a faster one has as much to show in fewer iterations."""
LEAST_PATIENCE = 20


@dataclass(frozen=True)
class Job:
    """What a trial is given besides the data: all of it values, but for the clock."""

    number: int
    proposal: Proposal
    threads: int
    seed: int
    max_iterations: int
    patience: int
    prune_above: Sequence[float]  # largest best loss at each of `pruning.RUNGS`; empty where nothing is pruned


@dataclass(frozen=True)
class Outcome:
    """What came of a trial."""

    trial: Trial
    model: FittedModel | None
    predictions: Any  # of the validation rows, before the target's transform is turned back; None where it failed


def run(
    job: Job,
    family: Family,
    train: Data,
    validation: Data,
    learning: Learning,
    metric: Metric,
    *,
    clock: Callable[[], float],
    late: Callable[[], bool],
    told: Callable[[int, int, float], None],
) -> Outcome:
    """Fit and score; whatever a library raises becomes a failed trial, so that the others go on.

    `clock` gives seconds since the search began, `late` says that the fit must end now, `told` hears of each iteration
    (number of the trial, iterations made, validation loss).
    """
    proposal, began = job.proposal, clock()
    watch = _Watch(job, late, told)
    try:
        model = family.fit(
            proposal.params,
            train,
            validation,
            learning=learning,
            threads=job.threads,
            seed=job.seed,
            max_iterations=job.max_iterations,
            patience=patience(job.patience, proposal.params),
            stop=watch,
        )
        predictions = model.predict(validation)
        score = metric.score(validation.labels, train.transform.back(predictions))
    except Exception as error:  # noqa: BLE001 - whatever a library raises, the other trials go on
        reason = (str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}")[:REASON]
        return Outcome(watch.trial(began, clock(), None, None, reason), None, None)
    return Outcome(watch.trial(began, clock(), score, model, None), model, predictions)


def patience(most: int, params: dict[str, Any]) -> int:
    """Iterations without a better loss before a fit ends: as many as make the same progress at its learning rate."""
    rate = learning_rate(params) or SLOW_RATE
    return int(np.clip(round(most * SLOW_RATE / rate), min(LEAST_PATIENCE, most), most))


class _Watch:
    """Called after each iteration; remembers the curve, and why the fit ended."""

    def __init__(self, job: Job, late: Callable[[], bool], told: Callable[[int, int, float], None]) -> None:
        self._job, self._late, self._told = job, late, told
        self._losses: list[float] = []
        self._iterations = 0
        self._best = np.inf
        self._rung = 0
        self.state: State = "complete"
        self._over = threading.Event()

    def __call__(self, iterations: int, loss: float) -> bool:
        self._iterations = iterations
        self._losses.append(loss)
        self._best = min(self._best, loss)
        self._told(self._job.number, iterations, loss)
        if not self._over.is_set():
            if self._late():
                self.state = "stopped"
                self._over.set()
            elif self._is_hopeless(iterations):
                self.state = "pruned"
                self._over.set()
        return self._over.is_set()

    def _is_hopeless(self, iterations: int) -> bool:
        reached = progress(self._job.proposal.params, iterations)
        hopeless = False
        while self._rung < len(self._job.prune_above) and reached >= RUNGS[self._rung]:
            hopeless = hopeless or self._best > self._job.prune_above[self._rung]
            self._rung += 1
        return hopeless

    def trial(
        self, began: float, ended: float, score: float | None, model: FittedModel | None, reason: str | None
    ) -> Trial:
        """Put on record what happened."""
        job = self._job
        step = self._iterations / len(self._losses) if self._losses else 1  # a family may count ten trees at a time
        shown = np.unique(np.geomspace(1, len(self._losses), POINTS).astype(int)).tolist() if self._losses else []
        curve = [(round(at * step), self._losses[at - 1]) for at in shown if np.isfinite(self._losses[at - 1])]
        return Trial(
            number=job.number,
            family=job.proposal.family,
            params=job.proposal.params,
            origin=job.proposal.origin,
            score=score,
            state="failed" if model is None else self.state,
            seconds=ended - began,
            began=began,
            best_iteration=None if model is None else model.best_iteration,
            iterations=self._iterations or None,
            curve_metric=None if model is None else model.curve_metric,
            curve=[(at, float(loss)) for at, loss in curve],
            reason=reason,
        )
