"""The final model: its members' fit on training and validation rows together, and the time that it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from training_assets.core.families import Data, Family, FittedModel, Learning, Stop
from training_assets.core.families.blend import blended
from training_assets.core.families.freed_memory import give_back
from training_assets.core.search.candidates import Candidate
from training_assets.core.search.study import Member, Trial

MORE_ITERATIONS = 1.1
"""Iterations of a final fit by the best ones of its trial: more rows bear more of them (measured: always a gain)."""
WHOLE = 0.9
"""Share of its iterations that a final fit which ran out of time needs to be better than what its trial left."""
SAVED = 0.9
"""Share of a trial's seconds that its final fit takes: it asks no validation rows (measured: 0.7 to 0.9)."""
FINAL_FIT = SAVED * MORE_ITERATIONS
"""Seconds of a final fit for each of its trial's, were the rows as many."""


@dataclass(frozen=True)
class Plan:
    """How members are fitted."""

    refit: bool
    most: int  # members
    cores: int
    parallel: int
    max_iterations: int
    seed: int

    def side_by_side(self, fits: int) -> tuple[int, int]:
        """How many of so many fits run at a time, and the threads of each."""
        workers = max(1, min(self.parallel, fits))
        return workers, max(1, self.cores // workers)


def fit_again(
    trial: Trial,
    families: Mapping[str, Family],
    rows: Data,
    learning: Learning,
    plan: Plan,
    *,
    threads: int,
    iterations: int,
    stop: Stop,
) -> FittedModel:
    """Fit a trial's parameters to other rows for so many iterations, none of them chosen on validation rows."""
    return families[trial.family].fit(
        trial.params,
        rows,
        None,
        learning=learning,
        threads=threads,
        seed=plan.seed,
        max_iterations=iterations,
        patience=iterations,
        stop=stop,
    )


def seconds_for(trials: Sequence[Trial], plan: Plan, growth: float) -> float:
    """Wall-clock seconds that the final fits of these trials take side by side, longest first on each free core.

    `growth` is how many times as many rows they learn from as their trials did.
    """
    if not plan.refit:
        return 0.0
    busy = [0.0] * max(1, min(plan.parallel, len(trials)))
    for cost in sorted((_seconds(trial, growth) for trial in trials), reverse=True):
        busy[busy.index(min(busy))] += cost
    return SAVED * max(busy)


def _seconds(trial: Trial, growth: float) -> float:
    share = 1.0
    if trial.best_iteration and trial.iterations:
        share = MORE_ITERATIONS * trial.best_iteration / trial.iterations
    return trial.seconds * growth * share


def worth_refitting(
    weights: Mapping[int, float], candidates: Mapping[int, Candidate], plan: Plan, growth: float, seconds_left: float
) -> set[int]:
    """Members, the heaviest first, whose final fits there is time for; the others stay as their trials left them."""
    chosen: list[int] = []
    for number in sorted(weights, key=lambda number: (-weights[number], number)):
        trials = [candidates[each].trial for each in [*chosen, number]]
        if candidates[number].model is None or seconds_for(trials, plan, growth) <= seconds_left:
            chosen.append(number)
    return set(chosen) if plan.refit else set()


def fit_members(
    weights: Mapping[int, float],
    refit: Collection[int],
    candidates: Mapping[int, Candidate],
    families: Mapping[str, Family],
    train: Data,
    validation: Data,
    learning: Learning,
    plan: Plan,
    *,
    clock: Callable[[], float],
    late: Callable[[], bool],
    told: Callable[[int, int, float], None],
) -> tuple[FittedModel, list[Member]]:
    """One model of the members, those in `refit` fitted anew on all rows with 1.1 times their trial's best iteration.

    A final fit that fails, or that `late` ends far from its last iteration, is given up for the model that its trial
    left; a member whose model is gone is fitted to its trial's best iteration at least. Each says so. One that is not
    in `refit` and whose model is gone is fitted again as its trial fitted it.
    """
    rows = train.and_also(validation) if refit else train
    if refit:
        for trials_rows in (train, validation):
            trials_rows.forget()  # final fits read rows of their own, for which there must be room
        give_back()
    workers, threads = plan.side_by_side(len(refit))

    def fit(number: int) -> tuple[FittedModel, Member]:
        candidate, began = candidates[number], clock()
        trial = candidate.trial
        if number not in refit and candidate.model is not None:
            return candidate.model, Member(number, weights[number], trial.best_iteration, 0.0, refitted=False)
        wanted = _iterations(trial, plan, MORE_ITERATIONS if number in refit else 1)
        # What its trial left is better than a fit that ends early; where that is gone, its best iteration is the least.
        least = 1 if candidate.model is not None else trial.best_iteration or wanted
        made, was_late = 0, False

        def left(model: FittedModel, reason: str) -> tuple[FittedModel, Member]:
            spent = clock() - began
            return model, Member(number, weights[number], trial.best_iteration, spent, refitted=False, reason=reason)

        def stop(iterations: int, loss: float) -> bool:
            nonlocal made, was_late
            made = iterations
            told(number, iterations, loss)
            was_late = was_late or (least <= iterations < wanted and late())
            return was_late

        try:
            learnt = rows if number in refit else train
            model = fit_again(trial, families, learnt, learning, plan, threads=threads, iterations=wanted, stop=stop)
        except Exception as error:
            if candidate.model is None:
                raise
            return left(candidate.model, f"{type(error).__name__}: {error}"[:300])
        give_back()
        # Where a fit has no best iteration, it ends by itself about where its trial did.
        whole = trial.iterations or 0 if trial.best_iteration is None else wanted
        reason = f"time was up after {made} of {whole} iterations" if was_late and made < whole else None
        if reason is not None and made < WHOLE * whole and candidate.model is not None:
            return left(candidate.model, reason)
        spent = clock() - began
        return model, Member(number, weights[number], model.best_iteration, spent, number in refit, reason)

    dearest_first = sorted(weights, key=lambda number: -candidates[number].trial.seconds)
    with ThreadPoolExecutor(workers, thread_name_prefix="final") as pool:
        fitted = {number: pool.submit(fit, number) for number in dearest_first}
        done = {number: fitted[number].result() for number in sorted(weights)}
    model: FittedModel = blended([(model, weights[number]) for number, (model, _) in done.items()])
    return model, [member for _, member in done.values()]


def _iterations(trial: Trial, plan: Plan, more: float) -> int:
    return plan.max_iterations if trial.best_iteration is None else math.ceil(trial.best_iteration * more)
