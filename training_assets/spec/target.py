"""What is predicted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from training_assets.spec.section import Section

Task = Literal["binary", "multiclass", "regression"]


class Target(Section):
    """The label: a column, or an expression over columns."""

    column: str | None = Field(None, description="Column that holds the label.")
    expression: str | None = Field(None, description="SQL expression that makes the label, e.g. `arr_delay > 15`.")
    task: Task = Field(description="binary, multiclass or regression.")
    positive: str | None = Field(None, description="Binary: the class whose probability is predicted, as text.")
    classes: list[str] | None = Field(None, min_length=2, description="All classes as text; others are quarantined.")
    missing: Literal["quarantine", "drop"] = Field(
        "quarantine",
        description="A row without a label: quarantine it as broken, or drop it (counted): its outcome never came.",
    )

    @model_validator(mode="after")
    def _one_way_to_a_label(self) -> Target:
        if (self.column is None) == (self.expression is None):
            message = "give either 'column' or 'expression'"
            raise ValueError(message)
        if self.task == "regression" and (self.positive is not None or self.classes is not None):
            message = "a regression has no classes; remove 'positive' and 'classes'"
            raise ValueError(message)
        if self.positive is not None and self.classes is not None and self.positive not in self.classes:
            message = f"positive '{self.positive}' is not among classes {self.classes}"
            raise ValueError(message)
        if self.task == "binary" and self.classes is not None and len(self.classes) != 2:
            message = f"a binary target has two classes, not {len(self.classes)}"
            raise ValueError(message)
        return self
