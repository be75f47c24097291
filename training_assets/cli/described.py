"""What a training run made or stood on, as the commands tell it."""

from __future__ import annotations

from typing import Any

from training_assets.assets.registration import REGISTERED
from training_assets.assets.report_lines import measured
from training_assets.assets.validation import VALIDATED
from training_assets.cli.project import Project
from training_assets.governance.judging import REPORT, REPORT_FILE, judged


def described(project: Project, model: str, run_id: str) -> dict[str, Any]:
    """Dataset version, rows, verdict, metrics and version of a run; none where it did not come so far.

    The verdict is that of the present rules on the run's report, whatever was decided before.
    """
    validated, report, registered = (
        project.artifacts.of_run(model, run_id, asset) for asset in (VALIDATED, REPORT, REGISTERED)
    )
    written = None if report is None else report.artifact.json(REPORT_FILE)
    verdict = None if report is None or written is None else judged(project.models.named(model), report, written)
    batches = [] if validated is None else validated.artifact.facts["facts"]
    sound = [] if validated is None else validated.artifact.facts["batches"]
    return {
        "model": model,
        "run_id": run_id,
        "dataset_version": None if validated is None else str(validated.artifact.facts["dataset"]),
        "rows": sum(int(batch["kept"]) for batch in batches if batch["digest"] in sound) if batches else None,
        "verdict": None if verdict is None else verdict.name,
        "why": None if verdict is None else verdict.explanation,
        "metrics": {} if written is None else measured(written),
        "version": None if registered is None else str(registered.artifact.facts["version"]),
        "staged": project.places.ledger.pointer(model, "staging"),
        "live": project.places.ledger.pointer(model, "production"),
        "cases": [case.name for case in project.places.reviews.cases(model) if case.state == "OPEN"],
        "nothing_new": bool(registered and not registered.is_new),
    }
