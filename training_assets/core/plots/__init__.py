"""Pictures for people in a hurry: each is a small PNG whose title says the number."""

from training_assets.core.plots.balance import split_balance
from training_assets.core.plots.columns import importance
from training_assets.core.plots.drift import drift_map, drift_overlay
from training_assets.core.plots.gallery import as_markdown, plots_for
from training_assets.core.plots.history import search_history
from training_assets.core.plots.ranking import precision_recall, roc
from training_assets.core.plots.reliability import calibration
from training_assets.core.plots.residuals_grid import residuals
from training_assets.core.plots.study import study_plots
from training_assets.core.plots.study_tables import study_tables
from training_assets.core.plots.table import confusion
from training_assets.core.plots.training import learning_curves

__all__ = [
    "as_markdown",
    "calibration",
    "confusion",
    "drift_map",
    "drift_overlay",
    "importance",
    "learning_curves",
    "plots_for",
    "precision_recall",
    "residuals",
    "roc",
    "search_history",
    "split_balance",
    "study_plots",
    "study_tables",
]
