from __future__ import annotations

import pytest

from training_assets.core.encoding.layout import Layout, target_columns


def test_columns_are_named_after_their_feature_and_role() -> None:
    layout = Layout(
        task="binary",
        n_classes=2,
        quantities=("size",),
        codes={"colour": 5, "city": 42},
        one_hot=("colour",),
        targets={"city": ("city__target",)},
    )
    assert layout.features == ("size", "colour", "city")
    assert layout.columns == ("size", "size__scaled", "colour__code", "city__code", "city__target")


def made_of_several() -> Layout:
    return Layout(
        task="multiclass",
        n_classes=2,
        quantities=("size", "when__hour", "when__elapsed", "note__text_0"),
        codes={"city": 42, "note": 5},
        one_hot=("note",),
        targets={"city": ("city__target_0", "city__target_1")},
        trees_only=frozenset({"when__hour"}),
        linear_only=("size__missing", "when__hour_sin"),
        made_of={
            "when__hour": "when",
            "when__elapsed": "when",
            "when__hour_sin": "when",
            "size__missing": "size",
            "note__text_0": "note",
        },
    )


def test_each_family_reads_the_quantities_that_suit_it() -> None:
    layout = made_of_several()
    assert layout.features == ("size", "when__hour", "when__elapsed", "note__text_0", "city", "note")
    assert layout.scaled == ("size", "when__elapsed", "note__text_0", "size__missing", "when__hour_sin")
    assert layout.columns == (
        *("size", "size__scaled", "when__hour", "when__elapsed", "when__elapsed__scaled"),
        *("note__text_0", "note__text_0__scaled", "size__missing__scaled", "when__hour_sin__scaled"),
        *("city__code", "note__code", "city__target_0", "city__target_1"),
    )


def test_every_column_has_an_owner() -> None:
    layout = made_of_several()
    owners = {layout.owner(name) for name in (*layout.columns, *layout.features, *layout.scaled)}
    assert owners == {"size", "when", "note", "city"}
    assert layout.owner("when") == layout.owner("when__hour_sin__scaled") == "when"
    with pytest.raises(KeyError):
        layout.owner("where")


def test_weights_are_summed_by_feature_and_summing_again_changes_nothing() -> None:
    layout = made_of_several()
    summed = layout.by_feature({"when__hour": 0.25, "when__elapsed": 0.25, "note": 0.25, "note__text_0": 0.25})
    assert summed == {"size": 0.0, "when": 0.5, "note": 0.5, "city": 0.0}
    assert list(summed) == ["size", "when", "note", "city"]
    assert layout.by_feature(summed) == summed


def test_a_multiclass_task_has_a_target_column_a_class() -> None:
    assert target_columns("city", "multiclass", 3) == ("city__target_0", "city__target_1", "city__target_2")
    assert target_columns("city", "binary", 2) == target_columns("city", "regression", 0) == ("city__target",)
