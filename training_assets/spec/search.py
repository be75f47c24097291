"""How models are trained and their hyperparameters searched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from training_assets.spec.section import Section

Family = Literal["catboost", "hist_gradient_boosting", "linear"]


class Search(Section):
    """Trials over model families, each stopped early on the validation split with its best iteration kept."""

    families: list[Family] = Field(
        default=["catboost", "hist_gradient_boosting", "linear"],
        min_length=1,
        description="Model families to try.",
    )
    sampler: Literal["tpe", "random", "grid"] = Field("tpe", description="Bayesian (TPE), random or grid search.")
    grid: dict[Family, dict[str, list[Any]]] | None = Field(None, description="grid: the values of each parameter.")
    trials: int = Field(20, ge=1, le=10_000, description="Most trials.")
    budget_seconds: float = Field(60, gt=0, description="Most wall-clock seconds for all trials together.")
    parallel: int | None = Field(None, ge=1, le=256, description="Trials at a time; default: one a core.")
    metric: str | None = Field(None, description="What the search optimises; default roc_auc, log_loss or rmse.")
    max_iterations: int = Field(2000, ge=1, le=100_000, description="Most boosting iterations of a trial.")
    patience: int = Field(100, ge=1, description="Iterations without a better validation score before stopping.")
    seed: int = Field(0, ge=0, description="Seed of sampler and models.")

    @field_validator("families")
    @classmethod
    def _families_once(cls, families: list[Family]) -> list[Family]:
        return list(dict.fromkeys(families))

    @model_validator(mode="after")
    def _grid_goes_with_grid(self) -> Search:
        if (self.sampler == "grid") != (self.grid is not None):
            message = "'grid' goes with `sampler: grid`, and only with it"
            raise ValueError(message)
        if self.grid is not None and set(self.grid) != set(self.families):
            message = f"grid names {sorted(self.grid)}, families {sorted(self.families)}; they must be the same"
            raise ValueError(message)
        return self
