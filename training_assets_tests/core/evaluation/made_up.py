"""Rows and predictions made up for tests, each a function of its seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation.report import evaluate
from training_assets.spec.evaluation import Evaluation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def binary(rows: int = 400, *, seed: int = 0, share: float = 0.3, digits: int = 2) -> tuple[Ints, Floats]:
    """Codes, and probabilities that are informative and, being rounded, tied."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < share).astype(np.int64)
    logit = rng.normal(size=rows) + 1.2 * y - 1
    return y, np.round(1 / (1 + np.exp(-logit)), digits)


def multiclass(rows: int = 400, k: int = 4, *, seed: int = 0) -> tuple[Ints, Floats]:
    """Codes that all occur, and probabilities that are informative."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(rows) % k)
    logits = rng.normal(size=(rows, k))
    logits[np.arange(rows), y] += 1
    probabilities = np.exp(logits)
    return y, probabilities / probabilities.sum(axis=1, keepdims=True)


def regression(rows: int = 400, *, seed: int = 0) -> tuple[Floats, Floats]:
    """Values, and predictions that are informative."""
    rng = np.random.default_rng(seed)
    y = rng.gamma(2, 100, rows)
    return y, y * rng.normal(0.95, 0.2, rows)


def class_names(k: int) -> list[str]:
    """Names that are no numbers, so that a code cannot be taken for one."""
    return [f"class {chr(ord('a') + code)}" for code in range(k)]


def sample(task: str, rows: int = 400, *, k: int = 4, seed: int = 0) -> tuple[Any, Any, list[str]]:
    """Target, predictions and classes of a task."""
    if task == "binary":
        return *binary(rows, seed=seed), ["on time", "late"]
    if task == "multiclass":
        return *multiclass(rows, k, seed=seed), class_names(k)
    return *regression(rows, seed=seed), []


def report(task: str, *, rows: int = 400, k: int = 4, seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A report on made-up rows of a task, or on others that are given as `y` and `predictions`."""
    y, predictions, classes = sample(task, rows, k=k, seed=seed)
    y, predictions = changes.pop("y", y), changes.pop("predictions", predictions)
    arguments: dict[str, Any] = {
        "classes": classes,
        "threshold": 0.4 if task == "binary" else None,
        "spec": Evaluation(replicates=50),
        "train_target": y,
        "seed": seed,
        **changes,
    }
    return evaluate(task, y, predictions, **arguments)  # type: ignore[arg-type]  # callers name known tasks
