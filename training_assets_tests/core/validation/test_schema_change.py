"""Each difference from the committed schema is named with what was, what is and its first row; nothing else is."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.inference.schema_review import review
from training_assets.core.validation.changes import Change, accepted
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import Column, ModelSpec
from training_assets_tests.core.small_spec import raw_rows, small_spec

TARGET = {"column": "y", "task": "binary", "classes": ["no", "yes"]}


def text(**cells: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in cells.items()})


def changes(spec: ModelSpec, **parts: pl.DataFrame) -> list[Change]:
    found = review(parts, spec).changes
    for change in found:
        assert Change.from_json(json.loads(json.dumps(change.to_json()))) == change
        assert len(str(change)) < 600
    return found


def only(spec: ModelSpec, rows: pl.DataFrame) -> Change:
    (change,) = changes(spec, b1=rows)
    return change


def of_x(rules: dict[str, Any], cells: list[str | None]) -> Change:
    spec = small_spec({"x": rules, "z": "number", "y": {"type": "string"}}, TARGET)
    labels: list[str | None] = ["no" if at % 2 else "yes" for at in range(len(cells))]
    return only(spec, text(x=cells, z=["1.5"] * len(cells), y=labels))


def test_rows_that_are_as_the_schema_says_have_no_difference() -> None:
    spec = small_spec({"n": {"type": "integer", "min": 0}, "s": "string", "y": {"type": "string"}}, TARGET)
    assert changes(spec, b1=text(n=["1", None], s=["2020-01-01", "7"], y=["no", "yes"])) == []


@pytest.mark.parametrize(
    ("rules", "cells", "kind", "was", "now", "row", "update"),
    [
        ({"type": "integer"}, ["1", "old", "new"], "type", "integer", "string, e.g. 'old', 'new'", 2,
         {"type": "string"}),
        ({"type": "integer"}, ["1", "2", "2.5"], "type", "integer", "number, e.g. '2.5'", 3, {"type": "number"}),
        ({"type": "date"}, ["01.02.2020", "03.04.2020"], "type", "date", "date (%d.%m.%Y), e.g. ", 1,
         {"type": "date", "format": "%d.%m.%Y"}),
        ({"type": "number"}, ["1", "1e999"], "value", "number", "values that are none (range), e.g. '1e999'", 2, None),
        ({"type": "string"}, ["a", "b\x07"], "value", "string", "values that are none (control)", 2, None),
        ({"type": "integer", "nullable": False}, ["1", None], "null", "never empty", "empty", 2, {"nullable": True}),
        ({"type": "integer", "min": 0}, ["1", "-7"], "range", "at least 0", "from -7", 2, {"min": -7}),
        ({"type": "number", "max": 1.5}, ["1", "2.5"], "range", "at most 1.5", "up to 2.5", 2, {"max": 2.5}),
        ({"type": "string", "values": ["a"]}, ["a", "c", "b"], "domain", "one of 'a'", "also 'b', 'c'", 2,
         {"values": ["a", "b", "c"]}),
        ({"type": "integer", "values": ["1"]}, ["1", "2"], "domain", "one of '1'", "also '2'", 2,
         {"values": ["1", "2"]}),
        ({"type": "string", "pattern": "[a-z]+"}, ["a", "B"], "pattern", "like '[a-z]+'", "'B'", 2, {"pattern": None}),
        ({"type": "integer", "unique": True}, ["1", "2", "2"], "unique", "unique", "repeated", 2, {"unique": False}),
    ],
)  # fmt: skip
def test_each_rule_of_a_column(
    rules: dict[str, Any],
    cells: list[str | None],
    kind: str,
    was: str,
    now: str,
    row: int,
    update: dict[str, Any] | None,
) -> None:
    change = of_x(rules, cells)
    assert (change.column, change.kind, change.was, change.first_row) == ("x", kind, was, row)
    assert change.now.startswith(now)
    assert (change.update is None) == (update is None)
    assert update is None or {key: (change.update or {})[key] for key in update} == update


def test_the_smallest_and_largest_value_that_are_out_of_range_are_two_differences() -> None:
    spec = small_spec({"x": {"type": "integer", "min": 0, "max": 9}})
    found = changes(spec, b1=text(x=["5", "10", "-1", "99"], y=["a", "b", "a", "b"]))
    assert [(change.now, change.first_row, change.rows) for change in found] == [("from -1", 3, 1), ("up to 99", 2, 2)]


def test_new_classes_empty_labels_and_false_rules() -> None:
    spec = small_spec({"x": "integer", "y": {"type": "string"}}, TARGET, validation={"rules": {"positive": "x > 0"}})
    found = changes(spec, b1=text(x=["1", "0", "2"], y=["maybe", "no", None]))
    assert [(change.column, change.kind, change.was, change.now, change.first_row) for change in found] == [
        ("y", "label", "a label in every row", "empty", 3),
        ("y", "label", "classes 'no', 'yes'", "also 'maybe'", 1),
        ("x", "rule", "positive: x > 0", "false", 2),
    ]


def test_a_class_that_an_expression_makes_is_looked_at_too() -> None:
    target = {"expression": "CASE WHEN d > 9 THEN 'late' WHEN d >= 0 THEN 'ok' ELSE 'odd' END", "task": "binary"}
    spec = small_spec(
        {"d": {"type": "integer", "role": "leaking"}, "n": "integer"}, {**target, "classes": ["ok", "late"]}
    )
    change = only(spec, text(d=["1", "-1"], n=["1", "1"]))
    assert (change.column, change.kind, change.first_row) == ("_target", "label", 2)


def test_new_and_missing_columns() -> None:
    spec = small_spec({"x": "number", "gone": {"type": "integer", "min": 0}})
    found = changes(spec, b1=text(x=["1", "2"], y=["a", "b"], fresh=["1", "2"]))
    assert [(change.column, change.kind, change.was, change.now, change.first_row) for change in found] == [
        ("gone", "missing", "integer, from 0", "missing", None),
        ("fresh", "new", "not there", "integer", 1),
    ]


def test_batches_that_disagree_are_named_and_nulls_for_want_of_a_column_are_none() -> None:
    spec = small_spec({"x": {"type": "number", "nullable": False}, "z": "number"})
    found = changes(spec, old=text(x=["1"], z=["1"], y=["a"]), new=text(z=["1", "2"], y=["a", "b"], more=["1", "2"]))
    assert [(change.column, change.kind, change.batch, change.rows, change.update is None) for change in found] == [
        ("x", "missing", "new", 2, True),
        ("more", "new", "new", 2, False),
    ]


def test_a_value_may_occur_once_in_each_batch() -> None:
    spec = small_spec({"x": {"type": "integer", "unique": True}, "z": "number"})
    one = text(x=["1", "2"], z=["1", "1"], y=["a", "b"])
    assert changes(spec, b1=one, b2=one) == []


def test_a_type_of_the_file_that_cannot_be_the_committed_one() -> None:
    spec = small_spec({"d": {"type": "date", "role": "time"}, "x": "number"})
    rows = pl.DataFrame({"d": [True, False], "x": [1.0, 2.0], "y": ["a", "b"]})
    change = only(spec, rows)
    assert (change.column, change.was, change.now, change.first_row, change.rows) == ("d", "date", "boolean", 1, 2)


def test_few_rows_of_every_batch_are_strays() -> None:
    spec = small_spec({"x": {"type": "integer", "max": 9}, "z": "number"})
    large = text(x=["1"] * 99 + ["10"], z=["1"] * 100, y=["a", "b"] * 50)
    small = text(x=["10", "1"], z=["1", "1"], y=["a", "b"])
    assert only(spec, large).is_stray(0.01)
    assert not only(spec, large).is_stray(0.009)
    (both,) = changes(spec, large=large, small=small)
    assert (both.share, both.rows, both.batch, both.first_row) == (0.5, 2, "large", 100)


# ---- accepting -----------------------------------------------------------------------------------------------------


def test_what_is_accepted_differs_no_more() -> None:
    columns = {
        "x": {"type": "integer", "min": 0, "max": 9, "nullable": False},
        "c": {"type": "string", "values": ["a"]},
        "gone": "number",
        "y": {"type": "string"},
    }
    spec = small_spec(columns, TARGET)
    rows = text(x=["1", "12", None, "old"], c=["a", "b", None, "c"], y=["no", "yes"] * 2, fresh=["1.5"] * 4)
    found = changes(spec, b1=rows)
    after = accepted(spec.columns, found)
    assert list(after) == ["x", "c", "y", "fresh"]
    assert after["x"] == Column(type="string")
    assert after["c"].values == ["a", "b", "c"]
    assert changes(spec.model_copy(update={"columns": after}), b1=rows) == []


# ---- against sorting -----------------------------------------------------------------------------------------------

RULES: dict[str, Any] = {
    "n": {"type": "integer", "min": 0, "max": 100, "nullable": False},
    "s": {"type": "string", "pattern": "[a-z]{1,3}"},
    "c": {"type": "string", "values": ["red", "blue"]},
    "d": "date",
    "u": {"type": "integer", "unique": True},
    "y": {"type": "string"},
}
CELLS: dict[str, list[str | None]] = {
    "n": ["7", "101", "-1", "seven", "1.0", None],
    "s": ["abc", "A", "a\x07", None],
    "c": ["red", "green", None],
    "d": ["2013-02-28", "2013-02-30", "28.02.2013", None],
    "u": ["1", "2", "3", None],
    "y": ["yes", "no", "maybe", None],
}
SPEC = small_spec(RULES, TARGET, validation={"rules": {"u_below_n": "u <= n"}})
tables = st.lists(st.tuples(*(st.sampled_from(cells) for cells in CELLS.values())), min_size=1, max_size=12)


@settings(max_examples=60)
@given(tables)
def test_rows_differ_exactly_where_sorting_quarantines_some(table: list[tuple[str | None, ...]]) -> None:
    cells = {name: [line[at] for line in table] for at, name in enumerate(CELLS)}
    broken = sort_rows(raw_rows(cells), SPEC).quarantined
    found = changes(SPEC, b1=raw_rows(cells).drop("_batch"))
    assert {change.column for change in found} == set(broken["column"])
    first_rows = {
        column: min(row for at, row in broken.select("column", "_row").rows() if at == column)
        for column in set(broken["column"])
    }
    for column, row in first_rows.items():
        assert min(change.first_row or 0 for change in found if change.column == column) == row
