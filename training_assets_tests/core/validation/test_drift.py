"""Drift is seen where there is some, and not where there are merely few rows."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.features.logical import Kind
from training_assets.core.validation.drift import chance_psi, columns_have_not_drifted, profile, psi
from training_assets.core.validation.findings import Finding
from training_assets.spec import Drift

KINDS: dict[str, Kind] = {"x": "numeric", "s": "categorical"}


def drawn(n: int, seed: int, shift: float = 0.0, favour: float = 0.5) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    return pl.DataFrame({"x": draw.normal(shift, size=n), "s": np.where(draw.random(n) < favour, "a", "b")})


def test_a_profile_is_json_and_its_shares_are_all_rows() -> None:
    rows = drawn(1000, 0).with_columns(pl.when(pl.int_range(pl.len()) < 100).then(None).otherwise("x").alias("x"))
    made = json.loads(json.dumps(profile(rows, KINDS), allow_nan=False))
    assert made["rows"] == 1000
    assert len(made["columns"]["x"]["edges"]) == 9
    assert made["columns"]["x"]["shares"][-1] == pytest.approx(0.1)
    assert made["columns"]["s"]["levels"] == ["a", "b"]
    for column in made["columns"].values():
        assert sum(column["shares"]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "values",
    [[], [None, None], [1.0], [0.0] * 99 + [5.0], list(range(100)), [-1e300, 1e300, 0.0]],
)
def test_any_quantity_has_a_profile(values: list[float | None]) -> None:
    made = profile(pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)}), {"x": "numeric"})
    shares = made["columns"]["x"]["shares"]
    assert len(shares) == len(made["columns"]["x"]["edges"]) + 2
    assert sum(shares) == pytest.approx(1.0 if values else 0.0)


def test_rare_levels_are_counted_together() -> None:
    levels = [f"l{i:03d}" for i in range(80) for _ in range(100 - i)]
    column = profile(pl.DataFrame({"s": levels}), {"s": "categorical"})["columns"]["s"]
    assert column["levels"] == [f"l{i:03d}" for i in range(50)]
    assert column["shares"][-2] == pytest.approx(sum(100 - i for i in range(50, 80)) / len(levels))


def test_psi_is_the_formula() -> None:
    assert psi([0.5, 0.5], [0.5, 0.5]) == 0
    assert psi([0.5, 0.5], [0.25, 0.75]) == pytest.approx(-0.25 * math.log(0.5) + 0.25 * math.log(1.5))
    assert math.isfinite(psi([1.0, 0.0], [0.0, 1.0]))
    with pytest.raises(ValueError, match="shorter"):
        psi([0.5, 0.5], [1.0])


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_psi_is_never_negative_and_symmetric(counts: list[int], random: object) -> None:
    other = list(counts)
    random.shuffle(other)  # type: ignore[attr-defined]  # hypothesis hands over a random.Random
    one, two = ([count / max(sum(counts), 1) for count in these] for these in (counts, other))
    assert psi(one, two) >= 0
    assert psi(one, two) == pytest.approx(psi(two, one))


@pytest.mark.parametrize(("bins", "expected"), [(2, 10.83), (11, 29.59), (52, 87.97)])
def test_the_chance_bound_is_the_chi_square_quantile(bins: int, expected: float) -> None:
    # Quantiles of 0.999 from a table of chi-square with 1, 10 and 51 degrees of freedom.
    assert chance_psi(bins, 1_000_000_000, 1) == pytest.approx(expected, rel=0.04)


def test_no_released_version_or_no_new_rows_is_a_pass_that_says_so() -> None:
    finding = columns_have_not_drifted(None, drawn(10, 0), Drift())
    assert (finding.passed, finding.text) == (True, "no released version yet")
    assert columns_have_not_drifted(profile(drawn(10, 0), KINDS), drawn(0, 0), Drift()).passed


def drift_lines(finding: Finding) -> list[dict[str, Any]]:
    """The columns that a finding shows."""
    lines = finding.facts["psi"]
    assert isinstance(lines, list)
    return lines


@pytest.mark.parametrize("n", [20, 100, 1000, 20_000])
def test_rows_from_the_same_source_have_not_drifted(n: int) -> None:
    reference = profile(drawn(5000, 0), KINDS)
    assert all(columns_have_not_drifted(reference, drawn(n, seed), Drift(max_psi=0.02)).passed for seed in range(1, 20))


def test_a_shifted_column_is_named_first() -> None:
    finding = columns_have_not_drifted(
        profile(drawn(5000, 0), KINDS), drawn(2000, 1, shift=1.0), Drift(severity="block")
    )
    assert (finding.passed, finding.severity) == (False, "block")
    assert drift_lines(finding)[0]["column"] == "x"
    assert finding.facts["drifted"] == 1
    assert finding.text.startswith("1 of 2 columns have drifted from the released version's training rows: x (")


def test_changed_levels_and_new_nulls_are_drift() -> None:
    reference = profile(drawn(5000, 0), KINDS)
    assert not columns_have_not_drifted(reference, drawn(2000, 1, favour=0.95), Drift()).passed
    assert not columns_have_not_drifted(reference, drawn(2000, 1).with_columns(s=pl.lit("new")), Drift()).passed
    empty = drawn(2000, 1).with_columns(x=pl.lit(None, dtype=pl.Float64))
    assert not columns_have_not_drifted(reference, empty, Drift()).passed


def test_validated_rows_are_compared_with_features_of_the_same_name() -> None:
    """Features hold booleans as words and codes as text; validated rows hold them as they are."""
    features = pl.DataFrame({"b": ["true", "false"] * 500, "code": ["1", "2"] * 500, "joined": [1.0, 2.0] * 500})
    kinds: dict[str, Kind] = {"b": "categorical", "code": "categorical", "joined": "numeric"}
    rows = pl.DataFrame({"b": [True, False] * 500, "code": [1.0, 2.0] * 500})
    finding = columns_have_not_drifted(profile(features, kinds), rows, Drift())
    assert finding.passed
    assert finding.facts["psi"] == [
        {"column": "b", "psi": 0.0, "limit": 0.25},
        {"column": "code", "psi": 0.0, "limit": 0.25},
    ]


def test_five_hundred_columns_are_capped() -> None:
    rows = pl.DataFrame({f"x{i}": [1.0, 2.0] for i in range(500)})
    finding = columns_have_not_drifted(profile(rows, dict.fromkeys(rows.columns, "numeric")), rows, Drift())
    assert len(drift_lines(finding)) == 20
