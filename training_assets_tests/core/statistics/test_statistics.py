"""Statistics are exact where they say so, within their sketch's error elsewhere, and the same for the same rows."""

from __future__ import annotations

import json
import math
import time
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training_assets.core import statistics
from training_assets.core.errors import InputError
from training_assets.core.statistics import BatchStatistics, ColumnStatistics, Moments, Quantiles, StatisticsKind
from training_assets.core.statistics.levels import LONGEST, shortened
from training_assets.core.statistics.quantiles import EXACT
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec
from training_assets_tests.workplace import SPEC, customers

KINDS: dict[str, StatisticsKind] = {"x": "numeric", "n": "numeric", "s": "categorical", "t": "time"}
RANK_ERROR = 0.02


def made(rows: int, seed: int = 0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    holes = draw.random(rows) < 0.1
    return pl.DataFrame(
        {
            "x": pl.Series(draw.normal(5, 3, rows)).set(pl.Series(holes), None),
            "n": draw.poisson(3, rows),
            "s": draw.choice(["a", "b", "ç"], rows, p=[0.6, 0.3, 0.1]),
            "t": pl.Series(draw.integers(0, 10**9, rows) * 1_000_000).cast(pl.Datetime("us")),
        }
    )


def as_json(made_of: BatchStatistics) -> str:
    return json.dumps(made_of.to_json(), allow_nan=False, sort_keys=True)


def test_a_batch_is_described_as_numpy_and_scipy_describe_it() -> None:
    rows = made(20_000)
    found = statistics.of(rows, KINDS)
    x, column = rows["x"].drop_nulls().to_numpy(), found.columns["x"]
    assert (found.rows, column.count, column.nulls) == (20_000, 20_000, rows["x"].null_count())
    assert (column.low, column.high) == (x.min(), x.max())
    assert column.moments is not None
    assert column.moments.mean == pytest.approx(x.mean())
    assert column.moments.deviation == pytest.approx(x.std(ddof=1))
    assert column.moments.skewness == pytest.approx(stats.skew(x), rel=1e-6)
    assert column.moments.kurtosis == pytest.approx(stats.kurtosis(x), rel=1e-6)
    assert found.columns["n"].top == {str(n): c for n, c in rows["n"].value_counts(sort=True).head(20).iter_rows()}
    assert found.columns["s"].top == dict(rows["s"].value_counts(sort=True).iter_rows())
    assert (found.columns["n"].distinct, found.columns["s"].distinct) == (rows["n"].n_unique(), 3)
    assert column.distinct == pytest.approx(rows["x"].n_unique(), rel=0.06)
    times = rows["t"].dt.timestamp("us").to_numpy() / 1e6
    assert (found.columns["t"].low, found.columns["t"].high) == (times.min(), times.max())


def test_the_same_rows_give_the_same_bytes_in_any_order_and_from_json() -> None:
    rows = made(5_000).with_columns(pl.int_range(pl.len()).cast(pl.String).alias("key"))
    kinds: dict[str, StatisticsKind] = {**KINDS, "key": "categorical"}
    found = as_json(statistics.of(rows, kinds))
    assert as_json(statistics.of(rows.sample(fraction=1, shuffle=True, seed=3), kinds)) == found
    assert as_json(BatchStatistics.from_json(json.loads(found))) == found


def test_statistics_of_another_format_are_refused() -> None:
    with pytest.raises(InputError, match="E_STATISTICS"):
        BatchStatistics.from_json({"rows": 3, "columns": {}})


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.integers(0, 99))
@settings(max_examples=25)
def test_parts_merge_to_the_whole(sizes: list[int], seed: int) -> None:
    rows = made(sum(sizes), seed)
    ends = np.cumsum(sizes)
    parts = [statistics.of(rows[end - size : end], KINDS) for end, size in zip(ends, sizes, strict=True)]
    whole, merged = statistics.of(rows, KINDS), statistics.merge(parts)
    regrouped = statistics.merge([statistics.merge(parts[:2]), *parts[2:]])
    assert whole.rows == merged.rows == regrouped.rows
    for name, column in whole.columns.items():
        for other in (merged.columns[name], regrouped.columns[name]):
            assert_exact_parts_agree(column, other)
            if column.moments is not None and other.moments is not None:
                assert other.moments.mean == pytest.approx(column.moments.mean, rel=1e-9, abs=1e-9)
                assert other.moments.m2 == pytest.approx(column.moments.m2, rel=1e-6, abs=1e-6)
                assert other.moments.m4 == pytest.approx(column.moments.m4, rel=1e-6, abs=1e-6)
            if column.quantiles is not None and other.quantiles is not None and column.quantiles.n:
                points = column.quantiles.quantiles(np.linspace(0, 1, 21))
                away = np.abs(column.quantiles.cdf(points) - other.quantiles.cdf(points)).max()
                assert away <= (0 if column.quantiles.is_exact else 2 * RANK_ERROR)


