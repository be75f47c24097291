"""Studies to draw: of any size, with trials of every state, and curves like real ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from training_assets.core.search.study import Member, Origin, State, Study, Trial

FAMILIES = ("catboost", "lightgbm", "hist_gradient_boosting", "linear")


def params_of(family: str, random: np.random.Generator) -> dict[str, Any]:
    """Parameters such as the family has: numbers on a log scale, whole numbers, and choices."""
    if family == "linear":
        return {"l2": float(10 ** random.uniform(-4, 2))}
    return {
        "learning_rate": float(10 ** random.uniform(-2, -0.5)),
        "depth": int(random.integers(2, 11)),
        "l2": float(10 ** random.uniform(-2, 2)),
        "subsample": float(random.uniform(0.5, 1)),
        "categories": str(random.choice(["native", "target", "one-hot"])),
        "balanced": bool(random.integers(2)),
    }


def trial_of(number: int, family: str, random: np.random.Generator, *, began: float, state: State) -> Trial:
    """A trial whose score depends on its parameters, with its curve."""
    params = params_of(family, random)
    seconds = float(random.uniform(0.3, 4))
    origin: Origin = "portfolio" if number < 4 else "warm start" if number == 4 else "sampler"
    if state == "failed":
        reason = "ValueError: two lines\nof it"
        return Trial(number, family, params, origin, None, state, seconds, began, None, None, reason=reason)
    score = 0.8 - 0.02 * abs(np.log10(params["l2"])) - 0.01 * abs(params.get("depth", 9) - 6)
    score -= 0.05 if state == "pruned" else 0
    if family == "linear":
        return Trial(number, family, params, origin, float(score), state, seconds, began, None, None)
    made = 60 if state == "pruned" else int(random.integers(200, 2000))
    at = np.unique(np.geomspace(1, made, 90).astype(int))
    best = int(made * 0.8)
    losses = 1 - score + 0.4 * np.exp(-at / (100 * random.uniform(0.5, 2))) + 1e-8 * np.maximum(at - best, 0) ** 2
    curve = [(int(each), float(loss)) for each, loss in zip(at, losses, strict=True)]
    return Trial(
        number, family, params, origin, float(score), state, seconds, began, best, made, "log_loss", curve, None
    )


def study_of(
    trials: int, families: tuple[str, ...] = FAMILIES, *, broken: tuple[str, ...] = (), members: int = 3
) -> Study:
    """A study with that many trials, two at a time: every ninth failed, every fifth pruned, the last one stopped."""
    random = np.random.default_rng(0)
    free = [0.0, 0.0]
    done: list[Trial] = []
    for number in range(trials):
        family = families[number % len(families)]
        state: State = "complete"
        if number % 9 == 8 or family in broken:
            state = "failed"
        elif number == trials - 1:
            state = "stopped"
        elif number % 5 == 4 and family != "linear":
            state = "pruned"
        machine = int(np.argmin(free))
        trial = trial_of(number, family, random, began=free[machine], state=state)
        free[machine] += trial.seconds + 0.05
        done.append(trial)
    ranked = sorted((each for each in done if each.score is not None), key=lambda each: -(each.score or 0))
    chosen = ranked[:members]
    weights = [1 / (place + 1) for place in range(len(chosen))]
    kept = [
        Member(
            each.number, weight / sum(weights), each.best_iteration and each.best_iteration + 100, 2.0, refitted=True
        )
        for each, weight in zip(chosen, weights, strict=True)
    ]
    score = (ranked[0].score or 0) + 0.004
    return Study("roc_auc", "higher", done, ranked[0].number, kept, score, max(free) + 6, 60.0)
