"""A governed model training pipeline as Dagster assets: one YAML file becomes one model's whole graph."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training_assets.component import TrainingPipeline

__all__ = ["TrainingPipeline"]

# Threads that wait for others spin by default, and on busy cores a fit then costs several times its CPU time; OpenMP
# reads this once, when the first of its libraries is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def __getattr__(name: str) -> object:
    """Load the component when it is asked for: a process that only scores rows never imports Dagster."""
    if name == "TrainingPipeline":
        from training_assets.component import TrainingPipeline

        return TrainingPipeline
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """Let `dg` find the component when it looks through the package."""
    return [*globals(), *__all__]
