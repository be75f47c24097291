"""Running a model's jobs in this process, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from training_assets.assets.evaluation import REPORT
from training_assets.assets.validation import VALIDATED
from training_assets.cli.described import described
from training_assets.cli.progress import Progress
from training_assets.cli.project import Project, open_project
from training_assets.resources.locks import exclusively, is_held

PASSED, FAILED, BAD_INPUT, REVIEW, REJECTED = 0, 1, 2, 3, 4
BY_VERDICT = {"REVIEW": REVIEW, "UNGATED": REVIEW, "REJECT": REJECTED}
DATA_ASSETS = ("raw_data", VALIDATED, "train_split", "validation_split", "test_split")


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    model: str
    run_id: str
    exit_status: int
    nothing_new: bool
    dataset_version: str | None = None
    verdict: str | None = None
    why: str | None = None
    version: str | None = None
    staged: str | None = None
    rows: int | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """All fields, for machines."""
        return dict(self.__dict__)

    def summary(self) -> str:
        """A few lines for people."""
        numbers = ", ".join(
            f"{name} {value:.4g}" for name, value in list(self.metrics.items())[:4] if value is not None
        )
        lines = [*(f"problem: {problem}" for problem in self.problems)]
        if self.nothing_new and self.exit_status == PASSED:
            lines.append(f"{self.model}: nothing is new in data, code or spec; version {self.version} stands")
        elif self.exit_status == PASSED:
            lines.append(f"{self.model}: version {self.version} registered, staging serves version {self.staged}")
        elif self.verdict:
            lines.append(f"{self.model}: not registered: verdict {self.why}")
        else:
            lines.append(f"{self.model}: the run failed")
        if self.dataset_version:
            lines.append(
                f"dataset {self.dataset_version}, {self.rows or 0:,} rows; test split: {numbers or 'not evaluated'}"
            )
        return "\n".join(lines)


def run_model(model: str, *, force: bool, say: Callable[[str], None]) -> Outcome:
    """Run the training job, then stage what it registered; the same jobs that sensors and the UI launch."""
    with open_project() as project:
        project.require(model)
        if is_held(project.places.locks, f"run-{model}"):
            say(f"another command is training {model}; waiting for it to end")
        with exclusively(project.places.locks, f"run-{model}"):
            return _train_and_stage(project, model, force=force, say=say)


def _train_and_stage(project: Project, model: str, *, force: bool, say: Callable[[str], None]) -> Outcome:
    progress = Progress(say)
    run_config: dict[str, Any] = {"resources": {"artifacts": {"config": {"force": force}}}}
    trained = _execute(project, f"{model}_train", run_config, progress)
    if trained.success:
        staged = _execute(project, f"{model}_stage", {}, progress)
        return _outcome(project, model, trained.run_id, progress, failed=not staged.success)
    return _outcome(project, model, trained.run_id, progress, failed=True)


def _execute(project: Project, job: str, run_config: dict[str, Any], progress: Progress) -> dg.ExecuteInProcessResult:
    run_id = str(uuid.uuid4())
    project.instance.add_event_listener(run_id, progress.on_event)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    definition = project.definitions.resolve_job_def(job)
    return definition.execute_in_process(
        run_config={**run_config, **quiet}, instance=project.instance, run_id=run_id, raise_on_error=False
    )


def _outcome(project: Project, model: str, run_id: str, progress: Progress, *, failed: bool) -> Outcome:
    found = described(project, model, run_id)
    status = _exit_status(found["verdict"], progress) if failed else PASSED
    return Outcome(exit_status=status, seconds=progress.seconds, problems=progress.problems, **found)


def _exit_status(verdict: str | None, progress: Progress) -> int:
    """Why a run failed, as a number: at the verdict, for what the user gave, or otherwise."""
    if REPORT in progress.failed_checks:
        return BY_VERDICT.get(verdict or "", FAILED)
    if progress.bad_input or any(asset in DATA_ASSETS for asset in progress.failed_checks):
        return BAD_INPUT
    return FAILED
