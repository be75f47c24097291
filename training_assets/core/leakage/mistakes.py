"""How many mistakes a rule may make and still give the label away, with what chance allows on top."""

from __future__ import annotations

import math
from typing import Literal

# The best honest columns of eighteen public sets avoid 82 of 100 mistakes at most; a copy of the label with one wrong
# entry in a hundred is still found.
STRONG, WEAK = 0.02, 0.10
# What the true share may be, at most, with 95 % confidence: a rule without mistakes needs 60 that it could have made.
SURE_STRONG, SURE_WEAK = 0.05, 0.15


def judged(made: int, possible: int) -> Literal["strong", "weak", "none"]:
    """How strongly a rule gives classes away that makes some of the mistakes a guess would make.

    The upper limit of the share is that of a Poisson count, e + 2 sqrt(e) + 3: the rule of three where e is 0.
    """
    if not possible:
        return "none"
    share, limit = made / possible, (made + 2 * math.sqrt(made) + 3) / possible
    if share <= STRONG and limit <= SURE_STRONG:
        return "strong"
    return "weak" if share <= WEAK and limit <= SURE_WEAK else "none"
