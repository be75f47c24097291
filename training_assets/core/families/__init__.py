"""Model families: each suggests parameters, fits, predicts, and is saved without pickle."""

from __future__ import annotations

from pathlib import Path

from training_assets.core.errors import InputError
from training_assets.core.families import fitted_estimator
from training_assets.core.families.base import Family, FittedModel, Learning, Stop
from training_assets.core.families.catboost import CatBoostFamily
from training_assets.core.families.data import Data, Facts
from training_assets.core.families.forests import ForestFamily
from training_assets.core.families.hist_gradient_boosting import HistGradientBoostingFamily
from training_assets.core.families.lightgbm import LightGBMFamily
from training_assets.core.families.linear import LinearFamily
from training_assets.core.families.mlp import MlpFamily
from training_assets.core.families.own_estimator import OwnEstimatorFamily

# In this order each family has its first turn, so a budget that is too short for all sees those that pay best.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        LightGBMFamily(),
        CatBoostFamily(),
        MlpFamily(),
        ForestFamily("extra_trees"),
        HistGradientBoostingFamily(),
        LinearFamily(),
        ForestFamily("random_forest"),
    )
}
BLEND = "blend"


def named(name: str, root: Path, trust: tuple[str, ...] = ()) -> Family:
    """The family of that name, or the estimator that `module:factory`, a file below the project's root, gives.

    `trust` names modules, besides that one, whose types such an estimator may hold. Raises `InputError` E_FAMILY for a
    name that is neither, or a factory that gives no estimator.
    """
    if name in FAMILIES:
        return FAMILIES[name]
    if ":" not in name:
        raise InputError("E_FAMILY", _unknown(name))
    return OwnEstimatorFamily(name, root, trust)


def load(name: str, folder: Path, trust: tuple[str, ...] = ()) -> FittedModel:
    """Read a model of the family from the folder that it was saved to.

    `trust` names the modules that an estimator of the user's own may be imported from. Raises `InputError`: E_TRUST
    where it holds types of others, E_FAMILY for a family that there is not.
    """
    if name in FAMILIES:
        return FAMILIES[name].load(folder)
    if name == BLEND:
        from training_assets.core.families.blend import Blend  # which loads its members here

        return Blend.load(folder, trust)
    if ":" not in name:
        raise InputError("E_FAMILY", _unknown(name))
    package = name.partition(":")[0].partition(".")[0]
    if package not in trust:
        message = (
            f"this model is of the family {name[:80]}, and '{package[:80]}' is not trusted; if you know what it does, "
            "name it under search.families, or in TRAINING_ASSETS_TRUST where the model is served"
        )
        raise InputError("E_TRUST", message)
    return fitted_estimator.load(name, folder, trust)


def _unknown(name: str) -> str:
    return f"no family is called '{name[:80]}'; there are {', '.join(FAMILIES)}, and module:factory for your own"


__all__ = ["FAMILIES", "Data", "Facts", "Family", "FittedModel", "Learning", "Stop", "load", "named"]
