"""Splits that know of each other: copies, groups, times and dates, told from what is natural."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.leakage.content import dealt_by, shared_content
from training_assets.core.leakage.dates import dated_after
from training_assets.core.leakage.groups import label_between_groups, parted_groups
from training_assets.core.leakage.suite import leaks_of, split_findings
from training_assets.core.leakage.time_order import disorder
from training_assets_tests.core.small_spec import small_spec

CUTS = {"validation_from": "2024-03-01", "test_from": "2024-04-01"}


def parts(rows: pl.DataFrame, seed: int = 0) -> dict[str, pl.DataFrame]:
    which = np.random.default_rng(seed).choice(["train", "validation", "test"], rows.height, p=[0.7, 0.15, 0.15])
    return {name: rows.filter(pl.Series(which == name)) for name in ("train", "validation", "test")}


def mixed(n: int, seed: int, levels: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "a": rng.integers(0, levels, n),
            "b": rng.integers(0, levels, n),
            "c": rng.choice(list("xyz"), n),
            "_target": rng.choice(["no", "yes"], n),
        }
    )


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([2, 4, 10, 40]), st.integers(200, 3000))
def test_natural_duplicates_are_not_taken_for_copies(seed: int, levels: int, n: int) -> None:
    assert shared_content(parts(mixed(n, seed, levels), seed), ["a", "b", "c"], ["id"]) == []


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(500, 3000), st.floats(0.1, 1))
def test_copies_of_rows_are_found(seed: int, n: int, share: float) -> None:
    rows = mixed(n, seed, 2000)
    (leak,) = shared_content(
        parts(pl.concat([rows, rows.sample(fraction=share, seed=1)]), seed), ["a", "b", "c"], ["id"]
    )
    assert (leak.kind, leak.columns, leak.strong) == ("rows in two splits", ("id",), True)


def test_a_copy_with_another_label_is_another_row() -> None:
    rows = mixed(1000, 0, 5000)
    other = rows.with_columns(
        pl.when(pl.col("_target") == "no").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("_target")
    )
    assert (
        shared_content({"train": rows, "validation": other.head(300), "test": other.tail(300)}, ["a", "b", "c"], ["id"])
        == []
    )


@pytest.mark.parametrize(
    ("roles", "split", "by"),
    [
        ({"id": "key"}, {}, ["id"]),
        ({"id": "key", "t": "time"}, {"method": "time", **CUTS}, ["t"]),
        ({"id": "group", "t": "time"}, {"method": "group"}, ["id"]),
        ({"id": "split"}, {"method": "column"}, ["id"]),
        ({"t": "time"}, {}, ["t"]),
        ({}, {}, []),
    ],
)
def test_equal_rows_may_differ_in_what_the_split_goes_by(roles: Any, split: Any, by: list[str]) -> None:
    columns = {"x": "number", "id": {"type": "string", "role": "ignored"}, "t": {"type": "date", "role": "ignored"}}
    for name, role in roles.items():
        columns[name] = {**columns[name], "role": role}  # type: ignore[dict-item]
    assert dealt_by(small_spec(columns, split=split)) == by


def grouped(name: str, role: str, effect: float) -> Any:
    rng = np.random.default_rng(0)
    who = rng.integers(0, 50, 2000)
    y = rng.normal(size=2000) + effect * rng.normal(size=50)[who]
    which = rng.choice(["train", "validation", "test"], 2000, p=[0.7, 0.15, 0.15])
    rows = pl.DataFrame({name: who, "_split": which, "_target": y})
    spec = small_spec(
        {"x": "number", name: {"type": "integer", "role": role}, "y": "number"}, {"column": "y", "task": "regression"}
    )
    return parted_groups(rows, spec)


@pytest.mark.parametrize(
    ("name", "role", "effect", "strong"),
    [
        ("patient_id", "ignored", 2.0, True),
        ("patient_id", "feature", 2.0, True),
        ("batch", "group", 2.0, True),
        ("patient_id", "ignored", 0.3, False),
        ("machine_id", "feature", 2.0, False),
        ("patient_id", "ignored", 0.0, None),
        ("grade", "feature", 2.0, None),
    ],
)
def test_groups_count_where_they_are_somebody_and_the_label_depends_on_them(
    name: str, role: str, effect: float, strong: bool | None
) -> None:
    assert [leak.strong for leak in grouped(name, role, effect)] == ([] if strong is None else [strong])


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(2, 300), st.integers(50, 2000))
def test_groups_at_random_explain_nothing(seed: int, groups: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    who = pl.Series(rng.integers(0, groups, n))
    assert label_between_groups(who, pl.Series(rng.normal(size=n)), "regression") < 0.25
    assert label_between_groups(who, pl.Series(rng.choice(["a", "b"], n)), "binary") < 0.25


def timed(method: str, times: dict[str, list[int]]) -> Any:
    roles: Any = {"x": "number", "t": {"type": "date", "role": "time"}}
    split: Any = {"method": method, **(CUTS if method == "time" else {})}
    if method == "column":
        roles["part"] = {"type": "string", "role": "split"}
    rows = pl.DataFrame(
        [(date(2024, 1, 1) + timedelta(days=day), name) for name, days in times.items() for day in days],
        schema=["t", "_split"],
        orient="row",
    )
    return disorder(rows, small_spec(roles, split=split))


ORDERED = {"train": list(range(70)), "validation": list(range(70, 85)), "test": list(range(85, 100))}


def test_time_order_is_kept_or_not() -> None:
    assert timed("time", ORDERED) == []
    assert timed("column", ORDERED) == []
    late = {**ORDERED, "train": [*range(69), 90]}
    assert [leak.strong for leak in timed("time", late)] == [True]
    assert [leak.strong for leak in timed("column", late)] == [True]
    backwards = {"train": list(range(30, 100)), "validation": list(range(15, 30)), "test": list(range(15))}
    assert [leak.strong for leak in timed("column", backwards)] == [True]
    assert timed("stratified", backwards) == []


def test_a_users_split_that_mixes_times_evenly_is_not_blocked() -> None:
    even = {"train": list(range(0, 99, 3)), "validation": list(range(1, 99, 3)), "test": list(range(2, 99, 3))}
    assert [leak.strong for leak in timed("column", even)] == [False]


DATED: Any = {
    "x": "number",
    "t": {"type": "datetime", "role": "time"},
    "due": {"type": "date", "role": "ignored"},
    "unread": {"type": "date", "role": "ignored"},
}


@pytest.mark.parametrize(("late", "strong"), [(0, None), (1, False), (50, True)])
def test_dates_later_than_the_row_are_found_where_features_read_them(late: int, strong: bool | None) -> None:
    spec = small_spec(DATED, features={"derived": {"due_day": "EXTRACT(day FROM due)"}})
    t = [pl.datetime(2024, 5, 5, 12)] * 1000
    days = [date(2024, 5, 6)] * late + [date(2024, 5, 5)] * (1000 - late)
    rows = pl.DataFrame({"due": days, "unread": [date(2030, 1, 1)] * 1000}).with_columns(t[0].alias("t"))
    found = dated_after(rows, spec)
    assert [leak.strong for leak in found] == ([] if strong is None else [strong])
    assert all(leak.columns == ("due",) for leak in found)


def test_raw_rows_are_read_only_where_something_needs_them() -> None:
    def unread() -> pl.DataFrame:
        message = "nothing needs the raw rows"
        raise AssertionError(message)

    rows = mixed(400, 0, 50).with_columns(pl.lit("b").alias("_batch"), pl.int_range(pl.len()).alias("_row"))
    spec = small_spec({"a": "integer", "b": "integer", "c": "string"})
    leaks = leaks_of(parts(rows), {"a": "numeric", "b": "numeric", "c": "categorical"}, spec, unread, Path())
    assert all(finding.passed for finding in split_findings(leaks, spec))
