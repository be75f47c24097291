"""Model families: each suggests parameters, fits, predicts, and is saved without pickle."""

from __future__ import annotations

from pathlib import Path

from training_assets.core.families.base import Data, Facts, Family, FittedModel
from training_assets.core.families.catboost import CatBoostFamily
from training_assets.core.families.hist_gradient_boosting import HistGradientBoostingFamily
from training_assets.core.families.linear import LinearFamily

# Cheapest first: in this order each family has its first turn, and a short budget sees them all.
FAMILIES: dict[str, Family] = {
    family.name: family for family in (LinearFamily(), HistGradientBoostingFamily(), CatBoostFamily())
}


def load(name: str, folder: Path) -> FittedModel:
    """Read a model of the family from the folder that it was saved to."""
    return FAMILIES[name].load(folder)


__all__ = ["FAMILIES", "Data", "Facts", "Family", "FittedModel", "load"]
