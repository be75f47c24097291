"""The search itself: trials as threads over shared rows, told to the sampler in order, stopped by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np

from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Data, FittedModel
from training_assets.core.search.sampling import Proposal, Proposals, proposals
from training_assets.core.search.scores import Metric, metric
from training_assets.core.search.study import State, Study, Trial, Tuned
from training_assets.spec.search import Search
from training_assets.spec.target import Task

REASON = 300  # characters of an error that are kept


def search(
    train: Data,
    validation: Data,
    spec: Search,
    task: Task,
    *,
    cores: int,
    clock: Callable[[], float] = time.monotonic,
    progress: Callable[[str], None],
) -> Tuned:
    """Fit trials until there are `spec.trials` or `spec.budget_seconds` have passed, and keep the best model.

    Trials run `spec.parallel` (default: `cores`) at a time, each with an equal share of the cores. Trial k is proposed
    knowing exactly the results of trials 0 to k - parallel, whichever finish first, so a seed gives the same trials and
    model whatever the timing, as long as the clock stops none. Trials that run when time is up end with their best
    iteration so far; a trial that fails is recorded with its reason. At least one model is fitted, however short the
    budget. Raises `InputError`: E_METRIC, E_GRID for the spec, E_LABEL_CONST for rows that nothing can be learnt from,
    E_SEARCH with all the reasons where every trial failed.
    """
    measured = metric(spec.metric, task)
    _refuse_constant_labels(train, validation, task)
    proposed = proposals(spec, train.facts, measured.direction)
    run = _Run(train, validation, spec, measured, clock, progress, cores, proposed)
    trials = run.all_trials()
    if run.best is None:
        reasons = "; ".join(dict.fromkeys(f"{trial.family}: {trial.reason}" for trial in trials))
        message = f"all {len(trials)} trials failed: {reasons}"
        raise InputError(code="E_SEARCH", message=message)
    number, _, model = run.best
    return Tuned(Study(measured.name, measured.direction, trials, number, clock() - run.began), model)


def _refuse_constant_labels(train: Data, validation: Data, task: Task) -> None:
    for name, data in (("training", train), ("validation", validation)):
        if not data.n_rows:
            message = f"there are no {name} rows; check the split's shares and cuts"
            raise InputError(code="E_NO_ROWS", message=message)
        if len(np.unique(data.y)) < 2 and (name == "training" or task != "regression"):
            message = f"all {data.n_rows} {name} rows have the same label; add rows of the others, or split otherwise"
            raise InputError(code="E_LABEL_CONST", message=message)


@dataclass
class _Run:
    """The state of one search; trials run in other threads, all else in the caller's."""

    train: Data
    validation: Data
    spec: Search
    metric: Metric
    clock: Callable[[], float]
    progress: Callable[[str], None]
    cores: int
    proposals: Proposals
    best: tuple[int, float, FittedModel] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _abandoned: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.total = min(self.spec.trials, self.proposals.total or self.spec.trials)
        self.parallel = min(self.spec.parallel or max(self.cores, 1), self.total)
        self.threads = max(1, self.cores // self.parallel)
        self.began = self.clock()
        self.told = 0
        self.finished: dict[int, Trial] = {}
        self.running: dict[Future[Trial], int] = {}

    def all_trials(self) -> list[Trial]:
        """Run the trials, and give them by number."""
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="trial") as pool:
            try:
                while True:
                    while self._may_start():
                        number = len(self.finished) + len(self.running)
                        self._tell_before(number)
                        self.running[pool.submit(self._trial, number, self.proposals.ask())] = number
                    if not self.running:
                        return [self.finished[number] for number in sorted(self.finished)]
                    done, _ = wait(self.running, return_when=FIRST_COMPLETED)
                    for future in sorted(done, key=self.running.__getitem__):
                        self.finished[self.running.pop(future)] = future.result()
                        self._report(future.result())
            finally:
                self._abandoned.set()  # an interrupted search leaves no fit behind that runs on

    def _may_start(self) -> bool:
        number = len(self.finished) + len(self.running)
        if number >= self.total or len(self.running) >= self.parallel:
            return False
        if self._late() and (self.best is not None or self.running):
            return False
        return self._is_blind(number) or all(earlier in self.finished for earlier in range(number - self.parallel + 1))

    def _is_blind(self, number: int) -> bool:
        return self.proposals.blind is None or number < self.proposals.blind

    def _tell_before(self, number: int) -> None:
        """Tell the sampler what proposal `number` may know, even where more is known by now."""
        while not self._is_blind(number) and self.told <= number - self.parallel:
            self.proposals.tell(self.told, self.finished[self.told].score)
            self.told += 1

    def _late(self) -> bool:
        return self._abandoned.is_set() or self.clock() - self.began >= self.spec.budget_seconds

    def _trial(self, number: int, proposal: Proposal) -> Trial:
        began = self.clock()
        stopped = threading.Event()

        def deadline() -> bool:
            if self._late():
                stopped.set()
            return stopped.is_set()

        try:
            model = FAMILIES[proposal.family].fit(
                proposal.params,
                self.train,
                self.validation,
                threads=self.threads,
                seed=self.spec.seed,
                max_iterations=self.spec.max_iterations,
                patience=self.spec.patience,
                deadline=deadline,
            )
            score = self.metric.score(self.validation.y, model.predict(self.validation))
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the other trials go on
            reason = f"{type(error).__name__}: {error}"[:REASON]
            seconds = self.clock() - began
            return Trial(number, proposal.family, proposal.params, None, "failed", seconds, None, reason)
        self._offer(number, score, model)
        state: State = "stopped" if stopped.is_set() else "complete"
        seconds = self.clock() - began
        return Trial(number, proposal.family, proposal.params, score, state, seconds, model.best_iteration)

    def _offer(self, number: int, score: float, model: FittedModel) -> None:
        """Keep the model if none is better; of equal ones the one proposed first, whichever finishes first."""
        with self._lock:
            if self.best is not None:
                holder, record, _ = self.best
                if not (self.metric.better(score, record) or (score == record and number < holder)):
                    return
            self.best = (number, score, model)

    def _report(self, trial: Trial) -> None:
        best = "" if self.best is None else f" (best {self.best[1]:.4f})"
        outcome = f"failed: {trial.reason}" if trial.score is None else f"{self.metric.name} {trial.score:.4f}{best}"
        elapsed = f"{self.clock() - self.began:.0f} s of {self.spec.budget_seconds:.0f} s"
        self.progress(f"trial {trial.number + 1} of {self.total} · {trial.family} · {outcome} · {elapsed}")
