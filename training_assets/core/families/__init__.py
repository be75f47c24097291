"""Model families: each suggests parameters, fits, predicts, and is saved without pickle."""

from __future__ import annotations

from pathlib import Path

from training_assets.core.families.base import Data, Facts, Family, FittedModel
from training_assets.core.families.catboost import CatBoostFamily
from training_assets.core.families.hist_gradient_boosting import HistGradientBoostingFamily
from training_assets.core.families.linear import LinearFamily

FAMILIES: dict[str, Family] = {
    family.name: family for family in (CatBoostFamily(), HistGradientBoostingFamily(), LinearFamily())
}


def load(name: str, folder: Path) -> FittedModel:
    """Read a model of the family from the folder that it was saved to."""
    return FAMILIES[name].load(folder)


__all__ = ["FAMILIES", "Data", "Facts", "Family", "FittedModel", "load"]
