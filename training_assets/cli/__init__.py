"""The command line: a thin face over the same functions that the Dagster UI and the sensors use."""

from training_assets.cli.main import main

__all__ = ["main"]
