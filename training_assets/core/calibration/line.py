"""A line of log-odds, by Newton's method: sums alone, since a result must not depend on how many threads BLAS has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_STEPS = 200
SMALLEST_STEP = 1e-9
ENOUGH = 1e-15  # gain of log loss a row
ALIKE = 1e-9  # odds that are no farther apart are the same
RIDGE = 1e-12  # for rows that leave the line free


def fitted_line(odds: Floats, wanted: Floats, weights: Floats, offset: Floats | float = 0.0) -> tuple[float, float]:
    """Slope and intercept whose `expit(slope * odds + intercept + offset)` has the least log loss against `wanted`.

    All are (n,), `wanted` above 0 and below 1, so that there is a least one. The slope of odds that do not
    vary is 0.
    """
    from scipy.special import expit, log_expit

    share = weights / weights.sum()
    middle, spread = float(np.sum(share * odds)), float(np.ptp(odds))
    if spread < ALIKE:
        middle, spread, odds = 0.0, 1.0, np.zeros_like(odds)
    x = (odds - middle) / spread

    def loss(line: Floats) -> float:
        at = line[0] * x + line[1] + offset
        return float(-np.sum(share * (wanted * log_expit(at) + (1 - wanted) * log_expit(-at))))

    line = np.zeros(2)
    lowest = loss(line)
    for _ in range(MOST_STEPS):
        likely = expit(line[0] * x + line[1] + offset)
        excess, bend = share * (likely - wanted), share * likely * (1 - likely)
        across, cross, up = np.sum(bend * x * x) + RIDGE, np.sum(bend * x), np.sum(bend) + RIDGE
        by_slope, by_intercept = np.sum(excess * x), np.sum(excess)
        newton = np.array([up * by_slope - cross * by_intercept, across * by_intercept - cross * by_slope])
        newton /= across * up - cross * cross
        step = 1.0
        while step > SMALLEST_STEP and loss(line - step * newton) > lowest:
            step /= 2
        if step <= SMALLEST_STEP:
            break
        line = line - step * newton
        gained, lowest = lowest - loss(line), loss(line)
        if gained <= ENOUGH:
            break
    slope = float(line[0]) / spread
    return slope, float(line[1]) - slope * middle
