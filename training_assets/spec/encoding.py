"""How features become numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from training_assets.spec.section import Section


class Encoding(Section):
    """Scaling, imputation and category encoding; all fitted on the training split alone.

    Tree families read quantities as they are and categories as codes; the linear family reads quantities imputed and
    scaled, and categories one-hot or target encoded.
    """

    scale: Literal["standard", "min_max", "robust", "none"] = Field("standard", description="Scaling of quantities.")
    impute: Literal["median", "mean", "zero"] = Field("median", description="What stands for a missing quantity.")
    categorical: Literal["auto", "one_hot", "target"] = Field(
        "auto", description="auto: one-hot up to `one_hot_max_levels`, target encoding above."
    )
    one_hot_max_levels: int = Field(32, ge=2, le=1000, description="auto: most levels that are still one-hot.")
    max_levels: int = Field(1000, ge=2, le=100_000, description="Most levels kept; rarer ones are pooled as unknown.")
