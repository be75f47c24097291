"""Splits: a row once dealt stays where it is, equal rows stay together, and labels are balanced."""

from __future__ import annotations

import math
import time
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.splitting import SPLITS, deal, dealt_groups
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import Split
from training_assets_tests.core.small_spec import raw_rows, small_spec

ORDER = [f"batch {number}" for number in range(6)]
at = datetime.fromisoformat


def split(method: str = "stratified", **sections: Any) -> Split:
    return Split.model_validate({"method": method, **sections})


def dealt(table: pl.DataFrame, how: Split, task: Any = "multiclass", **columns: str) -> pl.Series:
    named = {"group": None, "time": None, "column": None, **columns}
    return deal(table, how, task, batch_order=ORDER, **named)


def keyed(n: int, seed: int = 0, batch: str = ORDER[0], **columns: Any) -> pl.DataFrame:
    """Rows with distinct random keys."""
    keys = np.random.default_rng(seed).integers(-(2**63), 2**63 - 1, n)
    rows = pl.DataFrame({"_key": keys, **columns})
    return rows.with_columns(pl.lit(batch).alias("_batch"), pl.int_range(1, pl.len() + 1).alias("_row"))


def counts(dealt_rows: pl.Series) -> dict[str | None, int]:
    return dict(Counter(dealt_rows.to_list()))


# ---- promises ------------------------------------------------------------------------------------------------------

# Few keys and few labels, so that keys repeat within and across batches, and under several labels.
lines = st.tuples(st.sampled_from(ORDER), st.integers(0, 40), st.sampled_from(["a", "b", "c"]), st.integers(0, 5))
GOLDEN = {
    "stratified": "..t...vt...v.vt.....",
    "salted": "..v....v..tt.t....t.",
    "quantiles": "..t...vt...v.tv..t..",
    "random": "..v.v..t.........t.v",
    "group": "ttt..ttt.tttt..ttt..",
}
METHODS = {
    "stratified": split(),
    "random": split("random"),
    "group": split("group"),
    "time": split("time", validation_from="2013-01-03", test_from="2013-01-05", gap="1d"),
    "time+group": split("time+group", validation_from="2013-01-03", test_from="2013-01-05"),
}


def table_of(rows: list[tuple[str, int, str, int]]) -> pl.DataFrame:
    schema = {"_batch": pl.String, "_key": pl.Int64, "_target": pl.String, "day": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(
        (pl.lit(at("2013-01-01")) + pl.duration(days="day")).alias("t"),
        (pl.col("_key") // 3).alias("g"),
        pl.int_range(1, pl.len() + 1).alias("_row"),
        pl.col("_key").hash().reinterpret(signed=True).alias("_key"),
    )


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(lines, max_size=60), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_is_irrelevant(method: str, rows: list[Any], random: Any) -> None:
    table = table_of(rows)
    order = list(range(table.height))
    random.shuffle(order)
    whole = dealt(table, METHODS[method], group="g", time="t")
    assert (whole.name, whole.dtype, whole.len()) == ("_split", pl.String(), table.height)
    assert dealt(table[order], METHODS[method], group="g", time="t").to_list() == [whole[place] for place in order]


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(lines, max_size=60), batches=st.integers(0, len(ORDER)))
def test_batches_that_come_later_move_no_row(method: str, rows: list[Any], batches: int) -> None:
    table = table_of(rows)
    earlier = table.filter(pl.col("_batch").is_in(ORDER[:batches]))
    before = dealt(earlier, METHODS[method], group="g", time="t").to_list()
    after = dealt(table, METHODS[method], group="g", time="t").filter(table["_batch"].is_in(ORDER[:batches])).to_list()
    if not method.startswith("time"):
        assert after == before
    # By time, a row may be left out once its key or group turns up later; a test row is a test row for ever.
    assert all(
        now == then or (now is None and then in {"train", "validation"})
        for then, now in zip(before, after, strict=True)
    )


def test_groups_are_no_independent_evidence_only_where_they_were_dealt_together() -> None:
    table = pl.DataFrame({"g": ["b", None, "a", "b", None]})
    for method in ("group", "time+group"):
        codes = dealt_groups(table, METHODS[method], "g")
        assert codes is not None
        assert codes.tolist() == [2, 0, 1, 2, 0]
    for method in ("stratified", "time"):
        assert dealt_groups(table, METHODS[method], "g") is None
    assert dealt_groups(table, METHODS["group"], None) is None


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(lines, max_size=60))
def test_no_key_and_no_declared_group_is_in_two_splits(method: str, rows: list[Any]) -> None:
    table = (
        table_of(rows).with_columns(dealt(table_of(rows), METHODS[method], group="g", time="t")).drop_nulls("_split")
    )
    together = "g" if "group" in method else "_key"
    assert table.select(pl.col("_split").n_unique().over(together).max().fill_null(1) <= 1).to_series().all()


