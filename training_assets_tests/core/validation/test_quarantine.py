"""Every row is kept, quarantined with its reasons, or unlabelled; never two of these, never none."""

from __future__ import annotations

import json
import math
import re
import time
import unicodedata
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.validation.quarantine import BatchFacts, Sorted, escaped, sort_rows
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import raw_rows, small_spec


def lines(rows: Sorted) -> list[tuple[Any, ...]]:
    return rows.quarantined.select("_row", "column", "rule", "value").rows()


def test_a_broken_row_is_quarantined_with_every_rule_that_it_breaks() -> None:
    spec = small_spec(
        {"n": {"type": "integer", "max": 9}, "s": {"type": "string", "pattern": "[a-z]+", "nullable": False}}
    )
    raw = raw_rows({"n": ["1", "x", "10", "2"], "s": ["a", "A", "b", None], "y": ["p", "q", "p", "q"]})
    rows = sort_rows(raw, spec)
    assert lines(rows) == [
        (2, "n", "type", "x"),
        (2, "s", "pattern", "A"),
        (3, "n", "range", "10"),
        (4, "s", "null", None),
    ]
    assert rows.counts == {"read": 4, "kept": 1, "quarantined": 3, "unlabelled": 0}
    assert rows.rows.columns == ["n", "s", "y", "_batch", "_row", "_key"]
    assert rows.rows.row(0)[:5] == (1, "a", "p", "b1", 1)


def test_a_cell_that_cannot_be_read_is_not_missing_as_well() -> None:
    spec = small_spec({"n": {"type": "integer", "nullable": False}})
    assert lines(sort_rows(raw_rows({"n": ["x", None], "y": ["a", "a"]}), spec)) == [
        (1, "n", "type", "x"),
        (2, "n", "null", None),
    ]


def test_columns_without_a_break_leave_an_empty_typed_quarantine() -> None:
    rows = sort_rows(raw_rows({"n": ["1"], "y": ["a"]}), small_spec({"n": "integer"}))
    assert rows.quarantined.is_empty()
    assert dict(rows.quarantined.schema) == {
        "_batch": pl.String,
        "_row": pl.Int64,
        "column": pl.String,
        "rule": pl.String,
        "value": pl.String,
    }


def test_no_rows_are_sorted_into_no_rows() -> None:
    rows = sort_rows(raw_rows({"n": [], "y": []}), small_spec({"n": "integer"}))
    assert rows.counts == {"read": 0, "kept": 0, "quarantined": 0, "unlabelled": 0}
    assert rows.rows.columns == ["n", "y", "_batch", "_row", "_key"]


@pytest.mark.parametrize(("missing", "counts"), [("quarantine", (2, 0)), ("drop", (0, 2))])
def test_a_row_without_a_label_is_broken_or_left_out_as_the_spec_says(missing: str, counts: tuple[int, int]) -> None:
    spec = small_spec({"n": "integer", "y": "string"}, {"column": "y", "task": "binary", "missing": missing})
    rows = sort_rows(raw_rows({"n": ["1", "2", "3"], "y": ["a", None, None]}), spec)
    assert (rows.counts["quarantined"], rows.counts["unlabelled"]) == counts
    assert [line[1:3] for line in lines(rows)] == [("y", "label")] * counts[0]


def test_a_broken_row_without_a_label_is_broken() -> None:
    spec = small_spec({"n": "integer", "y": "string"}, {"column": "y", "task": "binary", "missing": "drop"})
    rows = sort_rows(raw_rows({"n": ["x", "2"], "y": [None, None]}), spec)
    assert rows.counts == {"read": 2, "kept": 0, "quarantined": 1, "unlabelled": 1}


def test_another_class_than_those_declared_is_broken() -> None:
    target = {"column": "y", "task": "binary", "classes": ["0", "1"]}
    spec = small_spec({"n": "integer", "y": "number"}, target)
    rows = sort_rows(raw_rows({"n": ["1"] * 4, "y": ["0", "1.0", "2", "x"]}), spec)
    assert lines(rows) == [(3, "y", "label", "2"), (4, "y", "type", "x")]


def test_a_label_by_expression_is_judged_by_its_value() -> None:
    target = {"expression": "CASE WHEN d > 15 THEN 'late' WHEN d >= 0 THEN 'ok' ELSE 'odd' END", "task": "binary"}
    columns = {"d": {"type": "integer", "role": "leaking"}, "n": "integer"}
    raw = raw_rows({"d": ["20", "-1", None, "x"], "n": ["1"] * 4})
    rows = sort_rows(raw, small_spec(columns, {**target, "classes": ["ok", "late"]}))
    assert lines(rows) == [(2, "_target", "label", "odd"), (3, "_target", "label", "odd"), (4, "d", "type", "x")]


def test_a_label_that_a_null_makes_null_is_missing() -> None:
    columns = {"d": {"type": "integer", "role": "leaking"}, "n": "integer"}
    target = {"expression": "d > 15", "task": "binary", "missing": "drop"}
    rows = sort_rows(raw_rows({"d": ["20", None], "n": ["1", "2"]}), small_spec(columns, target))
    assert rows.counts == {"read": 2, "kept": 1, "quarantined": 0, "unlabelled": 1}
    assert "_target" not in rows.rows.columns


