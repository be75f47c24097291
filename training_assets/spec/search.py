"""How families and hyperparameters are searched."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from training_assets.spec.section import Section

BuiltIn = Literal["linear", "lightgbm", "hist_gradient_boosting", "catboost", "mlp", "extra_trees", "random_forest"]
Reference = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")]
Family = BuiltIn | Reference


class OwnMetric(Section):
    """A metric of the user's own."""

    function: Reference = Field(
        description="`module:function` of (labels or class codes, predictions), which gives a number."
    )
    better: Literal["higher", "lower"] = Field(description="Which of two numbers is the better one.")


class Search(Section):
    """Trials over model families, each stopped early on the validation split; the best few are blended and refitted."""

    families: list[Family] | None = Field(
        None,
        min_length=1,
        description="Families to try, `module:factory` for an estimator of your own; default: all that can.",
    )
    trust: list[str] = Field(
        default_factory=list,
        description="Packages, besides its own, whose types a family of your own may be read back with.",
    )
    sampler: Literal["tpe", "random", "grid"] = Field("tpe", description="Bayesian (TPE), random or grid search.")
    grid: dict[Family, dict[str, list[Any]]] | None = Field(None, description="grid: the values of each parameter.")
    trials: int = Field(200, ge=1, le=10_000, description="Most trials.")
    budget_seconds: float = Field(60, gt=0, description="Most wall-clock seconds for trials and refit together.")
    parallel: int | None = Field(None, ge=1, le=256, description="Trials at a time; default: one a core.")
    metric: str | OwnMetric | None = Field(
        None, description="What the search optimises; default roc_auc, log_loss, rmse, or that of training.loss."
    )
    pruner: Literal["none", "median"] = Field(
        "median", description="median: end a trial that is worse than half of the earlier ones were by then."
    )
    ensemble: Literal["blend", "none"] = Field("blend", description="blend: a few of the best together. none: one.")
    refit: bool = Field(True, description="Fit the members once more on training and validation rows.")
    warm_start: bool = Field(True, description="Try what was best in the last study early.")
    max_iterations: int = Field(4000, ge=1, le=100_000, description="Most boosting iterations of a trial.")
    patience: int = Field(100, ge=1, description="Iterations without a better validation score before stopping.")
    seed: int = Field(0, ge=0, description="Seed of sampler and models.")

    @property
    def own_code(self) -> list[str]:
        """Every `module:function` of the user's own that the search calls: families and the metric."""
        named = [*(self.families or []), *(self.grid or {})]
        metric = [self.metric.function] if isinstance(self.metric, OwnMetric) else []
        return sorted({name for name in [*named, *metric] if ":" in name})

    @property
    def trusted(self) -> tuple[str, ...]:
        """Packages that a model of a family of the user's own may be read back with."""
        named = [*(self.families or []), *(self.grid or {})]
        return tuple(
            sorted({*self.trust, *(name.partition(":")[0].partition(".")[0] for name in named if ":" in name)})
        )

    @field_validator("families")
    @classmethod
    def _families_once(cls, families: list[Family] | None) -> list[Family] | None:
        return None if families is None else list(dict.fromkeys(families))

    @model_validator(mode="after")
    def _grid_goes_with_grid(self) -> Search:
        if (self.sampler == "grid") != (self.grid is not None):
            message = "'grid' goes with `sampler: grid`, and only with it"
            raise ValueError(message)
        if self.grid is not None and self.families is not None and set(self.grid) != set(self.families):
            message = f"grid names {sorted(self.grid)}, families {sorted(self.families)}; they must be the same"
            raise ValueError(message)
        if self.grid == {}:
            message = "grid names no family; list what to try, as `lightgbm: {num_leaves: [15, 31]}`"
            raise ValueError(message)
        points = sum(math.prod(map(len, values.values())) for values in (self.grid or {}).values())
        if points > self.trials:
            message = f"grid has {points} points, and trials allows {self.trials}; set trials to {points}, or list less"
            raise ValueError(message)
        return self