@pytest.mark.parametrize("task", ["multiclass", "regression"])
@settings(max_examples=30, deadline=None)
@given(rows=st.lists(lines, max_size=60), batches=st.integers(0, len(ORDER)))
def test_stratified_promises_hold_for_every_task(task: str, rows: list[Any], batches: int) -> None:
    table = table_of(rows).with_columns(pl.col("day").cast(pl.Float64).alias("_target"))
    if task == "multiclass":
        table = table_of(rows)
    whole = dealt(table, split(), task)
    assert set(whole.to_list()) <= set(SPLITS)
    old = table["_batch"].is_in(ORDER[:batches])
    assert whole.filter(old).to_list() == dealt(table.filter(old), split(), task).to_list()


shares = st.sampled_from(
    [(0.7, 0.15, 0.15), (0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.98, 0.01, 0.01), (0.34, 0.33, 0.33)]
)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=4),
    parts=shares,
    salt=st.text(max_size=3),
    seed=st.integers(0, 9),
)
def test_each_class_of_each_batch_is_cut_within_one_row_of_its_quota(
    sizes: list[tuple[int, int]], parts: tuple[float, float, float], salt: str, seed: int
) -> None:
    how = split(train=parts[0], validation=parts[1], test=parts[2], salt=salt)
    # The first batch stays away: its small classes are promised something else.
    tables = [
        keyed(sum(size), seed * 10 + number, ORDER[number + 1], _target=["a"] * size[0] + ["b"] * size[1])
        for number, size in enumerate(sizes)
    ]
    table = pl.concat(tables)
    table = table.with_columns(dealt(table, how))
    for (batch, label), rows in table.group_by("_batch", "_target"):
        got = counts(rows["_split"])
        for name, part in zip(SPLITS, parts, strict=True):
            assert abs(got.get(name, 0) - part * rows.height) < 1 + 1e-9, (batch, label)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4), parts=shares, seed=st.integers(0, 99))
def test_small_classes_of_the_first_batch_are_in_every_split(
    sizes: list[int], parts: tuple[float, float, float], seed: int
) -> None:
    labels = [f"class {number}" for number, size in enumerate(sizes) for _ in range(size)]
    table = keyed(len(labels), seed, _target=labels)
    how = split(train=parts[0], validation=parts[1], test=parts[2])
    for _, rows in table.with_columns(dealt(table, how)).group_by("_target"):
        assert rows["_split"].n_unique() == 3 or rows.height < 3


def test_golden_splits() -> None:
    """These splits decide which rows are test rows of every model ever made; they may never be edited."""
    table = pl.DataFrame(
        {
            "_batch": [ORDER[0]] * 12 + [ORDER[1]] * 8,
            "_row": list(range(1, 21)),
            "_key": [(number * 0x9E3779B97F4A7C15) % 2**64 - 2**63 for number in range(1, 21)],
            "_target": ["a", "b"] * 10,
            "g": ["x", "y", "z", "w", None] * 4,
            "value": [float(number) for number in range(20)],
        }
    )
    letters = {
        "stratified": dealt(table, split()),
        "salted": dealt(table, split(salt="other")),
        "quantiles": dealt(table.with_columns(pl.col("value").alias("_target")), split(), "regression"),
        "random": dealt(table, split("random")),
        "group": dealt(table, split("group"), group="g"),
    }
    assert {
        name: "".join(word[0] if word != "train" else "." for word in said) for name, said in letters.items()
    } == GOLDEN


