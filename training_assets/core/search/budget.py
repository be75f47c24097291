"""The time of a search: what is spent, what is kept back for the final fits, and how long one trial may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

RESERVED = 1.08
"""Time that is kept back by what final fits should take: a trial that is told that time is up ends a moment later."""
TURNS = 12
"""Trials that the work of a whole search must have room for, so that each kind of model has its turn and time is left
for the final fits; no trial runs longer than its part."""
LARGEST_SHARE = 0.35
"""Share of the budget that a trial may take where cores are many: what it learnt must be fitted once more."""
LONGER = 2.5
"""Parts of the budget that a trial may take which the clock cut off before, while it still gained."""
TOO_LITTLE = 0.03
"""Share of the budget that is not worth a trial's beginning."""


@dataclass
class Budget:
    """Seconds by a clock, of which some were spent before; any thread may ask."""

    seconds: float
    clock: Callable[[], float]
    parallel: int  # trials at a time
    offset: float  # added to the clock: 0 seconds are spent where both cancel out
    reserve: float = 0.0  # seconds kept back for the final fits

    @classmethod
    def begin(cls, seconds: float, clock: Callable[[], float], parallel: int, *, spent: float) -> Budget:
        """Begin now, with what an earlier attempt spent."""
        return cls(seconds, clock, parallel, spent - clock())

    def elapsed(self) -> float:
        """Seconds that are spent, those of an earlier attempt included."""
        return self.clock() + self.offset

    def left(self) -> float:
        """Seconds that trials may still take."""
        return self.seconds - self.reserve - self.elapsed()

    def keep_back(self, final_fits: float) -> None:
        """Keep time for final fits that should take so many seconds."""
        self.reserve = RESERVED * final_fits

    def seconds_but(self, final_fits: float) -> float:
        """Seconds that are left when so many are kept for the final fits."""
        return self.seconds - RESERVED * final_fits - self.elapsed()

    def pays_another_trial(self) -> bool:
        """Whether enough is left for a trial to be worth its beginning."""
        return self.left() >= TOO_LITTLE * self.seconds

    def longest_trial(self, *, longer: bool, final_fit: float) -> float:
        """Seconds that a trial which begins now may take; a longer one leaves time for its own final fit.

        `final_fit` is the seconds of that for each of the trial's.
        """
        most = min(LARGEST_SHARE, (LONGER if longer else 1) * self.parallel / TURNS) * self.seconds
        return min(most, self.left() / (1 + final_fit)) if longer else most
