"""How fast boosting learns: in small steps where rows are few and iterations cheap, in larger ones where many."""

from __future__ import annotations

import math

from training_assets.core.families.data import Facts

SLOWEST, FASTEST = 0.03, 0.15


def learning_rate(facts: Facts) -> float:
    """0.04 at 5,000 rows and 0.12 at 200,000, between 0.03 and 0.15 everywhere; an iteration has a tree an output."""
    rate = 0.04 * math.pow(max(facts.rows, 1) * facts.outputs / 5_000, 0.3)
    return round(min(max(rate, SLOWEST), FASTEST), 3)
