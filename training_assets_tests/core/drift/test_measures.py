"""Measures and tests agree with scipy, and keep what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance

from training_assets.core.drift.measures import (
    adjusted,
    chance_psi,
    chi_square,
    expected_psi,
    jensen_shannon,
    kolmogorov_smirnov,
    psi,
    psi_deviation,
)
from training_assets.core.statistics import Quantiles

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=12)


def floats(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def test_psi_is_the_formula() -> None:
    assert psi(floats(500, 500), floats(500, 500)) == 0
    expected = -0.25 * math.log(0.5) + 0.25 * math.log(1.5)
    assert psi(floats(500, 500), floats(25, 75)) == pytest.approx(expected)
    assert psi(floats(50_000, 0), floats(0, 50_000)) == pytest.approx(2 * 0.9999 * math.log(1 / 1e-4))


def test_an_empty_bin_of_few_rows_is_worth_half_a_row() -> None:
    assert psi(floats(50, 0), floats(49, 1)) == pytest.approx(psi(floats(49.5, 0.5), floats(49, 1)), abs=0.001)


@given(COUNTS, st.randoms(use_true_random=False))
def test_psi_and_distance_are_symmetric_and_never_negative(counts: list[int], random: object) -> None:
    other = list(counts)
    random.shuffle(other)  # type: ignore[attr-defined]  # hypothesis hands over a random.Random
    one, two = floats(*counts), floats(*other)
    for measure in (psi, jensen_shannon):
        assert measure(one, two) >= 0
        assert measure(one, two) == pytest.approx(measure(two, one), abs=1e-9)
        assert measure(one, one) == pytest.approx(0, abs=1e-6)


@given(COUNTS, st.data())
def test_jensen_shannon_is_scipys(counts: list[int], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(counts), max_size=len(counts)))
    one, two = floats(*counts), floats(*other)
    if one.any() and two.any():
        # scipy divides 0 by 0 where both shares are zero, and takes the root of what rounding left under zero.
        both = (one > 0) | (two > 0)
        with np.errstate(invalid="ignore"):
            expected = float(distance.jensenshannon(one[both], two[both], base=2))
        assert jensen_shannon(one, two) == pytest.approx(0.0 if math.isnan(expected) else expected, abs=1e-7)


@given(COUNTS, st.data())
def test_the_distance_is_at_most_what_the_psi_allows(counts: list[int], data: st.DataObject) -> None:
    """Crooks 2008: the divergence in nats is at most an eighth of Jeffreys', which PSI is where no bin is empty."""
    other = data.draw(st.lists(st.integers(1, 500), min_size=len(counts), max_size=len(counts)))
    one, two = floats(*counts) + 1, floats(*other)
    before, now = one / one.sum(), two / two.sum()
    jeffreys = float(((now - before) * np.log(now / before)).sum())
    assert jensen_shannon(one, two) <= math.sqrt(jeffreys / 8 / math.log(2)) + 1e-9


@pytest.mark.parametrize(("n", "m", "shift"), [(50, 800, 0.0), (300, 900, 0.3), (999, 60_000, 0.05), (20, 20, 3.0)])
def test_kolmogorov_smirnov_is_scipys(n: int, m: int, shift: float) -> None:
    draw = np.random.default_rng(n)
    one, two = draw.normal(size=n), draw.normal(shift, size=m)
    expected = stats.ks_2samp(one, two, method="asymp")
    found, chance = kolmogorov_smirnov(Quantiles.of(one), Quantiles.of(two))
    assert found == pytest.approx(expected.statistic, abs=1e-12 if m < 1000 else 0.002)
    assert chance == pytest.approx(expected.pvalue, abs=1e-9 if m < 1000 else 0.05)


def test_kolmogorov_smirnov_of_repeated_values_is_scipys() -> None:
    draw = np.random.default_rng(0)
    one, two = draw.poisson(2, 400).astype(float), draw.poisson(2.4, 700).astype(float)
    expected = stats.ks_2samp(one, two, method="asymp")
    found, chance = kolmogorov_smirnov(Quantiles.of(one), Quantiles.of(two))
    assert (found, chance) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert kolmogorov_smirnov(Quantiles.of(one), Quantiles.of(np.empty(0))) == (0.0, 1.0)


def test_chi_square_is_scipys_where_every_cell_has_rows() -> None:
    one, two = floats(400, 300, 120), floats(90, 40, 33)
    expected = stats.chi2_contingency(np.vstack([one, two]), correction=False)
    assert chi_square(one, two) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))


def test_chi_square_counts_rare_bins_together() -> None:
    one, two = floats(400, 300, 12, 9, 7, 0), floats(90, 40, 1, 0, 3, 4)
    pooled = np.array([[400, 300, 28], [90, 40, 8]])
    expected = stats.chi2_contingency(pooled, correction=False)
    assert chi_square(one, two) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))


def test_bins_that_are_too_rare_even_together_are_tested_exactly() -> None:
    one, two = floats(12_000, 8_000, 0, 1), floats(110, 70, 20, 0)
    exact = stats.fisher_exact([[1, 20_000], [20, 180]]).pvalue
    assert chi_square(one, two)[1] == pytest.approx(2 * exact)
    assert chi_square(one, floats(110, 70, 0, 0))[1] > 0.05
    assert chi_square(floats(20_000, 0), floats(140, 60))[1] < 1e-50


@pytest.mark.parametrize("counts", [((5, 0), (7, 0)), ((5, 3), (0, 0)), ((1, 1), (1, 1)), ((0, 0), (0, 0))])
def test_without_enough_rows_anything_is_chance(counts: tuple[tuple[int, int], tuple[int, int]]) -> None:
    assert chi_square(floats(*counts[0]), floats(*counts[1])) == (0.0, 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_correction_never_lowers_a_chance_and_keeps_their_order(chances: list[float]) -> None:
    found = adjusted(chances)
    assert all(after >= before - 1e-12 for before, after in zip(chances, found, strict=True))
    assert [found[place] for place in np.argsort(chances)] == sorted(found)
    assert adjusted([]) == []


def test_the_correction_is_benjamini_and_hochbergs() -> None:
    # The worked example of their paper of 1995 (15 tests): four are rejected at 0.05.
    small = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    chances = [*small, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert sum(chance < 0.05 for chance in adjusted(chances)) == 4


@pytest.mark.parametrize("bins", [3, 11, 40])
def test_without_drift_psi_has_the_stated_mean_deviation_and_quantile(bins: int) -> None:
    draw, n, m = np.random.default_rng(bins), 40_000, 5_000
    even = np.full(bins, 1 / bins)
    found = np.array(
        [psi(draw.multinomial(n, even).astype(float), draw.multinomial(m, even).astype(float)) for _ in range(2_000)]
    )
    assert found.mean() == pytest.approx(expected_psi(bins, n, m), rel=0.05)
    assert found.std() == pytest.approx(psi_deviation(bins, n, m), rel=0.1)
    assert (found > chance_psi(bins, n, m, 0.05)).mean() == pytest.approx(0.05, abs=0.015)
