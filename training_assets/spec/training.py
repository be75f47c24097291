"""What every model of a search learns, whatever its family."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from training_assets.spec.section import Section

Loss = Literal["auto", "absolute_error", "quantile"]
TargetTransform = Literal["none", "log", "yeo_johnson"]
Device = Literal["cpu", "gpu"]


class Training(Section):
    """Loss, weights and constraints; families that cannot obey them are left out, or refused where they were named."""

    loss: Loss = Field(
        "auto", description="auto: log loss, or the squared error of a regression. The others are for regressions."
    )
    quantile: float | None = Field(None, gt=0, lt=1, description="quantile: which one, e.g. 0.9.")
    target_transform: TargetTransform = Field(
        "none", description="Regression: learn log(1 + y) or Yeo-Johnson's power of y; predictions are turned back."
    )
    class_weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        "none", description="Weight of each class in the loss: by name, or balanced: as if all had as many rows."
    )
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(
        default_factory=dict, description="Quantities in which predictions must rise or fall."
    )
    device: Device = Field("cpu", description="gpu: for families that have it; refused where there is none.")

    @field_validator("class_weights", mode="before")
    @classmethod
    def _classes_are_text(cls, weights: Any) -> Any:
        """Class names as labels read: YAML takes `1: 5` for a number, and `yes: 5` for true."""
        if not isinstance(weights, dict):
            return weights
        if any(isinstance(name, bool) for name in weights):
            message = "YAML reads on, off, yes and no as true and false: put the names of classes in quotes"
            raise ValueError(message)
        return {str(name) if isinstance(name, int) else name: weight for name, weight in weights.items()}

    @model_validator(mode="after")
    def _quantile_goes_with_its_loss(self) -> Training:
        if (self.loss == "quantile") != (self.quantile is not None):
            message = "'quantile' goes with `loss: quantile`, and only with it"
            raise ValueError(message)
        return self