@given(
    lines=st.lists(lines, min_size=1, max_size=60),
    seed=st.integers(0, 9),
    task=st.sampled_from(["multiclass", "regression"]),
)
@settings(max_examples=60)
def test_rows_that_newer_ones_of_their_key_count_for_move_no_key(lines: list[Any], seed: int, task: Any) -> None:
    """As with `keep: last`: whatever is sent again later, each key stays where its first batch put it."""
    table = pl.DataFrame(lines, schema=["_batch", "_key", "_target", "value"], orient="row")
    target = pl.col("_target").replace_strict({"a": 0.0, "b": 1.0, "c": 2.0}) if task == "regression" else "_target"
    table = table.with_columns(target).sort(pl.col("_batch"), maintain_order=True)
    old, new = table.filter(pl.col("_batch") <= ORDER[2]), table
    found = []
    for rows in (old, new):
        counts = rows["_key"].is_last_distinct()
        kept = rows.filter(counts)
        named = {"group": None, "time": None, "column": None, "batch_order": ORDER}
        parts = deal(kept, split(salt=str(seed)), task, left_out=rows.filter(~counts), **named)
        found.append(dict(zip(kept["_key"], parts, strict=True)))
    before, after = found
    assert {key: after[key] for key in before} == before


# ---- shares --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["stratified", "random", "group"])
def test_shares_are_the_declared_ones(method: str) -> None:
    table = keyed(50_000, _target=["a", "b"] * 25_000, g=list(range(50_000)))
    got = counts(dealt(table, split(method, train=0.6, validation=0.3, test=0.1), group="g"))
    for name, part in {"train": 0.6, "validation": 0.3, "test": 0.1}.items():
        assert abs(got[name] / 50_000 - part) < 5 * math.sqrt(part * (1 - part) / 50_000)


def test_over_very_many_small_batches_the_shares_come_out_right() -> None:
    order = [f"day {number}" for number in range(3000)]
    table = pl.concat([keyed(2, number, batch, _target=["a", "b"]) for number, batch in enumerate(order)])
    got = counts(deal(table, split(), "binary", group=None, time=None, column=None, batch_order=order))
    for name, part in {"train": 0.7, "validation": 0.15, "test": 0.15}.items():
        assert abs(got[name] / 6000 - part) < 5 * math.sqrt(part * (1 - part) / 6000)


def test_a_key_with_many_rows_moves_a_cut_by_no_more_than_its_rows() -> None:
    table = keyed(1000, 1, ORDER[1], _target=["a"] * 1000).with_columns(
        pl.when(pl.int_range(pl.len()) < 100).then(7).otherwise("_key").alias("_key")
    )
    got = counts(dealt(table, split()))
    assert all(abs(got[name] - part * 1000) <= 101 for name, part in zip(SPLITS, (0.7, 0.15, 0.15), strict=True))


def test_quantiles_balance_a_regression() -> None:
    table = keyed(4000, _target=np.random.default_rng(0).lognormal(size=4000))
    table = table.with_columns(dealt(table, split(), "regression"))
    tenth = table["_target"].rank("ordinal") * 10 // 4001
    for name in SPLITS:
        by_tenth = counts(tenth.filter(table["_split"] == name))
        assert max(by_tenth.values()) - min(by_tenth.values()) <= 1


def test_a_salt_deals_anew() -> None:
    table = keyed(5000, _target=["a", "b"] * 2500)
    one, other = dealt(table, split()), dealt(table, split(salt="1"))
    expected = 0.7**2 + 0.15**2 + 0.15**2
    assert abs(int((one == other).sum()) / 5000 - expected) < 0.04