def assert_exact_parts_agree(one: ColumnStatistics, other: ColumnStatistics) -> None:
    for exact in ("kind", "count", "nulls", "low", "high", "known"):
        assert getattr(one, exact) == getattr(other, exact)
    if one.levels is not None and other.levels is not None:
        assert one.levels.counts == other.levels.counts
    if one.quantiles is not None and one.quantiles.values is not None:
        assert other.quantiles is not None
        assert other.quantiles.values is not None
        assert one.quantiles.to_json() == other.quantiles.to_json()
        assert one.distinct == other.distinct


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=30), min_size=1, max_size=5))
def test_moments_merge_as_if_they_had_been_together(parts: list[list[float]]) -> None:
    merged = Moments()
    for part in parts:
        merged = merged.merged(Moments.of(np.array(part)))
    values = np.array([value for part in parts for value in part])
    whole = Moments.of(values)
    assert merged.n == whole.n
    spread = float(np.abs(values).max(initial=1.0))
    for power, name in enumerate(("mean", "m2", "m3", "m4"), start=1):
        size = spread**power * max(whole.n, 1)
        assert getattr(merged, name) == pytest.approx(getattr(whole, name), abs=1e-9 * size)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0], [-1e300, 1e300], [math.nan, math.inf, 3.0], [-0.0, 0.0]])
def test_any_quantity_has_statistics_that_are_json(values: list[float]) -> None:
    rows = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)})
    found = statistics.of(rows, {"x": "numeric"})
    again = BatchStatistics.from_json(json.loads(as_json(found)))
    assert as_json(again) == as_json(found)
    column = statistics.merge([found, again]).columns["x"]
    assert column.known == 2 * len([value for value in values if math.isfinite(value)])
    assert column.distinct == len({value for value in values if math.isfinite(value)})


@pytest.mark.parametrize("kind", ["numeric", "categorical", "time"])
def test_a_column_without_a_value_has_statistics(kind: Any) -> None:
    dtype = {"numeric": pl.Float64, "categorical": pl.String, "time": pl.Date}[kind]
    found = statistics.of(pl.DataFrame({"c": pl.Series([None, None], dtype=dtype)}), {"c": kind})
    column = BatchStatistics.from_json(json.loads(as_json(found))).columns["c"]
    assert (column.count, column.nulls, column.null_share, column.distinct, column.top) == (2, 2, 1.0, 0, {})
    assert as_json(statistics.merge([found, found])) == as_json(
        statistics.of(pl.DataFrame({"c": pl.Series([None] * 4, dtype=dtype)}), {"c": kind})
    )


