"""A study's final model once more, without its search: each member fitted again from what its trial found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from training_assets.core.families import Data, Family, FittedModel, Learning
from training_assets.core.search.candidates import Candidate
from training_assets.core.search.finishing import Plan, fit_members
from training_assets.core.search.study import Study
from training_assets.spec.search import Search


def replay(
    study: Study,
    train: Data,
    validation: Data,
    spec: Search,
    learning: Learning,
    families: Mapping[str, Family],
    *,
    cores: int,
    say: Callable[[str], None],
) -> tuple[FittedModel, list[str]]:
    """The final model of a study, and why it may differ: members that time cut short cannot be cut at the same moment.

    No clock ends a fit. Raises `KeyError` for a family that is not among `families`.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

    members = {member.trial: member for member in study.members}
    candidates = {trial.number: Candidate(trial, None, None) for trial in study.trials if trial.number in members}
    refit = {number for number, member in members.items() if member.refitted}
    plan = Plan(
        spec.refit,
        len(members),
        cores,
        min(spec.parallel or cores, max(1, len(members))),
        spec.max_iterations,
        spec.seed,
    )
    doubts = [
        f"member {number} ({candidates[number].trial.family}) "
        + (f"was cut short: {member.reason}" if member.refitted else "stayed as its trial left it")
        for number, member in members.items()
        if not member.refitted or member.reason
    ]

    def told(number: int, iterations: int, loss: float) -> None:
        del iterations, loss
        say(f"fitting member {number} again ({candidates[number].trial.family})") if number not in started else None
        started.add(number)

    started: set[int] = set()
    weights = {number: member.weight for number, member in members.items()}
    with threadpool_limits(1, user_api="blas"):
        model, _ = fit_members(
            weights, refit, candidates, families, train, validation, learning, plan,
            clock=time.monotonic, late=lambda: False, told=told,
        )  # fmt: skip
    return model, doubts
