"""Labels: one text for one class, whatever the file's type, and an order of classes that never surprises."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.validation.label import class_text, ordered_classes, targets
from training_assets.spec import Target
from training_assets_tests.core.small_spec import small_spec


def target(**sections: Any) -> Target:
    return Target.model_validate({"column": "y", "task": "binary", **sections})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "e\u0301", None], ["a", "é", None]),
        ([1, -2, None], ["1", "-2", None]),
        ([1.0, 0.5, -0.0, math.nan, math.inf, None], ["1", "0.5", "0", None, None, None]),
        ([True, False, None], ["true", "false", None]),
    ],
)
def test_class_text_does_not_depend_on_the_files_type(values: list[Any], expected: list[str | None]) -> None:
    assert class_text(pl.Series("y", values)).to_list() == expected


def test_a_label_by_expression_is_made_for_each_row() -> None:
    spec = small_spec(
        {"delay": {"type": "integer", "role": "leaking"}, "x": "number"},
        {"expression": "delay > 15", "task": "binary"},
    )
    labels = targets(pl.DataFrame({"delay": [15, 16, None], "x": [1.0, 2.0, 3.0]}), spec)
    assert labels.name == "_target"
    assert labels.to_list() == ["false", "true", None]


def test_a_regressions_label_is_a_finite_number_or_none() -> None:
    spec = small_spec(
        {"a": {"type": "integer", "role": "leaking"}, "b": "integer"}, {"expression": "a / b", "task": "regression"}
    )
    labels = targets(pl.DataFrame({"a": [1, 1, 0, None], "b": [2, 0, 0, 1]}), spec)
    assert labels.dtype == pl.Float64
    assert labels.to_list() == [0.5, None, None, None]


def test_a_regression_on_text_is_refused() -> None:
    spec = small_spec({"x": "number", "y": "string"}, {"column": "y", "task": "regression"})
    with pytest.raises(InputError, match="E_LABEL: a regression needs a number"):
        targets(pl.DataFrame({"x": [1.0], "y": ["a"]}), spec)


@pytest.mark.parametrize(
    ("labels", "sections", "expected"),
    [
        (["yes", "no", None], {}, ["no", "yes"]),
        (["true", "false"], {}, ["false", "true"]),
        (["10", "9"], {}, ["9", "10"]),
        (["yes", "no"], {"positive": "no"}, ["yes", "no"]),
        (["yes", "no"], {"classes": ["yes", "no"]}, ["yes", "no"]),
        (["yes", "no"], {"classes": ["yes", "no"], "positive": "yes"}, ["no", "yes"]),
        (["yes", "yes"], {"classes": ["yes", "no"]}, ["yes", "no"]),
        (["b", "a", "c"], {"task": "multiclass"}, ["a", "b", "c"]),
        (["10", "9", "-1", "x"], {"task": "multiclass"}, ["-1", "9", "10", "x"]),
        (["e\u0301", "a"], {"classes": ["e\u0301", "a"]}, ["é", "a"]),
    ],
)
def test_the_positive_class_is_the_second(labels: list[str], sections: dict[str, Any], expected: list[str]) -> None:
    assert ordered_classes(pl.Series("_target", labels), target(**sections)) == expected


def test_a_regression_has_no_classes() -> None:
    assert ordered_classes(pl.Series("_target", [1.0, 2.0]), target(task="regression")) == []


@pytest.mark.parametrize(
    ("labels", "sections", "message"),
    [
        (["a", "a"], {}, "E_LABEL_CONST: all 2 labels are 'a'"),
        ([], {}, "E_LABEL_CONST: all 0 labels are ''"),
        (["yes", "true", "1"], {}, r"E_LABEL: .* has 3 classes \(1, true, yes\)"),
        (["a", "b"], {"positive": "c"}, "E_LABEL: target.positive 'c' is not among the classes a, b"),
    ],
)
def test_labels_that_nothing_can_be_learnt_from_are_refused(
    labels: list[str], sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        ordered_classes(pl.Series("_target", labels, dtype=pl.String), target(**sections))


def test_a_message_about_very_many_classes_stays_short() -> None:
    with pytest.raises(InputError, match="has 500 classes") as caught:
        ordered_classes(pl.Series("_target", [f"{'long' * 30}{i}" for i in range(500)]), target())
    assert len(str(caught.value)) < 600
