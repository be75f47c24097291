"""How probabilities become decisions: calibration, and the operating point."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from training_assets.spec.section import Section

Objective = Literal["f1", "balanced_accuracy", "accuracy", "mcc", "cost", "precision_at_recall"]
Calibration = Literal["auto", "none", "sigmoid", "isotonic"]


class Cost(Section):
    """What a wrong decision costs, in any one unit."""

    false_positive: float = Field(gt=0, allow_inf_nan=False, description="Cost of calling a negative row positive.")
    false_negative: float = Field(gt=0, allow_inf_nan=False, description="Cost of missing a positive row.")


class Decision(Section):
    """Both are fitted on the validation split, calibration first, and are part of the model."""

    objective: Objective = Field(
        "f1",
        description="Binary: what the threshold is best for. precision_at_recall: the highest precision with recall "
        "enough.",
    )
    cost: Cost | None = Field(None, description="cost: what each kind of mistake costs.")
    recall: float | None = Field(None, gt=0, le=1, description="precision_at_recall: the least recall.")
    calibration: Calibration = Field(
        "auto",
        description="sigmoid: keeps the order of rows; many classes: one temperature. isotonic: a rising line of "
        "segments, binary. auto: a sigmoid where validation rows are 1,000 or more and their log loss gains by it.",
    )

    @model_validator(mode="after")
    def _objective_has_its_numbers(self) -> Decision:
        for name, objective in (("cost", "cost"), ("recall", "precision_at_recall")):
            if (getattr(self, name) is not None) != (self.objective == objective):
                message = f"'{name}' goes with `objective: {objective}`, and only with it"
                raise ValueError(message)
        return self
