"""Where each model stands: data, last run, verdict, versions."""

from __future__ import annotations

from typing import Any

import dagster as dg

from training_assets.assets.validation import VALIDATED
from training_assets.automation import MODEL_TAG
from training_assets.cli.project import Project, open_project


def statuses(model: str | None) -> list[dict[str, Any]]:
    """The status of one model, or of all."""
    with open_project() as project:
        if model is not None:
            project.require(model)
        return [_status(project, name) for name in ([model] if model else sorted(project.models.specs))]


def _status(project: Project, model: str) -> dict[str, Any]:
    ledger = project.places.ledger
    runs = project.instance.get_runs(filters=dg.RunsFilter(tags={MODEL_TAG: model}), limit=1)
    latest = project.instance.get_latest_materialization_event(dg.AssetKey([model, VALIDATED]))
    dataset = (
        latest.asset_materialization.metadata.get("dataset_version")
        if latest and latest.asset_materialization
        else None
    )
    verdict = ledger.latest(model, "verdict")
    staging = ledger.pointer(model, "staging")
    versions = [
        {
            "version": str(event.data["version"]),
            "at": event.at,
            "dataset_version": event.data["dataset_version"],
            "stands": "staging" if str(event.data["version"]) == staging else "registered",
        }
        for event in ledger.events(model, "registered")
    ]
    return {
        "model": model,
        "dataset_version": None if dataset is None else dataset.value,
        "last_run": None
        if not runs
        else {"run_id": runs[0].run_id, "job": runs[0].job_name, "status": runs[0].status.value},
        "verdict": None
        if verdict is None
        else {"name": verdict.data["name"], "why": verdict.data["explanation"], "at": verdict.at},
        "versions": versions,
    }


def table(found: list[dict[str, Any]]) -> str:
    """The statuses, for people."""
    lines: list[str] = []
    for each in found:
        run, verdict = each["last_run"], each["verdict"]
        lines += [
            each["model"],
            f"  dataset    {each['dataset_version'] or 'none yet'}",
            f"  last run   {run['status'] + ' ' + run['run_id'][:8] + ' (' + run['job'] + ')' if run else 'none yet'}",
            f"  verdict    {verdict['why'] if verdict else 'none yet'}",
            *(
                f"  version {version['version']:<3}{version['stands']:<11}{version['at']}  {version['dataset_version']}"
                for version in each["versions"]
            ),
        ]
    return "\n".join(lines) or "no model yet; start with: training-assets init DATA --target COLUMN"
