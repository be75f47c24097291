"""How a registered version gets to production, who must agree, and who is told."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from training_assets.spec.secret import Secret
from training_assets.spec.section import Section

TargetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class DirectoryTarget(Section):
    """A folder that always holds one whole version: swapped in one step."""

    kind: Literal["directory"]
    path: str = Field(
        min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f]+$", description="Relative to the project, or absolute."
    )
    of: Literal["production", "staging"] = Field("production", description="Whose moves it follows.")


class WebhookTarget(Section):
    """An HTTP receiver: gets a signed POST with an idempotency key for each move, until it answers with 2xx."""

    kind: Literal["webhook"]
    url: Secret
    secret: Secret
    of: Literal["production", "staging"] = Field("production", description="Whose moves it is told of.")
    timeout_seconds: float = Field(10, gt=0, le=60, description="How long one attempt waits.")


AnyTarget = Annotated[DirectoryTarget | WebhookTarget, Field(discriminator="kind")]


def overlapping(folders: Mapping[str, Path]) -> tuple[str, str] | None:
    """The names of two folders of which one is the other, or lies in it; none where all are apart.

    `.` and `..` are followed, links are not.
    """
    plain = {name: Path(os.path.normpath(folder)) for name, folder in folders.items()}
    for one, other in itertools.combinations(plain, 2):
        if plain[one].is_relative_to(plain[other]) or plain[other].is_relative_to(plain[one]):
            return one, other
    return None


class Approvals(Section):
    """Who must agree before production where policy alone does not do."""

    count: int = Field(1, ge=1, le=10, description="Different people who must agree.")
    four_eyes: bool = Field(False, description="Whoever launched the training run does not count; unknown: one more.")
    roles: dict[Literal["approver", "risk"], list[str]] = Field(
        default_factory=dict,
        description="People by role, as git or --by names them; without approvers, anybody approves; risk waives.",
    )

    @property
    def voters(self) -> list[str]:
        """Who may agree: approvers, and the role risk beside them; empty where anybody may."""
        approvers = self.roles.get("approver", [])
        return [*approvers, *self.roles.get("risk", [])] if approvers else []


class Review(Section):
    """What happens when a person is needed."""

    notify: list[Secret] = Field(default_factory=list, description="Apprise URLs: Slack, e-mail, webhook and others.")
    due_days: float = Field(14, gt=0, le=365, description="Then a case expires; time never approves.")
    decisions: str | None = Field(
        None, max_length=1024, description="A file in the repository with decisions, so that CODEOWNERS is the quorum."
    )


class Release(Section):
    """From a registered version to production and back."""

    production: Literal["auto", "approval"] = Field(
        "approval", description="auto: verdict PASS, card.risk low and not the first version need no person."
    )
    approvals: Approvals = Field(default_factory=Approvals, description="Who must agree.")
    review: Review = Field(default_factory=Review, description="How people are asked.")
    freeze_hours: float = Field(24, ge=0, le=8760, description="No automatic promotion for so long after a rollback.")
    targets: dict[TargetName, AnyTarget] = Field(default_factory=dict, description="Who is served each move.")

    @property
    def folders(self) -> dict[str, Path]:
        """Where directory targets are, by target, as the spec writes it."""
        return {name: Path(each.path) for name, each in self.targets.items() if isinstance(each, DirectoryTarget)}

    @model_validator(mode="after")
    def _folders_are_apart(self) -> Release:
        found = overlapping(self.folders)
        if found is not None:
            message = (
                f"release.targets: the path of '{found[0]}' is that of '{found[1]}', or one lies in the other; give "
                "each a folder of its own"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _people_are_enough(self) -> Release:
        asked = self.approvals
        people = {" ".join(each.split()).casefold() for each in asked.voters} - {""}
        if asked.voters and len(people) < asked.count:
            message = f"release.approvals.count is {asked.count}, but {len(people)} people may approve"
            raise ValueError(message)
        if asked.voters and asked.four_eyes and len(people) == asked.count:
            message = (
                f"release.approvals.four_eyes asks for {asked.count + 1} people where nobody knows who launched a run "
                f"(a sensor did), but {len(people)} may approve; list one more, or ask for a smaller count"
            )
            raise ValueError(message)
        return self
