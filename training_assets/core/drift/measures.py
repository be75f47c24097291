"""Measures of the distance between two distributions, and tests of whether chance explains it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training_assets.core.statistics import Quantiles

Counts = NDArray[np.float64]
# A share under this counts as this: PSI is infinite at an empty bin (the customary floor).
LEAST_SHARE = 1e-4
LEAST_EXPECTED = 5  # rows in a cell of a chi-square test, by custom (Cochran 1954)


def shares(counts: Counts) -> Counts:
    """Counts (n_bins) as shares of their sum; zero where there are none."""
    found: Counts = counts / max(float(counts.sum()), 1.0)
    return found


def psi(reference: Counts, current: Counts) -> float:
    """Population stability index of two lists of counts over the same bins; 0 is no change, 0.2 by custom a large one.

    Sum over bins of (current - reference) * ln(current / reference) in shares (Siddiqi, Credit Risk Scorecards, 2006).
    An empty bin of few rows is worth half a row: the customary floor would make a shift of two rows look like drift.
    """
    rows = max(min(float(reference.sum()), float(current.sum())), 1.0)
    least = max(LEAST_SHARE, 0.5 / rows)
    before, now = np.maximum(shares(reference), least), np.maximum(shares(current), least)
    return float(((now - before) * np.log(now / before)).sum())


def chance_psi(bins: int, reference_rows: int, current_rows: int, alpha: float) -> float:
    """The PSI that one column in 1 / alpha exceeds without any drift.

    Without drift PSI is about chi-square with bins - 1 degrees of freedom, times (1/n + 1/m) (Yurdakul, Statistical
    properties of population stability index, 2018).
    """
    from scipy.special import chdtri

    return float(chdtri(max(bins - 1, 1), alpha)) * per_row(reference_rows, current_rows)


def expected_psi(bins: int, reference_rows: int, current_rows: int) -> float:
    """The mean PSI without any drift."""
    return max(bins - 1, 0) * per_row(reference_rows, current_rows)


def psi_deviation(bins: int, reference_rows: int, current_rows: int) -> float:
    """The standard deviation of PSI without any drift."""
    return math.sqrt(2 * max(bins - 1, 0)) * per_row(reference_rows, current_rows)


def per_row(reference_rows: int, current_rows: int) -> float:
    """1/n + 1/m: how the noise of a comparison of two samples shrinks."""
    return 1 / max(reference_rows, 1) + 1 / max(current_rows, 1)


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """Jensen-Shannon distance of two lists of counts: 0 where shares are equal, 1 where no bin has rows of both.

    The square root of the base-2 divergence (Lin 1991; Endres and Schindelin 2003).
    """
    before, now = shares(reference), shares(current)
    middle = (before + now) / 2
    halves = []
    for each in (before, now):
        there = each > 0
        halves.append(float((each[there] * np.log2(each[there] / middle[there])).sum()) / 2)
    return math.sqrt(max(sum(halves), 0.0))


def kolmogorov_smirnov(reference: Quantiles, current: Quantiles) -> tuple[float, float]:
    """Largest difference of two distribution functions, and the chance of one so large without drift (asymptotic).

    The chance is too high, never too low, where values repeat.
    """
    if not reference.n or not current.n:
        return 0.0, 1.0
    from scipy.stats import kstwo

    points = np.union1d(reference.points(), current.points())
    distance = float(np.abs(reference.cdf(points) - current.cdf(points)).max())
    rows = reference.n * current.n / (reference.n + current.n)
    return distance, float(np.clip(kstwo.sf(distance, max(round(rows), 1)), 0.0, 1.0))


def chi_square(reference: Counts, current: Counts) -> tuple[float, float]:
    """Chi-square of two lists of counts over the same bins, and the chance of one so large without drift.

    Bins where under five rows are expected are counted together. Where even together they are too few for chi-square
    (a level that only a small batch has, say), Fisher's exact test looks at them, and the more telling test counts.
    """
    table = np.vstack([reference, current])
    if not (table.sum(axis=1) > 0).all():
        return 0.0, 1.0
    expected = table.sum(axis=0) * float(table.sum(axis=1).min()) / float(table.sum())
    rare = expected < LEAST_EXPECTED
    together = table[:, rare].sum(axis=1, keepdims=True)
    if expected[rare].sum() >= LEAST_EXPECTED:
        return _tested(np.hstack([table[:, ~rare], together]))
    statistic, chance = _tested(table[:, ~rare])
    if not together.any() or not (~rare).any():
        return statistic, chance
    from scipy.stats import fisher_exact

    others = table[:, ~rare].sum(axis=1, keepdims=True)
    exact = float(fisher_exact(np.hstack([together, others]).astype(np.int64)).pvalue)
    return statistic, min(2 * min(chance, exact), 1.0)


def _tested(table: Counts) -> tuple[float, float]:
    if table.shape[1] < 2 or not (table.sum(axis=1) > 0).all():
        return 0.0, 1.0
    from scipy.stats import chi2_contingency

    tested = chi2_contingency(table, correction=False)
    return float(tested.statistic), float(tested.pvalue)


def adjusted(chances: Sequence[float]) -> list[float]:
    """Chances of many tests, corrected so that a share of false alarms is controlled (Benjamini and Hochberg 1995)."""
    if not chances:
        return []
    from scipy.stats import false_discovery_control

    return [float(each) for each in false_discovery_control(np.array(chances), method="bh")]
