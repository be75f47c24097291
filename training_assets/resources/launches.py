"""Tags of runs: which model they are about, who launched them, and which earlier run's results they carry on."""

from __future__ import annotations

import dagster as dg

MODEL_TAG = "training_assets/model"
BY_TAG = "training_assets/by"
OF_RUN_TAG = "training_assets/of_run"
"""A run with this tag reads the results of that run, and of no other."""


def launched_by(run: dg.DagsterRun) -> str | None:
    """The person who launched a run; none where a sensor, a schedule or somebody unknown did."""
    return run.tags.get(BY_TAG) or run.tags.get("user")
