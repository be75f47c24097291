"""What an encoded frame looks like, so that a family can read it without knowing how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from training_assets.spec.target import Task

FeatureKinds = Mapping[str, Literal["numeric", "categorical"]]

# What must not be read as text: the columns that say which row it is, and its label.
ROW_COLUMNS = ("_batch", "_row", "_key", "_target")

NULL_CODE = 0
UNKNOWN_CODE = 1
FIRST_LEVEL_CODE = 2


def scaled_column(feature: str) -> str:
    """Column that holds a quantity imputed and scaled."""
    return f"{feature}__scaled"


def code_column(feature: str) -> str:
    """Column that holds a category's code."""
    return f"{feature}__code"


def target_columns(feature: str, task: Task, n_classes: int) -> tuple[str, ...]:
    """Columns that hold a category's target encoding: one, or one a class for a multiclass task."""
    if task == "multiclass":
        return tuple(f"{feature}__target_{index}" for index in range(n_classes))
    return (f"{feature}__target",)


@dataclass(frozen=True)
class Layout:
    """The columns of an encoded frame by role, and the task that they serve."""

    task: Task
    n_classes: int  # 0 for a regression
    quantities: tuple[str, ...]  # feature names: `x` as it is, `x__scaled` imputed and scaled
    codes: Mapping[str, int]  # feature name -> how many codes `c__code` can take, null and unknown included
    one_hot: tuple[str, ...]  # categories that the linear family reads one-hot
    targets: Mapping[str, tuple[str, ...]]  # categories that it reads target encoded, and their columns

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, quantities first."""
        return (*self.quantities, *self.codes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all the encoded columns."""
        scaled = [name for feature in self.quantities for name in (feature, scaled_column(feature))]
        coded = [code_column(feature) for feature in self.codes]
        return (*scaled, *coded, *(name for names in self.targets.values() for name in names))
