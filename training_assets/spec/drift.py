"""When a column's distribution counts as drifted, and what follows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from training_assets.spec.section import Section


class ColumnDrift(Section):
    """What holds for one column instead of the rest of the section."""

    max_psi: float | None = Field(None, gt=0, description="Largest sound population stability index of this column.")
    ignore: str | None = Field(
        None,
        min_length=1,
        max_length=300,
        description="Why the drift of this column does not matter; it is not judged.",
    )


class Drift(Section):
    """How far a new batch may be from the released version's training data, and from the batches before it.

    A column has drifted where an effect is over its limit and is more than chance shows in so few rows.
    """

    max_psi: float = Field(0.2, gt=0, description="Largest sound population stability index of a column.")
    max_js: float = Field(
        0.2, gt=0, le=1, description="Largest sound Jensen-Shannon distance of a column (base 2, from 0 to 1)."
    )
    max_overall: float = Field(
        0.1, gt=0, description="Largest sound mean PSI over all columns, each weighted by its importance to the model."
    )
    min_importance: float = Field(
        0.01, ge=0, le=1, description="A column whose share in the model's decisions is smaller warns at most."
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="Chance that a batch without any drift is alarmed, over all its columns."
    )
    window: int = Field(3, ge=0, le=100, description="Batches before a new one that it is compared with too; 0: none.")
    severity: Literal["warn", "review", "block"] = Field(
        "warn", description="warn reports; review opens a case and waits for a decision; block stops the run."
    )
    columns: dict[str, ColumnDrift] = Field(default_factory=dict, description="Columns with a limit of their own.")
