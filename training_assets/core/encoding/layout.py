"""What an encoded frame looks like, so that a family can read it without knowing how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from training_assets.core.features.logical import Kind
from training_assets.spec.target import Task

FeatureKinds = Mapping[str, Kind]

# What must not be read as text: the columns that say which row it is, and its label.
ROW_COLUMNS = ("_batch", "_row", "_key", "_weight", "_target")

NULL_CODE = 0
UNKNOWN_CODE = 1
FIRST_LEVEL_CODE = 2


def scaled_column(quantity: str) -> str:
    """Column that holds a quantity imputed and scaled."""
    return f"{quantity}__scaled"


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
    """The columns of an encoded frame by role, and the task that they serve.

    A feature is one quantity of its own name, or several that were made of it (`when__hour`), or a category, or both.
    """

    task: Task
    n_classes: int  # 0 for a regression
    quantities: tuple[str, ...]  # what trees read: `x` as it is, null where missing
    codes: Mapping[str, int]  # feature name -> how many codes `c__code` can take, null and unknown included
    one_hot: tuple[str, ...]  # categories that the linear family reads one-hot
    targets: Mapping[str, tuple[str, ...]]  # categories that it reads target encoded, and their columns
    trees_only: frozenset[str] = frozenset()  # quantities that are of no use to the linear family
    linear_only: tuple[str, ...] = ()  # quantities that it alone reads: they have no column but `x__scaled`
    made_of: Mapping[str, str] = field(default_factory=dict)  # quantity -> feature, where its name is another

    @property
    def features(self) -> tuple[str, ...]:
        """What trees read, quantities first; of a category, the name of the feature."""
        return (*self.quantities, *self.codes)

    @cached_property
    def scaled(self) -> tuple[str, ...]:
        """Quantities that the linear family reads, imputed and scaled: `x__scaled`."""
        return (*(name for name in self.quantities if name not in self.trees_only), *self.linear_only)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of all the encoded columns."""
        linear = {*self.scaled}
        both = [each for name in self.quantities for each in (name, scaled_column(name))[: 1 + (name in linear)]]
        coded = [code_column(feature) for feature in self.codes]
        encoded = [name for names in self.targets.values() for name in names]
        return (*both, *(scaled_column(name) for name in self.linear_only), *coded, *encoded)

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """For each quantity, category, encoded column and feature, the feature that it was made of."""
        quantities = {name: self.made_of.get(name, name) for name in (*self.quantities, *self.linear_only)}
        return {
            **{feature: feature for feature in (*quantities.values(), *self.codes)},
            **quantities,
            **{scaled_column(name): feature for name, feature in quantities.items()},
            **{name: feature for feature in self.codes for name in (feature, code_column(feature))},
            **{name: feature for feature, names in self.targets.items() for name in names},
        }

    def owner(self, column: str) -> str:
        """The feature of a quantity, a category, an encoded column or itself; `KeyError` for any other name."""
        return self.owners[column]

    def by_feature(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Weights of what `owner` knows, summed by feature in the order of the layout; 0 for a feature without any."""
        summed = dict.fromkeys(self.owners.values(), 0.0)
        for name, weight in weights.items():
            summed[self.owner(name)] += weight
        return summed
