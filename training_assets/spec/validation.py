"""What a batch must satisfy beyond the rules of its columns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from training_assets.spec.section import Section


class Drift(Section):
    """When a column's distribution counts as drifted from the newest released version's training data."""

    max_psi: float = Field(0.25, gt=0, description="Largest sound population stability index.")
    severity: Literal["warn", "block"] = Field("warn", description="warn reports; block stops the run.")


class Validation(Section):
    """Limits for whole batches."""

    max_quarantined: float = Field(0.01, ge=0, le=1, description="Share of broken rows above which a batch is refused.")
    max_duplicates: float = Field(0.05, ge=0, le=1, description="Share of duplicate rows above which a check warns.")
    min_class_share: float = Field(0.0005, ge=0, lt=0.5, description="Share of the rarest class below which one warns.")
    drift: Drift = Field(default_factory=Drift, description="Drift against the newest released version.")
