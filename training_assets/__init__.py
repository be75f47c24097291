"""A governed model training pipeline as Dagster assets: one YAML file becomes one model's whole graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training_assets.component import TrainingPipeline

__all__ = ["TrainingPipeline"]


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
