"""What the checks for leakage look for, and what a person has waived."""

from __future__ import annotations

from pydantic import Field

from training_assets.spec.section import Section


class Leakage(Section):
    """Checks that no column gives the label away and that no split knows of another; all block unless waived."""

    waive: dict[str, str] = Field(
        default_factory=dict,
        description="Column → why it is no leak, in words; the reason is shown with the check and lands on the card.",
    )
