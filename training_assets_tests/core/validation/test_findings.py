"""Findings hold or miss at the bound, name the worst, and stay small whatever comes."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl
import pytest

from training_assets.core.statistics import BatchStatistics, of_batch
from training_assets.core.validation.findings import (
    Finding,
    label_is_balanced,
    nulls_within_limits,
    rows_obey_schema,
    values_in_range,
)
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec


def batch(name: str, read: int, quarantined: int, **rules: int) -> BatchFacts:
    named = {rule.replace("__", ": "): count for rule, count in rules.items()}
    return BatchFacts(name, name * 8, read, read - quarantined, quarantined, 0, named)


def by_batch(rows: pl.DataFrame, spec: ModelSpec) -> dict[str, BatchStatistics]:
    """Statistics of the rows of each batch; the label, if the rows have none, is unknown."""
    if "y" not in rows.columns:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias("y"))
    return {str(part["_batch"][0]): of_batch(part, spec) for part in rows.partition_by("_batch", maintain_order=True)}


def small(finding: Finding) -> Finding:
    """The finding, once it is seen to be JSON-safe and capped."""
    assert Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False))) == finding
    assert len(finding.text) < 600
    assert all(len(fact) <= 20 for fact in finding.facts.values() if isinstance(fact, list))
    assert len(finding.facts) <= 10
    return finding


def test_the_limit_itself_is_sound() -> None:
    assert small(rows_obey_schema([batch("a", 100, 1)], 0.01)).passed
    assert not small(rows_obey_schema([batch("a", 99, 1)], 0.01)).passed


def test_one_bad_batch_among_good_ones_blocks_and_is_named() -> None:
    batches = [batch("good", 1000, 0), batch("bad", 100, 30, n__type=25, x__range=20, s__null=1, t__date=2)]
    finding = small(rows_obey_schema(batches, 0.01))
    assert (finding.passed, finding.severity) == (False, "block")
    assert "1 of 2 batches" in finding.text
    assert "worst: bad, 30 of 100 rows (n: type 25; x: range 20; t: date 2)" in finding.text
    assert finding.facts["over_limit"] == [
        {"batch": "bad", "rows": 100, "quarantined": 30, "share": 0.3, "rules": "n: type 25; x: range 20; t: date 2"}
    ]


@pytest.mark.parametrize("batches", [[], [batch("empty", 0, 0)]])
def test_nothing_at_all_is_no_pass(batches: list[BatchFacts]) -> None:
    assert not small(rows_obey_schema(batches, 1 if not batches else 0.5)).passed


def test_five_hundred_bad_batches_with_long_names_stay_readable() -> None:
    batches = [batch(f"{'long' * 20}{i}", 10, 10, **{f"{'c' * 100}{i}__type": 10}) for i in range(500)]
    finding = small(rows_obey_schema(batches, 0.0))
    assert finding.facts["refused_batches"] == 500


def test_values_out_of_range_warn_with_column_and_rule() -> None:
    batches = [batch("a", 100, 3, n__range=2, **{"odd: name__domain": 1}), batch("b", 100, 2, n__range=2, s__type=9)]
    finding = small(values_in_range(batches))
    assert (finding.passed, finding.severity) == (False, "warn")
    assert finding.facts["values"] == 5
    assert finding.facts["broken"] == [
        {"column": "n", "rule": "range", "values": 4, "first_batch": "a"},
        {"column": "odd: name", "rule": "domain", "values": 1, "first_batch": "a"},
    ]
    assert small(values_in_range([batch("a", 100, 9, s__type=9)])).passed


def test_nulls_are_counted_by_batch() -> None:
    spec = small_spec({"x": {"type": "number", "max_null_share": 0.5}, "z": "number"})
    rows = pl.DataFrame({"x": [None, 1.0, None, None], "z": [1.0, None, None, None], "_batch": ["a", "a", "b", "b"]})
    finding = small(nulls_within_limits(by_batch(rows, spec), spec))
    assert (finding.passed, finding.severity) == (False, "block")
    assert finding.facts["over_limit"] == [{"column": "x", "batch": "b", "share": 1.0, "limit": 0.5}]
    assert small(nulls_within_limits(by_batch(rows.head(2), spec), spec)).passed


def test_a_feature_that_a_single_batch_lacks_warns() -> None:
    rows = pl.DataFrame({"x": [1.0, 2.0, None, None], "z": [1.0, 2.0, 3.0, None], "_batch": ["a", "a", "b", "b"]})
    spec = small_spec({"x": "number", "z": "number"})
    finding = small(nulls_within_limits(by_batch(rows, spec), spec))
    assert (finding.passed, finding.severity) == (False, "warn")
    assert finding.facts["empty_features"] == [{"column": "x", "batches": 1}]


def test_a_feature_without_any_value_warns() -> None:
    rows = pl.DataFrame({"x": pl.Series([None, None], dtype=pl.Float64), "_batch": ["a", "a"]})
    spec = small_spec({"x": "number"})
    finding = small(nulls_within_limits(by_batch(rows, spec), spec))
    assert (finding.passed, finding.severity) == (False, "warn")
    assert "x" in finding.text


def labels(values: list[Any], task: str = "binary", **target: Any) -> Finding:
    kind = "number" if task == "regression" else "string"
    spec = small_spec(
        {"x": "number", "y": kind}, {"column": "y", "task": task, **target}, validation={"min_class_share": 0.1}
    )
    dtype = pl.Float64 if task == "regression" else pl.String
    rows = pl.DataFrame({"x": [0.0] * len(values), "y": pl.Series(values, dtype=dtype)})
    return small(label_is_balanced(of_batch(rows, spec).columns["y"], spec))


@pytest.mark.parametrize(
    ("values", "task", "passed", "severity"),
    [
        (["a"] * 9 + ["b"], "binary", True, "warn"),
        (["a"] * 10 + ["b"], "binary", False, "warn"),
        (["a"] * 10, "binary", False, "block"),
        ([], "binary", False, "block"),
        (["a", "b", "c"], "binary", False, "block"),
        (["a", "b", "c"], "multiclass", True, "warn"),
        ([1.0, 1.0], "regression", False, "block"),
        ([], "regression", False, "block"),
        ([1.0, 2.0], "regression", True, "warn"),
    ],
)
def test_there_must_be_something_to_learn(values: list[Any], task: str, passed: bool, severity: str) -> None:
    finding = labels(values, task)
    assert (finding.passed, finding.severity) == (passed, severity)


def test_a_declared_class_without_rows_warns() -> None:
    finding = labels(["a", "b"], "multiclass", classes=["a", "b", "c"])
    assert (finding.passed, finding.severity) == (False, "warn")
    balance = finding.facts["balance"]
    assert isinstance(balance, list)
    assert {"class": "c", "rows": 0, "share": 0.0} in balance


def test_thousands_of_classes_stay_readable() -> None:
    finding = labels([f"{'long' * 40}{i}" for i in range(3000)], "multiclass")
    assert finding.facts["classes"] == pytest.approx(3000, rel=0.05)


def test_a_limit_that_is_not_a_number_never_passes() -> None:
    assert not rows_obey_schema([batch("a", 100, 0)], math.nan).passed
