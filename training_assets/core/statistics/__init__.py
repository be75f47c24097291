"""What is known about a batch without its rows: counts, range, moments, quantiles, top values and distinct values.

Statistics are computed once, where a batch is in memory anyway, kept as JSON, and merged for windows of batches. The
same rows give the same JSON, whatever their order: every sketch in it is deterministic and fed in sorted order.
"""

from training_assets.core.statistics.batches import BatchStatistics, label_name, merge, of, of_batch, of_features
from training_assets.core.statistics.columns import ColumnStatistics, StatisticsKind, merged
from training_assets.core.statistics.levels import Levels
from training_assets.core.statistics.moments import Moments
from training_assets.core.statistics.quantiles import Quantiles

__all__ = [
    "BatchStatistics",
    "ColumnStatistics",
    "Levels",
    "Moments",
    "Quantiles",
    "StatisticsKind",
    "label_name",
    "merge",
    "merged",
    "of",
    "of_batch",
    "of_features",
]
