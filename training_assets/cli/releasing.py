"""Promotion and rollback, as the jobs of the UI do them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from training_assets.assets.live import LIVE, finish
from training_assets.cli.launching import FAILED, PASSED, REVIEW, execute
from training_assets.cli.progress import Progress
from training_assets.cli.project import Project, open_project
from training_assets.core.errors import InputError
from training_assets.governance.production import RELEASE_CASE, StaleVerdictError, application
from training_assets.governance.rollback import roll_back, told_of
from training_assets.resources.launches import OF_RUN_TAG
from training_assets.resources.ledger import Event
from training_assets.resources.releases import STAGING, Releases


def promote(model: str, number: str | None, *, by: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Promote staging's version, or another one, as the UI's job does; a case is opened where people must agree."""
    with open_project() as project:
        project.require(model)
        releases = Releases(project.places.ledger, model)
        wanted = number or project.places.ledger.pointer(model, STAGING)
        if wanted is None:
            raise InputError(
                "E_VERSION", f"{model} has no version in staging yet; start with training-assets run {model}"
            )
        releases.version(wanted)
        live = releases.live()
        if live is not None and live.data["to"] == wanted:
            about = project.models.named(model)
            finish(project.instance, about, project.places, project.registry, run_id=_new_run(), say=say)
            return {
                "model": model,
                "version": wanted,
                "live": wanted,
                "case": None,
                "problems": [],
                "exit_status": PASSED,
            }
        return promoted(project, model, wanted, by=by, say=say)


def promoted(project: Project, model: str, number: str, *, by: str, say: Callable[[str], None]) -> dict[str, Any]:
    """What came of the job that promotes a version; judged anew first, where that was against another champion."""
    progress = Progress(say)
    try:
        application(project.models.named(model), project.places, project.artifacts, number)
    except StaleVerdictError:
        run = str(Releases(project.places.ledger, model).version(number).data["trained_in"])
        execute(project, f"{model}_evaluate", {}, progress, by=by, tags={OF_RUN_TAG: run})
    except InputError:
        pass  # the promotion says so
    config = {"ops": {LIVE: {"config": {"version": number}}}}
    done = execute(project, f"{model}_promote", config, progress, by=by)
    live = project.places.ledger.pointer(model, "production")
    waiting = [
        case.name
        for case in project.places.reviews.cases(model)
        if (case.kind, case.state, case.facts.get("version")) == (RELEASE_CASE, "OPEN", number)
    ]
    status = PASSED if done.success else REVIEW if waiting else FAILED
    return {
        "model": model, "version": number, "live": live, "case": waiting[-1] if waiting and not done.success else None,
        "problems": progress.problems, "exit_status": status,
    }  # fmt: skip


def free_by_policy(project: Project, model: str) -> str | None:
    """Staging's version, where it may go to production without a person and is not there yet."""
    releases, staged = Releases(project.places.ledger, model), project.places.ledger.pointer(model, STAGING)
    live = releases.live()
    if staged is None or (live is not None and live.data["to"] == staged):
        return None
    try:
        asked = application(project.models.named(model), project.places, project.artifacts, staged)
    except InputError:
        return None  # the promotion itself says why, when somebody asks for it
    return staged if asked.way is not None else None


def rollback(model: str, of: str | None, to: str | None, *, reason: str, by: str) -> dict[str, Any]:
    """Pull a version and bring an earlier one back, and say what moved, now or before."""
    with open_project() as project:
        about, run_id, said = project.model(model), _new_run(), list[str]()
        moved = roll_back(
            about, project.places, project.artifacts, project.registry,
            of=of, to=to, reason=reason, actor=by, run_id=run_id,
        )  # fmt: skip
        finish(project.instance, about, project.places, project.registry, run_id=run_id, say=said.append)
        told = {"said": told_of(moved, run_id), "deliveries": said, "at": moved.at, "by": moved.actor}
        return {"model": model, **told, **_told(moved)}


def _new_run() -> str:
    """What the ledger calls a command that is no run of Dagster's."""
    return f"command-{uuid.uuid4()}"


def _told(moved: Event) -> dict[str, Any]:
    return {name: moved.data[name] for name in ("from", "to", "way", "reason", "frozen_until") if name in moved.data}
