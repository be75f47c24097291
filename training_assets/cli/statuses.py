"""Where each model stands: data, last run, verdict, versions."""

from __future__ import annotations

from typing import Any

import dagster as dg

from training_assets.cli.described import described
from training_assets.cli.project import Project, open_project
from training_assets.resources.launches import MODEL_TAG
from training_assets.resources.releases import Releases
from training_assets.resources.retractions import retractions

NOTHING: dict[str, Any] = {
    **dict.fromkeys(("run_id", "dataset_version", "rows", "verdict", "why", "version", "staged", "live")),
    "metrics": {},
    "cases": [],
}
"""What is said of a model that never trained."""


def statuses(model: str | None) -> list[dict[str, Any]]:
    """The status of one model, or of all."""
    with open_project() as project:
        if model is not None:
            project.require(model)
        return [_status(project, name) for name in ([model] if model else sorted(project.models.specs))]


def _status(project: Project, model: str) -> dict[str, Any]:
    ledger = project.places.ledger
    runs = project.instance.get_runs(filters=dg.RunsFilter(tags={MODEL_TAG: model}), limit=1)
    training = project.instance.get_runs(filters=dg.RunsFilter(job_name=f"{model}_train"), limit=1)
    staging = ledger.pointer(model, "staging")
    releases = Releases(ledger, model)
    states = releases.states()
    versions = [
        {
            "version": number,
            "at": event.at,
            "dataset_version": event.data["dataset_version"],
            "stands": _stands(number, states[number], staging),
        }
        for number, event in releases.versions().items()
    ]
    last = None if not runs else {"run_id": runs[0].run_id, "job": runs[0].job_name, "status": runs[0].status.value}
    found = described(project, model, training[0].run_id) if training else NOTHING
    seconds = _seconds(project, training[0].run_id) if training else {}
    waiting = [
        {"case": case.name, "kind": case.kind, "opened_at": case.opened_at, "text": case.text}
        for case in project.places.reviews.cases(model)
        if case.state == "OPEN"
    ]
    taken_back = [
        {"batch": event.subject, "name": event.data["name"], "because": event.data["because"], "by": event.actor}
        for event in retractions(ledger, model)
    ]
    more = {"versions": versions, "open_cases": waiting, "retracted": taken_back}
    return {**found, "model": model, "last_run": last, "seconds": seconds, **more}


def _stands(number: str, state: str, staging: str | None) -> str:
    """A version's state in small letters, and whether staging serves it."""
    words = state.lower().replace("_", " ")
    if state == "STAGED":
        return "staging" if number == staging else "staged before"
    return f"{words}, staging" if number == staging else words


def _seconds(project: Project, run_id: str) -> dict[str, float]:
    """How long each step of a run took."""
    steps = project.instance.get_run_step_stats(run_id)
    return {
        step.step_key.rpartition("__")[2]: step.end_time - step.start_time
        for step in steps
        if step.start_time and step.end_time
    }


def table(found: list[dict[str, Any]]) -> str:
    """The statuses, for people."""
    lines: list[str] = []
    for each in found:
        run, verdict = each["last_run"], each["why"]
        lines += [
            each["model"],
            f"  dataset    {each['dataset_version'] or 'none yet'}",
            f"  last run   {run['status'] + ' ' + run['run_id'][:8] + ' (' + run['job'] + ')' if run else 'none yet'}",
            f"  verdict    {verdict or 'none yet'}",
            *(
                f"  version {version['version']:<3}{version['stands']:<22}{version['at'][:19]}  "
                f"{version['dataset_version']}"
                for version in each["versions"]
            ),
            *(f"  open case  {case['case']}  {case['text'][:160]}" for case in each["open_cases"]),
            *(
                f"  retracted  {batch['name']} ({batch['batch'][:12]}), by {batch['by']}: {batch['because'][:80]}"
                for batch in each["retracted"]
            ),
        ]
    return "\n".join(lines) or "no model yet; start with: training-assets init DATA --target COLUMN"