def test_uniqueness_holds_within_a_batch() -> None:
    spec = small_spec({"n": {"type": "integer", "unique": True}})
    raw = pl.concat(
        [raw_rows({"n": ["1", "2"], "y": ["a", "b"]}, "b1"), raw_rows({"n": ["1", "1"], "y": ["a", "b"]}, "b2")]
    )
    rows = sort_rows(raw, spec)
    assert rows.quarantined.select("_batch", "_row", "rule").rows() == [("b2", 1, "unique"), ("b2", 2, "unique")]
    assert rows.counts == {"read": 4, "kept": 2, "quarantined": 2, "unlabelled": 0}


def test_parquet_numbers_that_are_none_are_broken() -> None:
    raw = raw_rows({"x": [1.0, math.nan, math.inf, None], "y": ["a", "b", "a", "b"]}, dtype=pl.Null())
    rows = sort_rows(raw, small_spec({"x": "number"}))
    assert lines(rows) == [(2, "x", "nonfinite", "NaN"), (3, "x", "nonfinite", "inf")]


def test_quarantined_values_are_short_and_harmless_to_print() -> None:
    cells = ["\x1b[31m" + "x" * 500, "\u202eabc", "back\\slash\x00", "é\x07"]
    rows = sort_rows(raw_rows({"s": cells, "y": ["a"] * 4}), small_spec({"s": "string"}))
    values = rows.quarantined["value"].to_list()
    assert values[0].startswith("\\x1b[31mxxx")
    assert values[1:] == ["\\u202eabc", "back\\\\slash\\x00", "é\\x07"]
    assert all(len(value) <= 100 and value.isprintable() for value in values)


@pytest.mark.parametrize("unit", ["d", "ms", "us", "ns"])
def test_times_that_no_calendar_writes_are_quarantined_as_numbers(unit: Any) -> None:
    dtype = pl.Date() if unit == "d" else pl.Datetime(unit)
    numbers = [0, None, 2**31 - 1, -(2**31)] if unit == "d" else [0, None, 2**63 - 1, -(2**63) + 1]
    raw = raw_rows({"t": numbers, "y": ["a", "b", "a", "b"]}, dtype=pl.Null()).with_columns(
        pl.col("t").cast(pl.Int32 if unit == "d" else pl.Int64).cast(dtype)
    )
    rows = sort_rows(raw, small_spec({"t": "date" if unit == "d" else "datetime"}))
    far = [(3, "t", str(numbers[2])), (4, "t", str(numbers[3]))]
    found = [(row, column, value) for row, column, _, value in lines(rows)]
    assert found == (far if unit != "ns" else [(3, "t", "2262-04-11 23:47:16.854775807"), (4, "t", found[1][2])])


@given(st.lists(st.text(max_size=300), max_size=20))
def test_escaped_text_always_prints_and_is_never_long(texts: list[str]) -> None:
    shown = escaped(pl.Series("v", texts, dtype=pl.String)).to_list()
    assert all(len(text) <= 100 and text.isprintable() for text in shown)
    for text, given_text in zip(shown, texts, strict=True):
        if given_text.isascii() and given_text.isprintable() and "\\" not in given_text:
            assert text == given_text[:100]


# ---- an oracle in plain Python -------------------------------------------------------------------------------------

RULES: dict[str, dict[str, Any]] = {
    "n": {"type": "integer", "min": 0, "max": 100, "nullable": False},
    "x": {"type": "number", "max": 1000},
    "s": {"type": "string", "pattern": "[a-zé]{1,3}"},
    "c": {"type": "string", "values": ["red", "blü"]},
    "b": {"type": "boolean"},
    "d": {"type": "date"},
    "u": {"type": "integer", "unique": True},
}
CELLS = {
    "n": ["0", "7", "100", "101", "-1", "+5", "", "1.0", "seven", "99999999999999999999", None],
    "x": ["1.5", "1e2", "-3", "1001", "nan", "inf", "1e999", "1e-999", "0.0", " 1", "1,5", None],
    "s": ["abc", "e\u0301", "abcd", "A", "a\x07", "a\u200bb", "", None],
    "c": ["red", "blu\u0308", "green", None],
    "b": ["true", "FALSE", "1", None],
    "d": ["2013-02-28", "2013-02-30", "13-02-28", "9999-01-01", None],
    "u": ["1", "2", "3", "4", "5", None],
    "y": ["yes", "no", "maybe", None],
}
INTEGER, NUMBER = r"[+-]?[0-9]+", r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


def plain_number(cell: str) -> float | None:
    if not re.fullmatch(NUMBER, cell):
        return None
    value = float(cell)
    vanished = value == 0 and re.search("[1-9]", re.split("[eE]", cell)[0])
    return None if math.isinf(value) or vanished else value


