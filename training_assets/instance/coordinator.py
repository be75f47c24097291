"""A queue that knows which model a run is about, whoever launched it."""

from __future__ import annotations

from dagster import DagsterRun, QueuedRunCoordinator
from dagster._core.run_coordinator.base import SubmitRunContext

MODEL_TAG = "training_assets/model"
JOB_ENDINGS = ("_train", "_evaluate", "_register", "_stage", "_promote")


class ModelRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue; each run is tagged with its model, so that a limit by tag serialises the runs of a model.

    Jobs and sensors tag their runs themselves. A click on Materialize does not, and would train beside them.
    """

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Tag the run, then queue it."""
        run = context.dagster_run
        model = model_of(run)
        if model is not None and MODEL_TAG not in run.tags:
            self._instance.add_run_tags(run.run_id, {MODEL_TAG: model})
        return super().submit_run(context)


def model_of(run: DagsterRun) -> str | None:
    """The model that a run is about: the first part of its assets' keys, else the beginning of its job's name.

    A run over assets of several models can wait in one queue only: that of the first by name. Correctness does not hang
    on it (what cannot be taken back judges again), only two trainings may then compete for the cores.
    """
    keys = [*(run.asset_selection or []), *(check.asset_key for check in run.asset_check_selection or [])]
    models = sorted({str(key.path[0]) for key in keys if len(key.path) > 1})
    if models:
        return models[0]
    stems = (run.job_name.removesuffix(ending) for ending in JOB_ENDINGS if run.job_name.endswith(ending))
    return next(stems, None)
