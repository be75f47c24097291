"""Fits of any family on the made splits, for tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from training_assets.core.families import FAMILIES, Data, FittedModel, Learning, Stop
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import made


def never(_made: int, _loss: float) -> bool:
    """Never stop."""
    return False


def usual(task: Task) -> Learning:
    """What is learnt where a spec does not say."""
    return Learning("squared_error" if task == "regression" else "log_loss")


@cache
def splits(task: Task) -> tuple[Data, Data, Data]:
    """Training, validation and test rows, the same for all fits."""
    return made(task).data()


def fit(
    name: str,
    train: Data,
    validation: Data | None,
    *,
    learning: Learning | None = None,
    threads: int = 1,
    seed: int = 0,
    max_iterations: int = 60,
    patience: int = 15,
    stop: Stop = never,
    **params: Any,
) -> FittedModel:
    """Fit the family with its default parameters but these."""
    return FAMILIES[name].fit(
        {**FAMILIES[name].default_params(), **params},
        train,
        validation,
        learning=learning or usual(train.layout.task),
        threads=threads,
        seed=seed,
        max_iterations=max_iterations,
        patience=patience,
        stop=stop,
    )


def fitted(name: str, task: Task, **settings: Any) -> FittedModel:
    """Fit the family on the made splits."""
    train, validation, _ = splits(task)
    return fit(name, train, validation, **settings)
