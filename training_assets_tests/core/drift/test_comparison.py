"""Drift is seen where there is some that matters, and not where there are merely few rows."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from training_assets.core import statistics
from training_assets.core.drift import Bins, Comparison, DriftedColumn, compare, weights
from training_assets.core.statistics import BatchStatistics, merge
from training_assets.spec import Drift, ModelSpec
from training_assets_tests.core.drift.made_batches import KINDS, drawn, of_values
from training_assets_tests.workplace import SPEC

ALL = list(KINDS)


def found(
    reference: BatchStatistics,
    current: BatchStatistics,
    importances: Mapping[str, float] | None = None,
    drift: Drift | None = None,
) -> Comparison:
    return compare(reference, current, drift or Drift(), ALL, importances)


def line(comparison: Comparison, column: str) -> DriftedColumn:
    return next(each for each in comparison.columns if each.column == column)


# Bins


def test_bins_are_deciles_of_the_reference_and_a_bin_of_nulls() -> None:
    column = of_values([float(value) for value in range(1, 101)] + [None] * 25).columns["x"]
    bins = Bins.of(column)
    assert bins.edges == tuple(range(10, 100, 10))
    assert bins.counts(column).tolist() == [10] * 10 + [25]
    assert bins.names[0] == "up to 10"
    assert bins.names[-2:] == ["over 90", "no value"]


def test_a_value_that_fills_bins_is_a_bin_and_what_is_under_it_another() -> None:
    zeros = of_values([0.0] * 70 + [1.0] * 20 + [2.0] * 10).columns["x"]
    bins = Bins.of(zeros)
    assert dict(zip(bins.names, bins.counts(zeros).tolist(), strict=True)) == {
        "under 0": 0, "0": 70, "0 to 1": 0, "1": 20, "over 1": 10, "no value": 0,
    }  # fmt: skip
    sentinel = of_values([-1.0] * 70 + [1.0] * 20 + [2.0] * 10).columns["x"]
    assert bins.counts(sentinel).tolist() == [70, 0, 0, 20, 10, 0]


def test_the_same_holds_where_values_are_too_many_to_count() -> None:
    draw = np.random.default_rng(0)
    values = np.where(draw.random(20_000) < 0.5, 0.0, draw.normal(100, 5, 20_000))
    column = of_values(values.tolist()).columns["x"]
    assert column.quantiles is not None
    assert not column.quantiles.is_exact
    bins = Bins.of(column)
    shares = dict(zip(bins.names, (bins.counts(column) / 20_000).tolist(), strict=True))
    assert shares["under 0"] == pytest.approx(0, abs=0.01)
    assert shares["0"] == pytest.approx(0.5, abs=0.02)


def test_categories_are_the_commonest_levels_all_others_and_nulls() -> None:
    levels: list[str | None] = [f"l{place:03d}" for place in range(80) for _ in range(100 - place)]
    column = of_values([*levels, None], "categorical").columns["x"]
    bins = Bins.of(column)
    assert bins.levels == tuple(f"l{place:03d}" for place in range(50))
    assert bins.counts(column)[-2:].tolist() == [sum(100 - place for place in range(50, 80)), 1]


# Verdicts


@pytest.mark.parametrize("rows", [20, 100, 500, 1_000, 5_000])
def test_rows_from_the_same_source_have_not_drifted(rows: int) -> None:
    reference = drawn(20_000, 0, nulls=0.1)
    alarms = [found(reference, drawn(rows, seed, nulls=0.1), {"x": 0.8, "s": 0.2}) for seed in range(1, 61)]
    assert sum(bool(each.drifted) or not each.is_sound_overall for each in alarms) <= 0.05 * len(alarms)


def test_the_chance_bound_alone_keeps_false_alarms_under_alpha() -> None:
    """With a limit near zero, nothing but the bound of chance is left to say no."""
    strict = Drift(max_psi=1e-9, max_js=1e-9)
    reference = drawn(20_000, 0)
    for rows in (300, 3_000):
        alarmed = sum(bool(found(reference, drawn(rows, seed), drift=strict).drifted) for seed in range(1, 201))
        assert alarmed <= 0.05 * 200 + 6, rows


@pytest.mark.parametrize("rows", [100, 900, 5_000])
def test_a_shifted_column_is_alarmed_and_comes_first(rows: int) -> None:
    comparison = found(drawn(20_000, 0), drawn(rows, 1, shift=1.0))
    assert [each.column for each in comparison.drifted] == ["x"]
    assert comparison.columns[0].column == "x"
    test = comparison.columns[0].test
    assert test == ("Kolmogorov-Smirnov" if rows < 1_000 else None)


@pytest.mark.parametrize("rows", [200, 5_000])
def test_changed_levels_new_levels_and_new_nulls_are_drift(rows: int) -> None:
    reference = drawn(20_000, 0)
    assert [each.column for each in found(reference, drawn(rows, 1, favour=0.95)).drifted] == ["s"]
    moved = found(reference, drawn(rows, 1, nulls=0.3))
    assert [each.column for each in moved.drifted] == ["x"]
    assert (moved.drifted[0].null_share_before, moved.drifted[0].null_share) == (0, pytest.approx(0.3, abs=0.1))
    new = compare(of_values(["a", "b"] * 5_000, "categorical"), of_values(["c"] * rows, "categorical"), Drift(), ["x"])
    assert len(new.drifted) == 1


def test_a_significant_shift_that_is_small_is_no_drift() -> None:
    comparison = found(drawn(200_000, 0), drawn(200_000, 1, shift=0.05))
    assert 0 < line(comparison, "x").psi < 0.01
    assert not comparison.drifted


def test_a_large_shift_of_very_few_rows_may_be_chance() -> None:
    reference = of_values([0.0, 1.0] * 5_000)
    assert compare(reference, of_values([1.0, 1.0, 1.0]), Drift(), ["x"]).columns[0].psi > 0.2
    assert not compare(reference, of_values([1.0, 1.0, 1.0]), Drift(), ["x"]).drifted
    assert compare(reference, of_values([1.0] * 30), Drift(), ["x"]).drifted


# What matters


def test_a_column_that_the_model_hardly_uses_is_set_aside() -> None:
    reference, current = drawn(20_000, 0), drawn(5_000, 1, shift=2.0)
    comparison = found(reference, current, {"x": 0.001, "n": 0.5, "s": 0.499})
    assert comparison.drifted == []
    assert [each.column for each in comparison.hardly_used] == ["x"]
    assert comparison.is_sound_overall
    used = found(reference, current, {"x": 0.5, "n": 0.25, "s": 0.25})
    assert [each.column for each in used.drifted] == ["x"]
    assert found(reference, current, {"n": 1.0}).drifted == []


def test_the_label_matters_without_an_importance() -> None:
    comparison = compare(drawn(20_000, 0), drawn(5_000, 1, favour=0.95), Drift(), ALL, {"x": 0.5, "n": 0.5}, label="s")
    assert [each.column for each in comparison.drifted] == ["s"]


def test_many_middling_shifts_are_too_much_overall() -> None:
    reference, current = drawn(20_000, 0), drawn(5_000, 1, shift=0.35, favour=0.65)
    comparison = found(reference, current, {"x": 0.6, "s": 0.4})
    assert comparison.drifted == []
    assert comparison.overall is not None
    by_hand = 0.6 * line(comparison, "x").psi + 0.4 * line(comparison, "s").psi
    assert comparison.overall == pytest.approx(by_hand, abs=0.005)
    assert not found(reference, current, {"x": 0.6, "s": 0.4}, Drift(max_overall=0.05)).is_sound_overall
    assert found(reference, current, {"n": 1.0}, Drift(max_overall=0.05)).is_sound_overall
    assert found(reference, current).overall is None


def test_a_column_may_have_a_limit_of_its_own_or_be_ignored_with_a_reason() -> None:
    reference, current = drawn(20_000, 0), drawn(5_000, 1, shift=1.0)
    assert not found(reference, current, drift=Drift.model_validate({"columns": {"x": {"max_psi": 9}}})).drifted
    ignoring = found(reference, current, drift=Drift.model_validate({"columns": {"x": {"ignore": "seasonal"}}}))
    assert {each.column for each in ignoring.columns} == {"n", "s"}
    with pytest.raises(ValidationError, match="ignore"):
        Drift.model_validate({"columns": {"x": {"ignore": ""}}})


def test_a_spec_that_names_another_column_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"validation\.drift\.columns names 'agee'"):
        ModelSpec.model_validate({**SPEC, "validation": {"drift": {"columns": {"agee": {"max_psi": 1}}}}})


def test_a_column_matters_as_much_as_what_is_made_of_it() -> None:
    spec = ModelSpec.model_validate(SPEC)
    found_weights = weights({"age": 0.1, "income": 0.0, "plan": 0.2, "income_per_year": 0.7}, spec)
    assert found_weights == {"age": pytest.approx(0.8), "income": 0.7, "plan": 0.2, "income_per_year": 0.7}


def test_columns_that_both_do_not_have_in_the_same_kind_are_not_compared() -> None:
    rows = pl.DataFrame({"x": [1.0], "s": [1.0], "t": [1.0]})
    one = statistics.of(rows, {"x": "numeric", "s": "categorical", "t": "time"})
    other = statistics.of(rows, {"s": "numeric", "t": "time"})
    assert compare(one, other, Drift(), ["x", "s", "t"]).columns == ()


def test_windows_and_fifty_batches_of_thirty_columns_are_compared_within_a_second() -> None:
    """About 0.3 s on one core; the bound leaves room for a busy machine."""
    draw = np.random.default_rng(0)
    kinds: dict[str, statistics.StatisticsKind] = {f"x{i}": "numeric" for i in range(20)}
    kinds |= {f"s{i}": "categorical" for i in range(10)}
    columns = {name: draw.normal(size=2_500) if name[0] == "x" else draw.integers(0, 99, 2_500) for name in kinds}
    batch = statistics.of(pl.DataFrame(columns), kinds)
    batches = [BatchStatistics.from_json(batch.to_json()) for _ in range(50)]
    compare(batch, batch, Drift(), list(kinds))  # scipy is imported here
    started = time.process_time()
    reference = merge(batches[:20])
    for place in range(3, 50):
        compare(reference, batches[place], Drift(), list(kinds))
        compare(merge(batches[place - 3 : place]), batches[place], Drift(), list(kinds))
    assert time.process_time() - started < 3
