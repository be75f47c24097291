"""Of rows of one key the first, the last, all or none count, by real values, over any batches."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.row_keys import row_keys
from training_assets.core.spec_check import check_spec
from training_assets.core.validation.duplicates import Repeats, counting, key_columns, repeats
from training_assets.core.validation.uniqueness import BatchRepeats, rows_are_unique
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec

Key = tuple[str | None, float | None]


def keyed(keep: str, keys: list[str] | None = None, **limits: Any) -> ModelSpec:
    columns = {"k": {"type": "string", "role": "key"}, "n": {"type": "number", "role": "key"}, "x": "number"}
    return small_spec(columns, validation={"duplicates": {"keep": keep, "keys": keys or []}, **limits})


def rows_of(batches: list[list[Key]]) -> pl.DataFrame:
    """Typed rows as the validated table gives them: batch after batch, row after row; x tells rows apart."""
    lines = [(k, n, f"b{at}", row) for at, batch in enumerate(batches) for row, (k, n) in enumerate(batch, 1)]
    schema = {"k": pl.String, "n": pl.Float64, "_batch": pl.String, "_row": pl.Int64}
    return pl.DataFrame(lines, schema, orient="row").with_columns(x=pl.int_range(pl.len()).cast(pl.Float64), _key=0)


keys = st.tuples(st.one_of(st.none(), st.sampled_from("abc")), st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.0])))
batches = st.lists(st.lists(keys, max_size=8), max_size=4)
SPECS = {keep: keyed(keep) for keep in ("all", "first", "last", "refuse")}


def whole(key: Key) -> bool:
    return None not in key


@given(batches, st.sampled_from(sorted(SPECS)))
def test_what_counts_is_what_plain_python_says(given_batches: list[list[Key]], keep: str) -> None:
    lines = [key for batch in given_batches for key in batch]
    if keep in {"first", "last"}:
        order = range(len(lines)) if keep == "first" else reversed(range(len(lines)))
        seen: set[Key] = set()
        counts = set()
        for at in order:
            if not whole(lines[at]) or lines[at] not in seen:
                counts.add(at)
            seen.add(lines[at])
    else:
        counts = set(range(len(lines)))
    kept = counting(rows_of(given_batches), SPECS[keep])
    assert kept.rows["x"].to_list() == sorted(counts)
    assert kept.left_out.height == len(lines) - len(counts)


@given(batches)
def test_repeats_are_what_plain_python_says(given_batches: list[list[Key]]) -> None:
    first: dict[Key, tuple[str, int]] = {}
    expected = []
    for at, batch in enumerate(given_batches):
        for row, key in enumerate(batch, 1):
            if whole(key) and key in first:
                expected.append((f"b{at}", row, *first[key]))
            first.setdefault(key, (f"b{at}", row))
    found = repeats(rows_of(given_batches), ["k", "n"])
    assert found.count == len(expected)
    assert list(found.pairs) == expected[:20]
    assert Repeats.from_json(json.loads(json.dumps(found.to_json()))) == found


@given(batches)
def test_refuse_blocks_exactly_where_a_key_occurs_twice(given_batches: list[list[Key]]) -> None:
    lines = [key for batch in given_batches for key in batch if whole(key)]
    finding = rows_are_unique(rows_of(given_batches), SPECS["refuse"])
    assert finding.passed == (len(lines) == len(set(lines)))
    assert finding.severity == "block"


def test_keys_are_those_declared_else_those_of_role_key() -> None:
    assert key_columns(keyed("first")) == ["k", "n"]
    assert key_columns(keyed("first", ["x"])) == ["x"]
    assert key_columns(small_spec({"x": "number"})) == []


def test_keys_whose_hash_is_the_same_are_still_two() -> None:
    rows = rows_of([[("a", 1.0), ("b", 1.0)]])
    assert rows["_key"].n_unique() == 1
    assert counting(rows, SPECS["first"]).left_out.is_empty()
    assert rows_are_unique(rows, keyed("all", ["k", "n"], max_duplicates=0)).passed


def test_a_choice_needs_something_that_identifies_a_row() -> None:
    spec = small_spec({"x": "number"}, validation={"duplicates": {"keep": "first"}})
    with pytest.raises(InputError, match="nothing identifies a row") as refused:
        check_spec(spec, Path())
    assert refused.value.code == "E_KEY"


def test_a_key_that_is_made_later_is_refused() -> None:
    spec = small_spec(
        {"x": "number"}, features={"derived": {"twice": "x * 2"}}, validation={"duplicates": {"keys": ["twice"]}}
    )
    with pytest.raises(InputError, match="name columns of the raw rows"):
        check_spec(spec, Path())


# ---- what is said of it --------------------------------------------------------------------------------------------


def test_a_batch_that_repeats_its_own_key_says_which_rows_and_what_to_do() -> None:
    found = repeats(rows_of([[("a", 1.0), ("b", 1.0), ("a", 1.0), ("a", 1.0)]]), ["k", "n"])
    refusal = found.refusal("2026-01.csv")
    assert refusal.code == "E_DUP_KEY"
    assert "2026-01.csv: 2 row(s) repeat the key ('k', 'n')" in refusal.text
    assert "row 3 repeats row 1; row 4 repeats row 1" in refusal.text
    assert "keep to first or last" in refusal.text


def test_two_batches_that_share_a_key_are_both_named() -> None:
    rows = rows_of([[("a", 1.0), ("b", 1.0)], [("c", 1.0), ("b", 1.0)]])
    finding = rows_are_unique(rows, SPECS["refuse"], (), {"b0": "jan.csv", "b1": "feb.csv"}, "churn")
    assert not finding.passed
    assert "row 2 of feb.csv and row 2 of jan.csv" in finding.text
    assert "training-assets retract churn b1 --because" in finding.text
    assert finding.facts["repeated"] == [{"batch": "feb.csv", "row": 2, "repeats_batch": "jan.csv", "repeats_row": 2}]


def test_a_refused_batch_blocks_even_where_no_other_row_repeats() -> None:
    own = repeats(rows_of([[("a", 1.0), ("a", 1.0)]]), ["k"])
    finding = rows_are_unique(rows_of([[("z", 1.0)]]), SPECS["refuse"], [BatchRepeats("bad.csv", "b9", own)])
    assert not finding.passed
    assert "E_DUP_KEY: bad.csv" in finding.text


def test_left_out_rows_are_counted_and_pass() -> None:
    rows = rows_of([[("a", 1.0)] * 4])
    finding = rows_are_unique(rows, keyed("last", max_duplicates=0.1))
    assert (finding.passed, finding.facts["left_out"]) == (True, 3)
    assert "3 of 4 rows are left out of training: the last row of each key counts" in finding.text


def test_all_warns_above_the_limit_by_key_or_by_content() -> None:
    twice = rows_of([[("a", 1.0)] * 2 + [("b", 2.0)] * 2])
    for spec in (keyed("all", ["k", "n"], max_duplicates=0.25), keyed("all", max_duplicates=0.25)):
        finding = rows_are_unique(twice.with_columns(row_keys(twice, spec)), spec)
        assert (finding.passed, finding.severity, finding.facts["duplicates"]) == (False, "warn", 2)
    spec = small_spec({"x": "number"}, validation={"max_duplicates": 0.25})
    assert rows_are_unique(pl.DataFrame({"_key": [1, 1, 2, 3]}), spec).passed
    assert not rows_are_unique(pl.DataFrame({"_key": [1, 1, 1, 3]}), spec).passed
    assert rows_are_unique(pl.DataFrame({"_key": pl.Series([], dtype=pl.Int64)}), spec).passed


# ---- what depends on it --------------------------------------------------------------------------------------------


def test_another_choice_remakes_the_features_and_sorts_nothing_anew() -> None:
    schemas = [spec.schema_part() for spec in SPECS.values()]
    assert all(one == other for one, other in pairwise(schemas))
    features = {keep: json.dumps(spec.feature_part(), sort_keys=True) for keep, spec in SPECS.items()}
    assert features["all"] == features["refuse"]
    assert len(set(features.values())) == 3
