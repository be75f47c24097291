"""Decisions as a file in Git: what is committed counts, so that whoever may merge (CODEOWNERS) decides."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from training_assets.core.errors import InputError
from training_assets.core.release.dates import moment
from training_assets.governance.deciding import Decision, asked_of, decide
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry

LONGEST = 1 << 20


class Entry(BaseModel):
    """One decision of the file."""

    model_config = ConfigDict(extra="forbid")

    case: str = Field(min_length=8)
    decision: Literal["approve", "reject"]
    by: list[str] | str
    comment: str = Field(min_length=1)
    waive: list[str] = []
    until: str = ""

    @field_validator("until", mode="before")
    @classmethod
    def _as_written(cls, value: Any) -> Any:
        """YAML makes a date of 2027-01-31 without quotes."""
        return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True)
class Taken:
    """What came of the file: cases as they stood after each word, and why other words were not taken down."""

    cases: list[Case] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def take_from_git(model: Model, places: Places, registry: Registry) -> Taken:
    """Take down what the committed file says of open cases; nothing twice, and nothing of cases that are closed.

    A word that does not count keeps no other from counting. Raises InputError E_DECISIONS where there is no list to
    read.
    """
    name = model.spec.release.review.decisions
    waiting = {case.name: case for case in places.reviews.cases(model.name) if case.state == "OPEN"}
    if name is None or not waiting:
        return Taken()
    taken = Taken()
    for number, line in enumerate(_lines(places.root, name), 1):
        try:
            entry = Entry.model_validate(line)
        except ValidationError as error:
            said = " ".join(str(error).split())[:300]
            taken.refused.append(f"E_DECISIONS: {name}, as committed: entry {number} cannot be read: {said}")
            continue
        for by in [entry.by] if isinstance(entry.by, str) else entry.by:
            case = waiting.get(entry.case)
            if case is None or case.state != "OPEN":
                continue
            try:
                until = moment(entry.until) if entry.until else None
                word = Decision(entry.decision, by, f"{entry.comment} ({name})", tuple(entry.waive), until)
                if word.says == "approve" and case.counts(word.vote, asked_of(model, case)):
                    continue
                case = waiting[entry.case] = decide(model, places, registry, case, word)
            except InputError as error:
                taken.refused.append(f"{error} (entry {number} of {name})")
            else:
                taken.cases.append(case)
    return taken


def _lines(root: Path, name: str) -> list[Any]:
    """The entries of the file as the last commit has it."""
    text = _committed(root, name)
    try:
        lines: Any = yaml.safe_load(text) or []
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())[:300]
        raise InputError("E_DECISIONS", f"{name}, as committed, cannot be read: {said}") from error
    if not isinstance(lines, list):
        raise InputError("E_DECISIONS", f"{name} is no list of decisions (`- case: …`)")
    return lines


def _committed(root: Path, name: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise InputError("E_DECISIONS", "release.review.decisions needs git, which is not installed")
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or name.startswith("-"):
        raise InputError("E_DECISIONS", "release.review.decisions is a path inside the repository")
    shown = subprocess.run(  # noqa: S603 - fixed command, and a path that was looked at
        [git, "show", f"HEAD:./{path.as_posix()}"], cwd=root, capture_output=True, text=True, check=False, timeout=30
    )
    if shown.returncode:
        reason = " ".join(shown.stderr.split())[:200]
        raise InputError("E_DECISIONS", f"{name} is not in the last commit: {reason}")
    if len(shown.stdout) > LONGEST:
        raise InputError("E_DECISIONS", f"{name} is longer than a list of decisions can be")
    return shown.stdout
