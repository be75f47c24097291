"""Parts of the test rows: which rows are in them, and what is measured on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training_assets.core.errors import InputError
from training_assets.core.evaluation.comparison import Scored, Setting
from training_assets.core.evaluation.parts import MOST_PARTS, OTHERS
from training_assets.core.evaluation.slices import Champion, measure, parts
from training_assets.spec.evaluation import Slice
from training_assets_tests.core.evaluation.made_up import binary

SETTING = Setting(replicates=50, confidence=0.95, seed=0, min_unseen=10)


def by(*columns: str, **settings: Any) -> Slice:
    return Slice(columns=list(columns), **settings)


TRAIN = pl.DataFrame({"n": list(range(100)), "c": ["a", "b"] * 50, "flag": [True, False] * 50})
TEST = pl.DataFrame(
    {
        "n": [-5, 24, 50, 99, None, 1000],
        "c": ["a", "a", "b", "z", None, "b"],
        "flag": [True, None, True, True, False, True],
    }
)


def texts(slices: dict[str, Slice], test: pl.DataFrame = TEST) -> dict[str, list[int]]:
    return {part.text: part.rows.tolist() for part in parts(slices, TRAIN, test)}


def test_levels_are_parts_and_so_are_missing_and_new_ones() -> None:
    assert texts({"s": by("c")}) == {"c=a": [0, 1], "c=b": [2, 5], "c missing": [4], "c=z": [3]}


def test_numbers_are_cut_where_training_rows_are() -> None:
    found = texts({"s": by("n", bins=4)})
    assert found == {
        "n <= 24.75": [0, 1],
        "n > 74.25": [3, 5],
        "49.5 < n <= 74.25": [2],
        "n missing": [4],
    }


def test_columns_are_crossed() -> None:
    found = texts({"s": by("c", "flag")})
    assert found["c=b, flag=true"] == [2, 5]
    assert found["c=a, flag missing"] == [1]


def test_a_predicate_holds_where_it_is_true_and_not_where_it_is_unknown() -> None:
    assert texts({"s": Slice(where="n > 40")}) == {"n > 40": [2, 3, 5]}


@pytest.mark.parametrize(
    ("asked", "said"),
    [(by("nope"), "no feature"), (Slice(where="n + 1"), "true or false"), (Slice(where="nope > 1"), "unknown column")],
)
def test_what_cannot_be_a_slice_is_refused(asked: Slice, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parts({"s": asked}, TRAIN, TEST)


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-50, 150)), st.sampled_from(["a", "b", "c", None]))))
def test_every_row_is_in_exactly_one_part(rows: list[tuple[int | None, str | None]]) -> None:
    test = pl.DataFrame(rows, schema={"n": pl.Int64, "c": pl.String}, orient="row")
    found = parts({"s": by("n", "c")}, TRAIN, test)
    assert sorted(np.concatenate([part.rows for part in found]).tolist()) == list(range(test.height))
    assert [part.rows.size for part in found] == sorted((part.rows.size for part in found), reverse=True)


def test_of_many_levels_the_rare_ones_become_one_part() -> None:
    test = pl.DataFrame({"c": [f"level {place}" for place in range(1000)] + ["level 7"] * 5})
    found = parts({"s": by("c")}, test, test)
    assert len(found) == MOST_PARTS
    assert found[0].text == "c=level 7"
    others = 1000 - (MOST_PARTS - 1)
    assert (found[-1].text, found[-1].rows.size) == (f"{OTHERS} ({others} parts)", others)


def test_each_part_is_measured_as_scikit_learn_measures_it() -> None:
    y, predictions = binary(600)
    frame = pl.DataFrame({"c": np.where(np.arange(600) % 3 == 0, "few", "many")})
    found = parts({"s": by("c")}, frame, frame)
    champion = Champion(Scored(predictions[::-1].copy(), None), np.arange(600) < 300)
    lines = measure("binary", y, Scored(predictions, None), found, champion, classes=["a", "b"], setting=SETTING)
    assert [line["rows"] for line in lines] == [400, 200]
    for line, part in zip(lines, found, strict=True):
        expected = roc_auc_score(y[part.rows], predictions[part.rows])
        assert line["metrics"]["roc_auc"]["value"] == pytest.approx(expected)
        assert line["champion"]["rows"] == int((part.rows < 300).sum())
        assert line["champion"]["metrics"]["roc_auc"]["difference"] > 0


def test_a_slice_without_rows_is_there_and_not_judged() -> None:
    y, predictions = binary(100)
    frame = pl.DataFrame({"n": np.arange(100)})
    (line,) = measure(
        "binary", y, Scored(predictions, None), parts({"s": Slice(where="n > 1000")}, frame, frame), None,
        classes=["a", "b"], setting=SETTING,
    )  # fmt: skip
    assert (line["rows"], line["judged"], line["metrics"]) == (0, False, {})
    assert "no test row" in line["reason"]


def test_a_part_of_too_few_groups_or_rows_is_counted_and_not_judged() -> None:
    """One group's lead over the champion has no spread, and would be certain."""
    y, predictions = binary(600)
    frame = pl.DataFrame({"c": np.repeat(["many", "three"], 300)})
    found = parts({"s": by("c"), "few": Slice(where="c = 'many'", min_rows=1)}, frame, frame)
    groups = np.r_[np.arange(300) // 10, np.arange(300) % 3]
    champion = Champion(Scored(predictions[::-1].copy(), None), np.ones(600, dtype=bool))
    found[-1] = replace(found[-1], rows=found[-1].rows[:9])
    many, three, nine = measure(
        "binary", y, Scored(predictions, None), found, champion, classes=["a", "b"], setting=SETTING, groups=groups
    )
    assert (many["judged"], many["champion"]["metrics"]["roc_auc"]["standard_error"] > 0) == (True, True)
    assert (three["rows"], three["judged"], three["metrics"], three["champion"]) == (300, False, {}, None)
    assert three["reason"] == "too few groups for an interval: 3, and 10 are needed"
    assert (nine["rows"], nine["judged"], "too few" in nine["reason"]) == (9, False, True)
