"""The schema in types and in Pandera: what it names, and what it refuses to guess."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.validation.schema import domain, pandera_schema, rule_breaks, typed
from training_assets_tests.core.small_spec import column, raw_rows, small_spec


def test_rows_come_out_in_the_specs_order_and_types() -> None:
    spec = small_spec({"n": "integer", "x": "number", "d": "date", "t": "datetime", "b": "boolean", "y": "string"})
    raw = raw_rows({"y": ["a"], "b": ["true"], "t": ["2013-01-01 05:00"], "d": ["2013-01-01"], "x": ["1"], "n": ["2"]})
    rows = typed(raw, spec).rows
    assert dict(rows.schema) == {
        "n": pl.Int64,
        "x": pl.Float64,
        "d": pl.Date,
        "t": pl.Datetime("us"),
        "b": pl.Boolean,
        "y": pl.String,
        "_batch": pl.String,
        "_row": pl.Int64,
    }
    assert rows.rows()[0][:2] == (2, 1.0)


def test_cells_that_cannot_be_read_are_null_and_named() -> None:
    read = typed(raw_rows({"n": ["1", "x", "2"], "y": ["a", "b", "\x1b"]}), small_spec({"n": "integer"}))
    assert [(item.column, item.rule, item.rows.arg_true().to_list()) for item in read.broken] == [
        ("n", "type", [1]),
        ("y", "control", [2]),
    ]
    assert read.rows["n"].to_list() == [1, None, 2]


def test_the_specs_decimal_mark_is_used() -> None:
    spec = small_spec({"x": "number"}).model_copy()
    spec = spec.model_copy(
        update={
            "source": spec.source.model_copy(update={"csv": spec.source.dialect.model_copy(update={"decimal": ","})})
        }
    )
    assert typed(raw_rows({"x": ["1,5"], "y": ["a"]}), spec).rows["x"].to_list() == [1.5]


def test_a_difference_in_columns_is_told_exactly() -> None:
    spec = small_spec({"age": "integer", "pay": "number"})
    with pytest.raises(InputError, match=r"E_SCHEMA: .*missing: pay; not in the spec: salary;"):
        typed(raw_rows({"age": ["1"], "salary": ["2"], "y": ["a"]}), spec)


def test_the_difference_stays_short_with_very_many_columns() -> None:
    raw = raw_rows({**{f"{'long' * 50}{i}": ["1"] for i in range(500)}, "x": ["1"], "y": ["a"]})
    with pytest.raises(InputError) as caught:
        typed(raw, small_spec({"x": "number"}))
    assert len(str(caught.value)) < 2100


def breaks(rows: dict[str, Any], rules: dict[str, Any]) -> dict[str, list[int]]:
    spec = small_spec({"c": rules})
    frame = typed(raw_rows({**rows, "y": ["a"] * len(rows["c"])}, dtype=pl.Null()), spec).rows
    return {item.rule: item.rows.arg_true().to_list() for item in rule_breaks(frame, spec)}


def test_each_rule_names_the_rows_that_break_it() -> None:
    numbers = {"c": [1.0, 2.0, 3.0, 9.0, None]}
    assert breaks(numbers, {"type": "number", "min": 2, "max": 3}) == {"range": [0, 3]}
    assert breaks(numbers, {"type": "number", "nullable": False}) == {"null": [4]}
    assert breaks(numbers, {"type": "number", "values": ["1", "2.0", "3e0"]}) == {"domain": [3]}
    assert breaks({"c": ["a1", "b", "xa1", None]}, {"type": "string", "pattern": "a[0-9]"}) == {"pattern": [1, 2]}
    assert breaks({"c": [5, 5, 6, None, None]}, {"type": "integer", "unique": True}) == {"unique": [0, 1]}


def test_bounds_are_inclusive() -> None:
    assert breaks({"c": [2, 3]}, {"type": "integer", "min": 2, "max": 3}) == {}


def test_a_value_may_break_several_rules() -> None:
    rules = {"type": "string", "pattern": "[a-z]", "values": ["a", "b"]}
    assert breaks({"c": ["a", "A"]}, rules) == {"pattern": [1], "domain": [1]}


def test_patterns_are_pythons() -> None:
    # A look-ahead is no expression of Polars' own engine.
    assert breaks({"c": ["ab", "ac"]}, {"type": "string", "pattern": "a(?=b)b"}) == {"pattern": [1]}


@pytest.mark.parametrize("name", ["CO2(tCO2)", "subject#", "Source Port", "^odd", "a.b", "Größe", "x,y"])
def test_rules_hold_for_columns_of_any_name(name: str) -> None:
    spec = small_spec({name: {"type": "integer", "max": 1, "nullable": False}})
    frame = typed(raw_rows({name: [0, 5, None], "y": ["a"] * 3}, dtype=pl.Null()), spec).rows
    found = {(item.column, item.rule): item.rows.arg_true().to_list() for item in rule_breaks(frame, spec)}
    assert found == {(name, "range"): [1], (name, "null"): [2]}


def test_the_labels_nulls_are_no_break_of_the_schema() -> None:
    spec = small_spec({"x": "number", "y": {"type": "string", "nullable": False}})
    frame = typed(raw_rows({"x": ["1"], "y": [None]}), spec).rows
    assert rule_breaks(frame, spec) == []
    assert pandera_schema(spec).columns["y"].nullable


def test_the_domain_is_in_the_columns_type() -> None:
    assert domain("c", column("integer", values=["1", "+2"])) == [1, 2]
    assert domain("c", column("string", values=["e\u0301"])) == ["é"]
    assert domain("c", column("boolean", values=["true"])) == [True]
    with pytest.raises(InputError, match=r"E_SPEC: columns\.c\.values holds 'red', which is no integer"):
        domain("c", column("integer", values=["1", "red"]))


def test_values_are_checked_in_eager_and_in_lazy_frames_alike() -> None:
    # Pandera skips values of LazyFrames unless it is told otherwise; this fails should that way of telling change.
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    schema = pandera_schema(small_spec({"x": {"type": "number", "max": 1}}))
    frame = pl.LazyFrame({"x": [0.5, 2.0], "y": ["a", "b"]})
    with config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA), pytest.raises(SchemaErrors) as caught:
        schema.validate(frame, lazy=True)
    assert caught.value.failure_cases["failure_case"].to_list() == ["2.0"]
