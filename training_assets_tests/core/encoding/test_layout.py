from __future__ import annotations

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


def test_a_multiclass_task_has_a_target_column_a_class() -> None:
    assert target_columns("city", "multiclass", 3) == ("city__target_0", "city__target_1", "city__target_2")
    assert target_columns("city", "binary", 2) == target_columns("city", "regression", 0) == ("city__target",)
