"""Running a model's jobs in this process, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training_assets.assets.validation import VALIDATED
from training_assets.cli.described import described
from training_assets.cli.launching import BAD_INPUT, FAILED, PASSED, REJECTED, REVIEW, execute
from training_assets.cli.progress import Progress
from training_assets.cli.project import Project, open_project
from training_assets.cli.releasing import free_by_policy, promoted
from training_assets.governance.judging import REPORT
from training_assets.resources.locks import exclusively, is_held

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
    live: str | None = None
    cases: list[str] = field(default_factory=list)
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
            lines += [] if self.live is None else [f"production serves version {self.live}"]
        elif self.verdict:
            lines.append(f"{self.model}: not registered: verdict {self.why}")
        else:
            lines.append(f"{self.model}: the run failed")
        if self.dataset_version:
            lines.append(
                f"dataset {self.dataset_version}, {self.rows or 0:,} rows; test split: {numbers or 'not evaluated'}"
            )
        lines += [
            f"waits for a person: {case}; training-assets review {self.model} {case} --approve --comment TEXT"
            for case in self.cases
        ]
        return "\n".join(lines)


def run_model(model: str, *, force: bool, by: str, say: Callable[[str], None]) -> Outcome:
    """Run the training job, then stage what it registered; the same jobs that sensors and the UI launch."""
    with open_project() as project:
        project.require(model)
        if is_held(project.places.locks, f"run-{model}"):
            say(f"another command is training {model}; waiting for it to end")
        with exclusively(project.places.locks, f"run-{model}"):
            return _train_and_stage(project, model, force=force, by=by, say=say)


def _train_and_stage(project: Project, model: str, *, force: bool, by: str, say: Callable[[str], None]) -> Outcome:
    progress = Progress(say)
    run_config: dict[str, Any] = {"resources": {"artifacts": {"config": {"force": force}}}}
    trained = execute(project, f"{model}_train", run_config, progress, by=by)
    if trained.success:
        staged = execute(project, f"{model}_stage", {}, progress, by=by)
        if staged.success and (free := free_by_policy(project, model)) is not None:
            promoted(project, model, free, by=by, say=say)
        return _outcome(project, model, trained.run_id, progress, failed=not staged.success)
    return _outcome(project, model, trained.run_id, progress, failed=True)


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
