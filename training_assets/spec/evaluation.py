"""How a candidate is measured on the test split, and the rules that it must pass."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from training_assets.spec.section import Section


class Rule(Section):
    """What every rule has."""

    metric: str = Field(description="Metric by scikit-learn's name, e.g. roc_auc, log_loss, rmse.")
    otherwise: Literal["reject", "review"] = Field("reject", description="What a miss leads to.")


class ValueRule(Rule):
    """A floor or a ceiling for one metric; bounds are inclusive."""

    kind: Literal["value"]
    min: float | None = Field(None, allow_inf_nan=False, description="Floor.")
    max: float | None = Field(None, allow_inf_nan=False, description="Ceiling.")
    compare: Literal["point", "bound"] = Field("point", description="The value itself, or its worse confidence bound.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> ValueRule:
        if self.min is None and self.max is None:
            message = "a value rule needs 'min' or 'max'"
            raise ValueError(message)
        return self


class BeatsDummyRule(Rule):
    """Better than always predicting the training split's class shares (or mean), by a margin."""

    kind: Literal["beats_dummy"]
    margin: float = Field(0.0, ge=0, allow_inf_nan=False, description="How much better, in the metric's own unit.")


AnyRule = Annotated[ValueRule | BeatsDummyRule, Field(discriminator="kind")]


class Evaluation(Section):
    """Measurement on the test split."""

    replicates: int = Field(200, ge=50, le=10_000, description="Bootstrap replicates behind each interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="One-sided confidence of the bounds.")
    gates: list[AnyRule] = Field(default_factory=list, description="Rules; without any, the verdict is UNGATED.")