DISTRIBUTIONS = {
    "normal": lambda draw, n: draw.normal(size=n),
    "long tail": lambda draw, n: np.exp(3 * draw.normal(size=n)),
    "prices": lambda draw, n: np.where(draw.random(n) < 0.3, 59.9, draw.gamma(2, 50, n).round(2)),
    "mostly zero": lambda draw, n: np.where(draw.random(n) < 0.9, 0.0, draw.random(n)),
    "whole numbers": lambda draw, n: draw.integers(0, 5_000, n).astype(float),
    "large": lambda draw, n: draw.integers(10**12, 10**15, n).astype(float),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("parts", [1, 26])
def test_ranks_of_many_values_are_within_the_stated_error(name: str, parts: int) -> None:
    values = DISTRIBUTIONS[name](np.random.default_rng(7), 60_000)
    found = Quantiles.of(np.array([]))
    for part in np.array_split(values, parts):
        found = found.merged(Quantiles.of(part))
    assert not found.is_exact
    assert found.n == values.size
    points = np.unique(values)
    ranks = np.searchsorted(np.sort(values), points, side="right") / values.size
    continuous = name in {"normal", "long tail", "large"}
    assert np.abs(found.cdf(points) - ranks).max() < (0.001 if continuous else RANK_ERROR)


def test_few_values_are_counted_and_many_are_not() -> None:
    few = Quantiles.of(np.arange(EXACT, dtype=float).repeat(3))
    assert few.is_exact
    assert not few.merged(Quantiles.of(np.array([-1.0]))).is_exact
    assert few.quantiles(np.array([0.0, 0.1, 0.5, 1.0])).tolist() == [0, 99, 499, 999]
    assert few.cdf(np.array([-1.0, 0.0, 499.5, 1e9])).tolist() == [0.0, 0.001, 0.5, 1.0]


def test_an_exact_quantile_is_the_smallest_value_that_reaches_the_share() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert Quantiles.of(values).quantiles(np.arange(1, 10) / 10).tolist() == values[:-1].tolist()


def test_more_levels_than_are_kept_leave_the_frequent_ones_within_the_error() -> None:
    draw = np.random.default_rng(0)
    levels = np.concatenate([draw.choice(["big", "small"], 20_000, p=[0.8, 0.2]), [f"rare {i}" for i in range(20_000)]])
    column = statistics.of(pl.DataFrame({"s": levels}), {"s": "categorical"}).columns["s"]
    assert column.levels is not None
    assert 0 < column.levels.error <= 0.0035 * levels.size
    assert list(column.top)[:2] == ["big", "small"]
    assert column.top["big"] == pytest.approx((levels == "big").sum(), abs=column.levels.error)
    assert column.distinct == pytest.approx(20_002, rel=0.06)


def test_long_texts_are_shortened_and_stay_apart() -> None:
    one, other = "long " * 100, "long " * 100 + "!"
    column = statistics.of(pl.DataFrame({"s": [one, one, other, "", "short"]}), {"s": "categorical"}).columns["s"]
    assert column.top == {shortened(one): 2, "": 1, shortened(other): 1, "short": 1}
    assert all(len(level) <= LONGEST for level in column.top)
    assert column.distinct == 4


def test_validated_rows_are_described_by_the_spec_with_the_label() -> None:
    spec = ModelSpec.model_validate(SPEC)
    rows = customers(300, seed=1)
    found = statistics.of_batch(rows, spec)
    assert set(found.columns) == set(spec.columns)
    assert {name: column.kind for name, column in found.columns.items()} == {
        "customer": "categorical", "age": "numeric", "income": "numeric", "plan": "categorical",
        "left_on": "categorical", "churned": "categorical",
    }  # fmt: skip
    assert found.columns["churned"].top == dict(rows["churned"].value_counts(sort=True).iter_rows())


def test_a_date_is_described_alike_as_a_feature_and_as_a_column_of_the_batch() -> None:
    columns = {"opened": {"type": "date"}, "y": {"type": "string", "role": "ignored"}}
    spec = small_spec(columns)
    days = pl.Series("opened", [date(2026, 1, 1), None, date(2026, 3, 1)])
    rows = pl.DataFrame({"opened": days, "y": ["a", "b", "a"], "_target": ["a", "b", "a"]})
    feature = statistics.of_features(rows, {"opened": "date"}, spec).columns["opened"]
    assert feature.kind == "time"
    assert feature.to_json() == statistics.of_batch(rows, spec).columns["opened"].to_json()


def test_a_column_that_not_every_part_has_is_left_out() -> None:
    one, other = made(10), made(10).drop("n")
    found = statistics.merge(
        [statistics.of(one, KINDS), statistics.of(other, {k: v for k, v in KINDS.items() if k != "n"})]
    )
    assert set(found.columns) == {"x", "s", "t"}


def test_a_hundred_thousand_rows_of_twenty_columns_take_seconds_not_minutes() -> None:
    """About 0.7 s on one core; the bound leaves room for a busy machine."""
    draw, n = np.random.default_rng(0), 100_000
    columns: dict[str, Any] = {f"x{i}": draw.normal(size=n) for i in range(10)}
    columns |= {f"n{i}": draw.integers(0, 300, n) for i in range(5)}
    columns |= {f"s{i}": draw.integers(0, 5_000, n).astype(str) for i in range(5)}
    kinds: dict[str, StatisticsKind] = {name: "categorical" if name[0] == "s" else "numeric" for name in columns}
    rows = pl.DataFrame(columns)
    started = time.process_time()
    statistics.of(rows, kinds)
    assert time.process_time() - started < 5
