"""The search: trials over model families within a budget, and the final model of the best few of them."""

from training_assets.core.search.study import Member, Study, Trial, Tuned
from training_assets.core.search.tuning import search

__all__ = ["Member", "Study", "Trial", "Tuned", "search"]
