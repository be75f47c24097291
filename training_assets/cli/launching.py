"""A job, run in this process as whoever launched it; and what commands end with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import dagster as dg

from training_assets.cli.progress import Progress
from training_assets.cli.project import Project
from training_assets.resources.launches import BY_TAG

PASSED, FAILED, BAD_INPUT, REVIEW, REJECTED = 0, 1, 2, 3, 4
"""Exit statuses."""


def execute(
    project: Project,
    job: str,
    run_config: Mapping[str, Any],
    progress: Progress,
    *,
    by: str,
    tags: Mapping[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job in this process, as the person who launched it."""
    run_id = str(uuid.uuid4())
    project.instance.add_event_listener(run_id, progress.on_event)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    definition = project.definitions.resolve_job_def(job)
    return definition.execute_in_process(
        run_config={**run_config, **quiet},
        instance=project.instance,
        run_id=run_id,
        tags={**(tags or {}), BY_TAG: by},
        raise_on_error=False,
    )
