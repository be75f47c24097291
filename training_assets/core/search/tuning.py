"""The search itself: trials as threads over shared rows, as many as the budget bears, then the final model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.families import Data, Family, Learning
from training_assets.core.families.freed_memory import give_back
from training_assets.core.search import out_of_fold, pruning
from training_assets.core.search.blending import LARGEST_SAMPLE, mean
from training_assets.core.search.budget import Budget
from training_assets.core.search.candidates import Candidates
from training_assets.core.search.finishing import (
    FINAL_FIT,
    Candidate,
    Plan,
    fit_members,
    seconds_for,
    weights_of,
    worth_refitting,
)
from training_assets.core.search.memory import Memory, NoMemory
from training_assets.core.search.reporting import Progress
from training_assets.core.search.sampling import Proposal, proposals
from training_assets.core.search.scores import Metric
from training_assets.core.search.study import Study, Trial, Tuned
from training_assets.core.search.trials import Job, Outcome, run
from training_assets.spec.search import Search

MOST_MEMBERS = 8
ROUGHLY = 5_000
"""Validation rows on which a first guess at the blend is made, so that time is kept back for its members."""


def search(
    train: Data,
    validation: Data,
    spec: Search,
    learning: Learning,
    metric: Metric,
    *,
    families: Mapping[str, Family],
    cores: int,
    clock: Callable[[], float] = time.monotonic,
    memory: Memory | None = None,
    warm: Sequence[tuple[str, dict[str, Any]]] = (),
    exchangeable: bool = False,
    say: Callable[[str], None],
) -> Tuned:
    """Fit trials until there are `spec.trials` or time is up, then the final model: within `spec.budget_seconds`.

    Trials run `spec.parallel` (default: `cores`) at a time, each with an equal share of the cores; none waits for
    another. Where rows are `exchangeable` (dealt one by one, by chance), validation rows are few and trials many, the
    blend is chosen out of fold, on training rows as well. Time is kept back for this and for the final fits. Trials
    that run when time is up end with their best iteration so far; a trial that fails is recorded with its reason. At
    least one model is fitted, however short the budget. With `memory`, finished trials of an earlier attempt count as
    trials of this one, with the time that they took. With one trial at a time and a budget that is not reached, a seed
    gives the same trials and the same model. Raises `InputError`: E_GRID for the spec, E_NO_ROWS or E_LABEL_CONST for
    rows that nothing can be learnt from, E_SEARCH (E_DEVICE where there is no GPU) with all the reasons where every
    trial failed.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

    _refuse_constant_labels(train, validation)
    run = _Run(
        train, validation, spec, learning, metric, families, cores, clock, memory or NoMemory(), warm, exchangeable, say
    )
    # BLAS has one limit a process: a trial that sets its own takes it from the others when it ends.
    with threadpool_limits(1, user_api="blas"):
        return run.tuned()


def _refuse_constant_labels(train: Data, validation: Data) -> None:
    for name, data in (("training", train), ("validation", validation)):
        if not data.n_rows:
            message = f"there are no {name} rows; check the split's shares and cuts"
            raise InputError(code="E_NO_ROWS", message=message)
        if len(np.unique(data.labels)) < 2 and (name == "training" or data.layout.task != "regression"):
            message = f"all {data.n_rows} {name} rows have the same label; add rows of the others, or split otherwise"
            raise InputError(code="E_LABEL_CONST", message=message)