def test_a_missing_batch_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="not in batch_order"):
        dealt(keyed(3, batch="unknown", _target=["a"] * 3), split())


def test_no_rows_are_dealt_into_nothing() -> None:
    empty = table_of([])
    assert all(dealt(empty, how, group="g", time="t").is_empty() for how in METHODS.values())


# ---- group, time, column -------------------------------------------------------------------------------------------


def test_rows_without_a_group_do_not_stick_together() -> None:
    table = keyed(3000, _target=["a"] * 3000, g=pl.Series([None] * 3000, dtype=pl.String))
    got = counts(dealt(table, split("group"), group="g"))
    assert abs(got["train"] / 3000 - 0.7) < 0.05


@pytest.mark.parametrize("groups", [["a", "b", "c"], [1, 2, 3], [True, False, None]])
def test_groups_of_any_type_stay_whole(groups: list[Any]) -> None:
    table = keyed(300, _target=["a"] * 300, g=groups * 100)
    table = table.with_columns(dealt(table, split("group"), group="g")).drop_nulls("g")
    assert table.group_by("g").agg(pl.col("_split").n_unique())["_split"].max() == 1


def timed(days: list[str], **columns: Any) -> pl.DataFrame:
    return keyed(
        len(days), _target=["a"] * len(days), t=pl.Series([at(day) for day in days], dtype=pl.Datetime("us")), **columns
    )


def test_cuts_belong_to_the_later_split_and_gaps_to_none() -> None:
    table = timed(["2013-01-01", "2013-01-07 23:59:59", "2013-01-08", "2013-01-10", "2013-01-18", "2013-01-20"])
    how = split("time", validation_from="2013-01-10", test_from="2013-01-20", gap="2d")
    assert dealt(table, how, time="t").to_list() == ["train", "train", None, "validation", None, "test"]


@pytest.mark.parametrize(("gap", "left_out"), [("90s", 1), ("2m", 2), ("1h", 3), ("1w", 4), (None, 0)])
def test_gaps_know_their_units(gap: str | None, left_out: int) -> None:
    table = timed(["2013-01-09 23:58:31", "2013-01-09 23:58:00", "2013-01-09 23:00", "2013-01-03", "2013-01-01"])
    how = split("time", validation_from="2013-01-10", test_from="2013-02-20", gap=gap)
    assert dealt(table, how, time="t").null_count() == left_out


def test_a_cut_with_an_offset_is_the_same_moment() -> None:
    table = timed(["2013-01-09 22:30", "2013-01-09 23:30"])
    berlin = datetime(2013, 1, 10, tzinfo=timezone(timedelta(hours=1)))
    how = split("time", validation_from=berlin, test_from=datetime(2013, 2, 1, tzinfo=UTC))
    assert dealt(table, how, time="t").to_list() == ["train", "validation"]


def test_dates_are_times_at_midnight() -> None:
    table = timed(["2013-01-09", "2013-01-10"]).with_columns(pl.col("t").cast(pl.Date))
    how = split("time", validation_from="2013-01-10", test_from="2013-01-20")
    assert dealt(table, how, time="t").to_list() == ["train", "validation"]


def test_a_row_without_a_time_is_told_of_not_lost() -> None:
    table = timed(["2013-01-09", "2013-01-10"]).with_columns(pl.lit(None, dtype=pl.Date).alias("t"))
    how = split("time", validation_from="2013-01-10", test_from="2013-01-20")
    with pytest.raises(InputError, match=r"E_SPLIT: column 't' has no time in 2 of 2 rows.*nullable: false"):
        dealt(table, how, time="t")


def test_a_group_that_comes_again_leaves_the_earlier_split() -> None:
    days = ["2013-01-01", "2013-01-01", "2013-01-11", "2013-01-11", "2013-01-21", "2013-01-01"]
    table = timed(days, g=["old", "back", "back", "last", "last", None])
    how = split("time+group", validation_from="2013-01-10", test_from="2013-01-20")
    assert dealt(table, how, time="t", group="g").to_list() == ["train", None, "validation", None, "test", "train"]


