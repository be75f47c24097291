from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import cast

import lightgbm
import pytest

from training_assets.core.families import FAMILIES
from training_assets.core.families.lightgbm_model import LightGBMModel
from training_assets.core.families.lightgbm_text import sound
from training_assets_tests.core.families.fits import fitted

COLUMNS = 9


@cache
def model() -> LightGBMModel:
    return cast("LightGBMModel", fitted("lightgbm", "binary", max_iterations=5, min_data_per_group=5))


def changed(field: str, number: int, value: str) -> str:
    """The text with one number of one field replaced, in the first tree that has it."""

    def put(match: re.Match[str]) -> str:
        numbers = match[1].split()
        numbers[number] = value
        return f"\n{field}={' '.join(numbers)}\n"

    text, count = re.subn(rf"\n{field}=(.*)\n", put, model().text, count=1)
    assert count == 1
    return text


def test_the_text_of_a_model_is_sound_as_it_is() -> None:
    assert sound(model().text, COLUMNS, 1) == model().text


def test_neither_parameters_nor_offsets_are_kept() -> None:
    booster = lightgbm.Booster(model_str=model().text)
    theirs = booster.model_to_string()
    assert "tree_sizes" in theirs
    assert sound(theirs, COLUMNS, 1) == model().text
    assert "parameters" not in model().text


def test_a_category_is_split_natively() -> None:
    assert "cat_boundaries" in model().text  # else the texts below would show nothing about categories


@pytest.mark.parametrize(
    ("field", "number", "value"),
    [
        ("split_feature", 0, "9"),
        ("split_feature", 0, "-1"),
        ("split_feature", 0, "99999999999"),
        ("split_feature", 0, "99999999999999999999999"),
        ("left_child", 0, "0"),  # a tree that never ends
        ("left_child", 0, "500"),
        ("right_child", 0, "-500"),
        ("right_child", 0, "1_0"),  # 10 to Python, 1 to others
        ("decision_type", 0, "128"),
        ("num_leaves", 0, "2000000000"),
        ("num_leaves", 0, "-1"),
        ("num_leaves", 0, "1"),
        ("num_cat", 0, "0"),
        ("num_cat", 0, "1000000"),
        ("cat_boundaries", 0, "1"),
        ("cat_boundaries", -1, "1000"),
        ("cat_threshold", 0, "-1"),
        ("leaf_value", 0, "x"),
        ("leaf_value", 0, ""),
        ("is_linear", 0, "1"),
        ("max_feature_idx", 0, "1000"),
        ("num_class", 0, "100"),
        ("num_tree_per_iteration", 0, "3"),
    ],
)
def test_a_text_that_would_crash_the_process_is_refused(field: str, number: int, value: str, tmp_path: Path) -> None:
    model().save(tmp_path)
    (tmp_path / "model.txt").write_text(changed(field, number, value))
    with pytest.raises(ValueError, match="not the trees of a model"):
        FAMILIES["lightgbm"].load(tmp_path)


def test_categories_are_within_their_words() -> None:
    which = re.search(r"\ndecision_type=(.*)\n", model().text)
    assert which is not None
    place = [int(kind) & 1 for kind in which[1].split()].index(1)
    with pytest.raises(ValueError, match="not the trees of a model"):
        sound(changed("threshold", place, "1000"), COLUMNS, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tree\n",
        "no tree",
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=8\n\nend of trees\n",
    ],
)
def test_what_has_no_trees_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the trees of a model"):
        sound(text, COLUMNS, 1)


def test_a_key_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="occur twice"):
        sound(model().text.replace("\nnum_cat=", "\nnum_leaves=3\nnum_cat=", 1), COLUMNS, 1)


def test_the_trees_of_another_task_are_refused() -> None:
    with pytest.raises(ValueError, match="not the trees of a model"):
        sound(model().text, COLUMNS, 3)
    with pytest.raises(ValueError, match="not the trees of a model"):
        sound(model().text, COLUMNS + 1, 1)