@dataclass
class _Run:
    """The state of one search; trials run in other threads, all else in the caller's."""

    train: Data
    validation: Data
    spec: Search
    learning: Learning
    metric: Metric
    families: Mapping[str, Family]
    cores: int
    clock: Callable[[], float]
    memory: Memory
    warm: Sequence[tuple[str, dict[str, Any]]]
    exchangeable: bool
    say: Callable[[str], None]
    _abandoned: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        spec, cores = self.spec, max(self.cores, 1)
        wanted = spec.parallel or (1 if self.learning.device == "gpu" else cores)
        self.parallel = min(wanted, spec.trials)
        self.threads = max(1, cores // self.parallel)
        most = 1 if spec.ensemble == "none" else MOST_MEMBERS
        self.plan = Plan(spec.refit, most, cores, self.parallel, spec.max_iterations, spec.seed)
        self.growth = 1 + self.validation.n_rows / self.train.n_rows
        self.candidates = Candidates(self.metric.direction)
        self.final_seconds = 0.0  # that the final fits should take
        self.may_fold = self.exchangeable and most > 1 and out_of_fold.suits(self.train, self.validation)
        self.proposals = proposals(spec, self.families, self.train.facts, self.metric.direction, self.warm)
        self.trials: dict[int, Trial] = {}
        self.running: dict[Future[Outcome], Proposal] = {}
        self.seen: dict[str, Trial] = {}
        self.resumed = self.memory.finished()
        spent = max((trial.began + trial.seconds for trial, _ in self.resumed), default=0.0)
        self.budget = Budget.begin(spec.budget_seconds, self.clock, self.parallel, spent=spent)
        self.progress = Progress(
            self.say,
            self.clock,
            spec.budget_seconds,
            self.metric.name,
            self.metric.better,
            trials=spec.trials,
            spent=self.budget.elapsed(),
        )

    def tuned(self) -> Tuned:
        """Run it all."""
        self._take_up()
        self._search()
        if not self.candidates.kept:
            reasons = "; ".join(dict.fromkeys(f"{trial.family}: {trial.reason}" for trial in self.trials.values()))
            message = f"all {len(self.trials)} trials failed: {reasons}"
            raise InputError("E_DEVICE" if "E_DEVICE" in message else "E_SEARCH", message)
        return self._finish()

    def _take_up(self) -> None:
        """Count the finished trials of an earlier attempt as this one's."""
        for trial, predictions in self.resumed:
            if trial.family in self.families:
                proposal = Proposal(trial.family, trial.params, trial.origin)
                taken = replace(trial, number=len(self.trials))
                self._note(taken, proposal, predictions, None)
                self.progress.finished(taken)
        if self.trials:
            self.progress.phase(f"{len(self.trials)} finished trials of the attempt before are taken up")

    def _search(self) -> None:
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="trial") as pool:
            try:
                while True:
                    while self._may_start() and (proposal := self._next()) is not None:
                        number = len(self.trials) + len(self.running)
                        self.progress.started(number, proposal.family)
                        self.running[pool.submit(self._trial, self._job(number, proposal))] = proposal
                    if not self.running:
                        return
                    done, _ = wait(self.running, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcome, proposal = future.result(), self.running.pop(future)
                        self.memory.keep(outcome.trial, outcome.predictions)
                        self.progress.finished(outcome.trial)
                        self._note(outcome.trial, proposal, outcome.predictions, outcome.model)
            finally:
                self._abandoned.set()  # an interrupted search leaves no fit behind that runs on

    def _may_start(self) -> bool:
        if len(self.trials) + len(self.running) >= self.spec.trials or len(self.running) >= self.parallel:
            return False
        return self.budget.pays_another_trial() or not (self.candidates.kept or self.running)

    def _next(self) -> Proposal | None:
        """The next proposal that was not tried before."""
        while (proposal := self.proposals.ask()) is not None:
            known = self.seen.get(proposal.identity)
            if known is None and all(proposal.identity != each.identity for each in self.running.values()):
                return proposal
            if known is not None and proposal.ticket is not None:
                self.proposals.tell(proposal, known)
        return None

    def _job(self, number: int, proposal: Proposal) -> Job:
        # Iterations of a family without a learning rate say nothing about what is still to come.
        prunes = self.spec.pruner == "median" and proposal.origin == "sampler" and "learning_rate" in proposal.params
        limits = pruning.limits(proposal.family, list(self.trials.values())) if prunes else []
        spec = self.spec
        return Job(number, proposal, self.threads, spec.seed, spec.max_iterations, spec.patience, limits)

    def _trial(self, job: Job) -> Outcome:
        budget, began = self.budget, self.budget.elapsed()
        final_fit = FINAL_FIT * self.growth if self.plan.refit else 0.0
        most = budget.longest_trial(longer=job.proposal.is_longer, final_fit=final_fit)

        def late() -> bool:
            return self._abandoned.is_set() or budget.elapsed() - began > most or budget.left() <= 0

        outcome = run(
            job,
            self.families[job.proposal.family],
            self.train,
            self.validation,
            self.learning,
            self.metric,
            clock=self.budget.elapsed,
            late=late,
            told=self.progress.iteration,
        )
        give_back()
        return outcome

    def _note(self, trial: Trial, proposal: Proposal, predictions: Any, model: Any) -> None:
        """Remember a finished trial, and forget predictions and models that no final model will need."""
        self.trials[trial.number] = trial
        self.seen[proposal.identity] = trial
        self.proposals.tell(proposal, trial)
        if trial.score is None:
            return
        single = np.asarray(predictions, dtype=np.float32)
        if self.candidates.add(Candidate(trial, single, model)):
            members = [self.trials[number] for number in self._weights(ROUGHLY)]
            self.final_seconds = seconds_for(members, self.plan, self.growth)
            judged = self._judged_out_of_fold(out_of_fold.SHARE * self.spec.budget_seconds)
            self.budget.keep_back(self.final_seconds + out_of_fold.seconds_for(judged, self.plan, self.growth))

    def _weights(self, rows: int) -> dict[int, float]:
        """A blend that is chosen on at most so many of the validation rows."""
        kept = self.candidates.kept
        said = {number: each.predictions for number, each in kept.items()}
        return weights_of(kept, said, self.validation, self.metric, self.plan.most, rows=rows)

    def _judged_out_of_fold(self, seconds: float) -> list[Trial]:
        """Candidates that there is time to judge on all rows; none where that should not be."""
        scored = sum(trial.score is not None for trial in self.trials.values())
        if not self.may_fold or scored < out_of_fold.LEAST_TRIALS:
            return []
        order = dict.fromkeys([*self.candidates.best_of_families(), *self.candidates.ranked()])
        return out_of_fold.within([self.trials[number] for number in order], self.plan, self.growth, seconds)

    def _chosen(self) -> tuple[dict[int, float], int | None]:
        """Weights of the final members, and the number of rows that they were chosen on out of fold, if so."""
        time_left = self.budget.seconds_but(self.final_seconds)
        if judged := [trial.number for trial in self._judged_out_of_fold(time_left)]:
            end = self.budget.elapsed() + time_left
            found = out_of_fold.out_of_fold(
                judged,
                self.candidates.kept,
                self.families,
                self.train,
                self.validation,
                self.learning,
                self.plan,
                late=lambda: self.budget.elapsed() >= end,
                say=self.progress.phase,
            )
            if found is not None:
                rows, said = found
                return weights_of(self.candidates.kept, said, rows, self.metric, self.plan.most), rows.n_rows
        return self._weights(LARGEST_SAMPLE), None

    def _finish(self) -> Tuned:
        spec, best = self.spec, self.candidates.ranked()[0]
        if self.plan.most == 1:
            self.candidates.keep_only({best})
        else:
            self.progress.phase("choosing the blend")
        weights, judges = self._chosen()
        predicted = mean({number: self.candidates.kept[number].predictions for number in weights}, weights)
        # Models of the others go now: final fits need the room.
        self.candidates.keep_only({*weights, best})
        candidates = self.candidates.kept
        left = spec.budget_seconds - self.budget.elapsed()
        refit = worth_refitting(weights, candidates, self.plan, self.growth, left)
        if refit:
            rows = self.train.n_rows + self.validation.n_rows
            self.progress.phase(f"final fit of {len(refit)} of {len(weights)} members on {rows:,} rows")
        for number in refit:
            self.progress.started(number, self.trials[number].family)
        model, members = fit_members(
            weights,
            refit,
            candidates,
            self.families,
            self.train,
            self.validation,
            self.learning,
            self.plan,
            clock=self.budget.elapsed,
            late=lambda: self.budget.elapsed() >= spec.budget_seconds,
            told=self.progress.iteration,
        )
        for number in refit:
            self.progress.over(number)
        score = self.metric.score(self.validation.labels, self.validation.transform.back(predicted))
        study = Study(
            metric=self.metric.name,
            direction=self.metric.direction,
            trials=[self.trials[number] for number in sorted(self.trials)],
            best=best,
            members=members,
            score=score,
            seconds=self.budget.elapsed(),
            budget_seconds=spec.budget_seconds,
            out_of_fold=judges,
        )
        self.progress.phase(f"{self.metric.name} {score:.4f} on validation rows, {len(members)} members")
        left_by_best = candidates[best].model
        curve = [loss for _, loss in self.trials[best].curve]
        curves = {"validation": curve} if left_by_best is None else left_by_best.curves
        return Tuned(study, model, predicted, curves)
