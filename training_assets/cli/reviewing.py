"""What waits for a person, and the person's decision."""

from __future__ import annotations

from typing import Any

from training_assets.cli.accepting import accept_changes
from training_assets.cli.project import Project, open_project
from training_assets.core.errors import InputError
from training_assets.core.validation.changes import Change
from training_assets.resources.reviews import Case, State
from training_assets.resources.schema_cases import SCHEMA


def listed(model: str, name: str | None) -> list[dict[str, Any]]:
    """The cases of a model, oldest first, or the one that a name means."""
    with open_project() as project:
        project.require(model)
        reviews = project.places.reviews
        cases = reviews.cases(model) if name is None else [reviews.named(model, name)]
        return [to_json(case) for case in cases]


def decide(model: str, name: str, state: State, *, comment: str, by: str) -> dict[str, Any]:
    """Decide an open case; approving a changed schema commits it to the spec's file.

    Raises InputError E_CASE where the case is not open, the comment is missing, or nothing could be committed.
    """
    with open_project() as project:
        project.require(model)
        case = project.places.reviews.named(model, name)
        project.places.reviews.require_decidable(case, actor=by, comment=comment)
        done = _accept(project, case, by) if (case.kind, state) == (SCHEMA, "APPROVED") else {}
        return {**to_json(project.places.reviews.decide(case, state, actor=by, comment=comment)), **done}


def _accept(project: Project, case: Case, by: str) -> dict[str, Any]:
    """Commit the very differences that the case shows."""
    limit = project.models.specs[case.model].validation.max_quarantined
    changes = [Change.from_json(line) for line in case.facts["changes"]]
    chosen = [change for change in changes if change.update is not None and not change.is_stray(limit)]
    if not chosen:
        message = (
            f"case {case.name}: no change of a column answers it; mend the batch or change the spec by hand (the case "
            "then closes by itself), or reject it"
        )
        raise InputError("E_CASE", message)
    return accept_changes(project, case.model, chosen, by=by)


def to_json(case: Case) -> dict[str, Any]:
    """A case as the commands tell it."""
    fields = (
        "model",
        "kind",
        "subject",
        "state",
        "opened_at",
        "opened_in",
        "decided_at",
        "decided_by",
        "comment",
        "text",
    )
    return {"name": case.name, **{name: getattr(case, name) for name in fields}, "facts": dict(case.facts)}


def table(cases: list[dict[str, Any]]) -> str:
    """The cases, for people."""
    lines = []
    for case in cases:
        lines.append(f"{case['name']}  {case['kind']}  {case['state']}  opened {case['opened_at']}")
        lines.append(f"  {case['text']}")
        if case["decided_by"]:
            lines.append(f"  {case['state'].lower()} by {case['decided_by']}, {case['decided_at']}: {case['comment']}")
    return "\n".join(lines) or "no case"
