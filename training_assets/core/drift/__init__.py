"""How far the rows of a batch have moved from earlier ones, from their statistics alone."""

from training_assets.core.drift.bins import Bins
from training_assets.core.drift.comparison import Comparison, DriftedColumn, compare
from training_assets.core.drift.findings import columns_have_not_drifted, table
from training_assets.core.drift.series import against_reference, against_window, judged_columns, unique_names
from training_assets.core.drift.weights import weights

__all__ = [
    "Bins",
    "Comparison",
    "DriftedColumn",
    "against_reference",
    "against_window",
    "columns_have_not_drifted",
    "compare",
    "judged_columns",
    "table",
    "unique_names",
    "weights",
]