def test_rows_in_a_gap_evict_nobody() -> None:
    table = timed(["2013-01-01", "2013-01-09"], g=["a", "a"])
    how = split("time+group", validation_from="2013-01-10", test_from="2013-01-20", gap="3d")
    assert dealt(table, how, time="t", group="g").to_list() == ["train", None]


def test_the_users_own_words_are_taken() -> None:
    table = keyed(7, own=["train", "Training", " valid", "VAL", "validation", "test", "TEST "])
    said = dealt(table, split("column"), column="own").to_list()
    assert said == ["train", "train", "validation", "validation", "validation", "test", "test"]


@pytest.mark.parametrize(("word", "shown"), [("holdout", "'holdout'"), (None, "nothing"), ("\x1b", r"'\\x1b'")])
def test_other_words_are_refused_with_a_sample(word: str | None, shown: str) -> None:
    with pytest.raises(InputError, match=rf"E_SPLIT: column 'own' .* 1 of 2 rows .* e\.g\. {shown}"):
        dealt(keyed(2, own=["train", word]), split("column"), column="own")


# ---- real rows -----------------------------------------------------------------------------------------------------


def test_iris_has_every_class_in_every_split(shared_data: Path) -> None:
    cells = pl.read_csv(shared_data / "various/iris/iris.csv", has_header=False, infer_schema=False)
    spec = small_spec(
        {**{f"column_{number}": "number" for number in range(4)}, "column_4": "string"},
        {"column": "column_4", "task": "multiclass"},
    )
    rows = sort_rows(raw_rows(cells.to_dict()), spec).rows.with_columns(pl.col("column_4").alias("_target"))
    rows = rows.with_columns(deal(rows, split(), "multiclass", group=None, time=None, column=None, batch_order=["b1"]))
    table = rows.group_by("_target", "_split").len().sort("_target", "_split")
    assert table.height == 9
    by_split = table.group_by("_split").agg(pl.col("len").min().alias("least"), pl.col("len").max().alias("most"))
    for name, least, most in by_split.iter_rows():
        assert (least >= 34 and most <= 36) if name == "train" else (least >= 6 and most <= 9)


def test_subjects_of_a_real_study_stay_in_one_split(shared_data: Path) -> None:
    cells = pl.read_csv(
        shared_data / "various/parkinsons_telemonitoring/parkinsons_updrs.data", separator="\t", infer_schema=False
    )
    columns: dict[str, Any] = dict.fromkeys(cells.columns, "number")
    columns["subject#"] = {"type": "string", "role": "group"}
    spec = small_spec(columns, {"column": "total_UPDRS", "task": "regression"})
    rows = sort_rows(raw_rows(cells.to_dict()), spec).rows.with_columns(pl.col("total_UPDRS").alias("_target"))
    dealt_rows = deal(rows, split("group"), "regression", group="subject#", time=None, column=None, batch_order=["b1"])
    by_subject = rows.with_columns(dealt_rows).group_by("subject#").agg(pl.col("_split").n_unique())
    assert by_subject.height == 42
    assert by_subject["_split"].max() == 1
    assert set(dealt_rows.to_list()) == set(SPLITS)


def test_a_million_rows_are_dealt_in_seconds() -> None:
    draw = np.random.default_rng(0)
    labels = pl.Series(draw.integers(0, 3, 1_000_000)).cast(pl.String)
    batches = pl.Series("_batch", np.array(ORDER)[draw.integers(0, 6, 1_000_000)])
    table = keyed(1_000_000, _target=labels).with_columns(batches)
    begun = time.perf_counter()
    got = counts(dealt(table, split()))
    assert abs(got["test"] - 150_000) <= 18
    assert time.perf_counter() - begun < 15  # about 1.3 s on one idle core
