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
from training_assets.core.search import pruning
from training_assets.core.search.blending import mean
from training_assets.core.search.budget import Budget
from training_assets.core.search.candidates import Candidate
from training_assets.core.search.finishing import FINAL_FIT, Plan, fit_members, worth_refitting
from training_assets.core.search.memory import Memory, NoMemory
from training_assets.core.search.reporting import Progress
from training_assets.core.search.sampling import Proposal, proposals
from training_assets.core.search.scores import Metric
from training_assets.core.search.selection import Selection
from training_assets.core.search.study import Study, Trial, Tuned
from training_assets.core.search.trials import Job, Outcome, run
from training_assets.spec.search import Search

MOST_MEMBERS = 8


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
    trials of this one, with the time that they took; those that failed are tried anew. With one trial at a time and a
    budget that is not reached, a seed gives the same trials and the same model. Raises `InputError`: E_GRID for the
    spec, E_NO_ROWS or E_LABEL_CONST for rows that nothing can be learnt from, E_SEARCH (E_DEVICE where there is no GPU)
    with all the reasons where every trial failed.
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
        self.selection = Selection(
            self.train, self.validation, self.families, self.learning, self.metric, self.plan, self.exchangeable
        )
        self.growth, self.candidates = self.selection.growth, self.selection.candidates
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
                        if outcome.trial.state != "failed":  # whose reason may be gone when the search begins again
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
        spec, rate = self.spec, pruning.learning_rate(proposal.params)
        prunes = spec.pruner == "median" and proposal.origin == "sampler" and rate is not None
        limits = pruning.limits(proposal.family, list(self.trials.values())) if prunes else []
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
        if self.selection.add(Candidate(trial, single, model)):
            self.budget.keep_back(self.selection.seconds_to_finish(self.spec.budget_seconds))

    def _finish(self) -> Tuned:
        spec, best = self.spec, self.candidates.ranked()[0]
        if self.plan.most == 1:
            self.candidates.keep_only({best})
        else:
            self.progress.phase("choosing the blend")
        weights, judges = self.selection.weights(self.budget, self.progress.phase)
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
