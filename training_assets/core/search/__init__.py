"""The search: trials over model families within a budget, the same trials and model for the same seed."""

from training_assets.core.search.study import Study, Trial, Tuned
from training_assets.core.search.tuning import search

__all__ = ["Study", "Trial", "Tuned", "search"]
