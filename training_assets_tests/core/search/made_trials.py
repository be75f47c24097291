"""Trials as a search leaves them, made up for tests."""

from __future__ import annotations

from typing import Any

from training_assets.core.search import Trial


def trial(number: int = 0, **said: Any) -> Trial:
    """A finished trial, with what is said of it."""
    made: dict[str, Any] = {
        "number": number,
        "family": "linear",
        "params": {"l2": 1.0},
        "origin": "portfolio",
        "score": 0.8,
        "state": "complete",
        "seconds": 2.0,
        "began": 0.5,
        "best_iteration": None,
        "iterations": None,
        "curve_metric": "log_loss",
        "curve": [(1, 0.7), (4, 0.6)],
    }
    return Trial(**{**made, **said})