def plain_date(cell: str) -> bool:
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell)) and 1678 <= date.fromisoformat(cell).year <= 2261
    except ValueError:
        return False


def obeys(name: str, cell: str | None, column: list[str | None]) -> bool:
    """Whether a cell is sound, decided without Polars, Pandera or the code under test."""
    if cell is None:
        return name not in {"n", "y"}
    composed = unicodedata.normalize("NFC", cell)
    hidden = any(unicodedata.category(mark) in {"Cc", "Cf"} for mark in composed)
    return {
        "n": lambda: bool(re.fullmatch(INTEGER, cell)) and 0 <= int(cell) <= 100,
        "x": lambda: (number := plain_number(cell)) is not None and number <= 1000,
        "s": lambda: not hidden and bool(re.fullmatch("[a-zé]{1,3}", composed)),
        "c": lambda: composed in {"red", "blü"},
        "b": lambda: cell.lower() in {"true", "false"},
        "d": lambda: plain_date(cell),
        "u": lambda: column.count(cell) == 1,
        "y": lambda: cell in {"yes", "no"},
    }[name]()


def oracle_spec(missing: str) -> ModelSpec:
    target = {"column": "y", "task": "binary", "classes": ["no", "yes"], "missing": missing}
    return small_spec({**RULES, "y": "string"}, target)


SPECS = {missing: oracle_spec(missing) for missing in ("quarantine", "drop")}
tables = st.lists(st.tuples(*(st.sampled_from(cells) for cells in CELLS.values())), max_size=25)


@settings(max_examples=60, deadline=None)
@given(tables, st.sampled_from(["quarantine", "drop"]))
def test_sorting_agrees_with_plain_python(table: list[tuple[str | None, ...]], missing: str) -> None:
    columns = {name: [line[at] for line in table] for at, name in enumerate(CELLS)}
    rows = sort_rows(raw_rows(columns), SPECS[missing])
    counts = rows.counts
    assert counts["kept"] + counts["quarantined"] + counts["unlabelled"] == counts["read"] == len(table)
    broken = {(row, column) for row, column, *_ in lines(rows)}
    labelled = missing == "quarantine"
    expected = {
        (at + 1, name)
        for at, line in enumerate(table)
        for name, cell in zip(CELLS, line, strict=True)
        if not obeys(name, cell, columns[name]) and (name != "y" or cell is not None or labelled)
    }
    assert broken == expected
    bad = {row for row, _ in expected}
    kept = [at + 1 for at, line in enumerate(table) if at + 1 not in bad and line[-1] is not None]
    assert rows.rows["_row"].to_list() == kept
    assert counts["quarantined"] == len(bad)


@settings(max_examples=30, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_verdict(table: list[tuple[str | None, ...]], random: Any) -> None:
    raw = raw_rows({name: [line[at] for line in table] for at, name in enumerate(CELLS)})
    order = list(range(len(table)))
    random.shuffle(order)
    one, other = sort_rows(raw, SPECS["drop"]), sort_rows(raw[order], SPECS["drop"])
    assert one.counts == other.counts
    assert one.rows.sort("_row").equals(other.rows.sort("_row"))
    assert sorted(map(repr, lines(one))) == sorted(map(repr, lines(other)))


# ---- facts ---------------------------------------------------------------------------------------------------------


def test_facts_of_a_batch_survive_json() -> None:
    rows = sort_rows(raw_rows({"n": ["x", "1", "z"], "y": ["a", None, "b"]}), small_spec({"n": "integer"}))
    facts = BatchFacts.of("2013-01.csv", "d" * 64, rows)
    assert facts.rules == {"n: type": 2, "y: label": 1}
    assert (facts.read, facts.kept, facts.quarantined, facts.unlabelled) == (3, 0, 3, 0)
    assert BatchFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_the_share_of_an_empty_batch_is_never_a_pass() -> None:
    assert BatchFacts("a", "d", 0, 0, 0, 0, {}).share_quarantined == 1.0
    assert BatchFacts("a", "d", 200, 199, 1, 0, {}).share_quarantined == 0.005


def test_three_hundred_thousand_rows_are_sorted_in_seconds() -> None:
    n, draw = 300_000, np.random.default_rng(0)
    numbers = {f"x{i}": pl.Series(draw.normal(size=n).round(4)).cast(pl.String) for i in range(14)}
    words = {f"s{i}": "level " + pl.Series(draw.integers(0, 500, n)).cast(pl.String) for i in range(15)}
    raw = raw_rows({**numbers, **words, "y": pl.Series(draw.random(n) < 0.3).cast(pl.String)})
    columns: dict[str, Any] = {name: {"type": "number", "max": 4} for name in numbers}
    spec = small_spec({**columns, **{name: {"type": "string", "pattern": "level [0-9]+"} for name in words}})
    begun = time.perf_counter()
    rows = sort_rows(raw, spec)
    # About 1.2 s on one idle core; the bound only tells a change of order from a busy machine.
    assert time.perf_counter() - begun < 12
    assert rows.counts["read"] == n
    assert 0 < rows.counts["quarantined"] < 1000
