"""What waits for a person, and the person's decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from training_assets.assets.cases import show_cases
from training_assets.cli.accepting import accept_changes
from training_assets.cli.launching import FAILED, PASSED, REVIEW, execute
from training_assets.cli.progress import Progress
from training_assets.cli.project import Project, open_project
from training_assets.cli.releasing import promoted
from training_assets.core.errors import InputError
from training_assets.core.validation.changes import Change
from training_assets.governance.deciding import RELEASING, Decision, asked_of, require_decidable
from training_assets.governance.deciding import decide as decide_case
from training_assets.governance.production import RELEASE_CASE
from training_assets.resources.cases import Case
from training_assets.resources.launches import OF_RUN_TAG
from training_assets.resources.schema_cases import SCHEMA

__all__ = ["REVIEW", "decide", "listed", "table", "to_json"]


def listed(model: str, name: str | None) -> list[dict[str, Any]]:
    """The cases of a model, oldest first, or the one that a name means."""
    with open_project() as project:
        project.require(model)
        reviews = project.places.reviews
        cases = reviews.cases(model) if name is None else [reviews.named(model, name)]
        return [to_json(case) for case in cases]


def decide(model: str, name: str, said: Decision, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Decide an open case, and carry out what that frees: a schema is committed, a version registered or promoted.

    Raises InputError E_CASE where the case is not open, the comment is missing, this person's word does not count, or
    nothing could be committed.
    """
    with open_project() as project:
        project.require(model)
        about, registry = project.models.named(model), project.registry
        case = project.places.reviews.named(model, name)
        require_decidable(about, project.places, case, said)
        commits = (case.kind, said.says) == (SCHEMA, "approve")
        done = _accept(project, case, said.by) if commits else {}
        decided = decide_case(about, project.places, registry, case, said, is_committed=commits)
        if decided.state == "OPEN":
            done["lacks"] = decided.lacks(asked_of(about, decided), project.places.ledger.now())
        else:
            done |= _follow_up(project, decided, said, say)
        show_cases(project.instance, project.places, model)
        return {**to_json(decided), **done}


def _follow_up(project: Project, case: Case, said: Decision, say: Callable[[str], None]) -> dict[str, Any]:
    """What the approval frees, done at once: the same jobs that the sensors would launch."""
    model = case.model
    if case.state != "APPROVED" or case.kind not in RELEASING:
        return {}
    if case.kind == RELEASE_CASE:
        return promoted(project, model, str(case.facts["version"]), by=said.by, say=say)
    progress, tags = Progress(say), {OF_RUN_TAG: str(case.facts["run"])}
    registered = execute(project, f"{model}_register", {}, progress, by=said.by, tags=tags)
    staged = registered.success and execute(project, f"{model}_stage", {}, progress, by=said.by).success
    version = project.places.ledger.latest(model, "registered", str(case.facts["candidate"]))
    return {
        "version": None if version is None else str(version.data["version"]),
        "problems": progress.problems,
        "exit_status": PASSED if staged else FAILED,
    }


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
    votes = [{"by": vote.actor, "waives": list(vote.waives)} for vote in case.votes]
    return {
        "name": case.name, **{name: getattr(case, name) for name in fields}, "due": case.due, "votes": votes,
        "facts": dict(case.facts),
    }  # fmt: skip


def table(cases: list[dict[str, Any]]) -> str:
    """The cases, for people."""
    lines = []
    for case in cases:
        due = f"  due {case['due'][:16]}" if case["due"] and case["state"] == "OPEN" else ""
        lines.append(f"{case['name']}  {case['kind']}  {case['state']}  opened {case['opened_at'][:19]}{due}")
        lines.append(f"  {case['text']}")
        if case["votes"]:
            lines.append(f"  agreed: {', '.join(vote['by'] for vote in case['votes'])}")
        if case.get("lacks"):
            lines.append(f"  still needs {case['lacks']}")
        if case.get("version") and case.get("exit_status") == PASSED:
            lines.append(
                f"  version {case['version']} {'is live' if case.get('live') == case['version'] else 'is staged'}"
            )
        lines += [f"  problem: {problem}" for problem in case.get("problems", [])]
        if case["decided_by"]:
            lines.append(f"  {case['state'].lower()} by {case['decided_by']}, {case['decided_at']}: {case['comment']}")
    return "\n".join(lines) or "no case"
