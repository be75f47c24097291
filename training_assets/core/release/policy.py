"""Which way to production is open for a version; where none is, what a person has to say yes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from training_assets.core.evaluation.verdict import VerdictName
from training_assets.spec.release import Release

Way = Literal["policy", "approval", "rollback"]
"""The three ways by which production moves; there is no other."""


@dataclass(frozen=True)
class Standing:
    """What is known of a version that asks for production."""

    verdict: VerdictName
    risk: Literal["low", "medium", "high"]
    is_first: bool
    was_live: bool
    """Whether it was in production before: policy goes forward, people go back."""
    retracted: int
    """Batches behind it that were taken back since."""
    frozen_until: datetime | None
    pulled: str | None
    """Why it was taken out of production, where it was."""
    is_approved: bool
    """Whether an approval of this very release is complete."""
    now: datetime


def open_way(release: Release, standing: Standing) -> tuple[Way | None, tuple[str, ...]]:
    """The way that is open, and what keeps the version from going by policy alone, in sentences."""
    reasons = []
    if release.production != "auto":
        reasons.append("release.production asks for an approval")
    if standing.verdict != "PASS":
        reasons.append(f"the verdict is {standing.verdict}, not PASS")
    if standing.risk != "low":
        reasons.append(f"card.risk is {standing.risk}")
    if standing.is_first:
        reasons.append("it would be the first version in production")
    if standing.was_live:
        reasons.append("it was in production before")
    if standing.retracted:
        batches = "a batch that is" if standing.retracted == 1 else f"{standing.retracted} batches that are"
        reasons.append(f"it was trained on {batches} retracted")
    if standing.frozen_until is not None and standing.now < standing.frozen_until:
        reasons.append(f"automatic promotion is frozen until {standing.frozen_until:%Y-%m-%d %H:%M} UTC")
    if standing.pulled is not None:
        reasons.append(f"it was rolled back: {standing.pulled}")
    if standing.is_approved:
        return "approval", tuple(reasons)
    return (None if reasons else "policy"), tuple(reasons)
