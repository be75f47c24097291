"""The label: which column, which task, which classes."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.inference.labels import label_column, target_of
from training_assets.core.inference.notes import Notes
from training_assets.spec import Column, Target

NAMES = ["age", "Weight", "Churn", "notes"]
TYPES = {
    pl.String(): "string",
    pl.Int64(): "integer",
    pl.Float64(): "number",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
}


def of(values: list[Any], dtype: Any = None) -> tuple[Target, Column, Notes]:
    notes = Notes()
    series = pl.Series("y", values, dtype=dtype)
    column = Column.model_validate({"type": TYPES[series.dtype]})
    return *target_of("y", series.to_frame(), column, notes), notes


@pytest.mark.parametrize(
    ("wanted", "name"), [("Churn", "Churn"), ("churn", "Churn"), ("AGE", "age"), ("last", "notes")]
)
def test_the_label_is_named_or_the_last(wanted: str, name: str) -> None:
    assert label_column(wanted, NAMES, header=True) == name


def test_a_column_called_last_is_meant_by_its_name() -> None:
    assert label_column("last", ["last", "b"], header=True) == "last"


@pytest.mark.parametrize(
    ("wanted", "header", "said"),
    [
        (None, True, ["--target COLUMN", "perhaps 'Churn'", "'age', 'Weight', 'Churn', 'notes'"]),
        ("chrun", True, ["no column is named 'chrun'", "did you mean 'Churn'"]),
        (None, False, ["no header", "--target last", "column_1"]),
        ("zzz", True, ["no column is named 'zzz'"]),
    ],
)
def test_an_open_label_is_asked_for(wanted: str | None, header: bool, said: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        label_column(wanted, NAMES, header=header)
    assert caught.value.code == "E_TARGET"
    assert all(each in str(caught.value) for each in said)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 10, "binary"),
        (["a", "b", "c"] * 10, "multiclass"),
        ([True, False] * 10, "binary"),
        ([0, 1] * 10, "binary"),
        ([1, 2, 3] * 20, "multiclass"),
        ([1, 2, 3] * 5, "regression"),
        (list(range(20)) * 20, "multiclass"),
        (list(range(21)) * 50, "regression"),
        ([0.0, 1.0] * 10, "binary"),
        ([1.0, 2.0, 3.0] * 30, "multiclass"),
        ([1.0, 2.5, 3.0] * 30, "regression"),
        ([0.1, 0.2, 0.4, 0.5], "regression"),
    ],
)
def test_the_task_follows_from_the_values(values: list[Any], task: str) -> None:
    target, column, _ = of(values)
    assert target.task == task
    assert column.nullable is False
    assert (target.classes is None) is (task == "regression")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["no", "yes", "yes", "yes"], ["no", "yes"]),
        (["ham", "spam"], ["ham", "spam"]),
        (["control", "PD", "PD", "PD"], ["control", "PD"]),
        (["good", "bad"], ["good", "bad"]),
        ([0, 1, 1], ["0", "1"]),
        ([-1, 1], ["-1", "1"]),
        ([1, 1, 1, 2], ["1", "2"]),
        ([1, 2, 2, 2], ["2", "1"]),
        ([0.0, 1.0, 1.0], ["0", "1"]),
        ([True, True, False], ["false", "true"]),
        (["cat", "cat", "dog"], ["cat", "dog"]),
        (["<=50K", "<=50K", ">50K"], ["<=50K", ">50K"]),
    ],
)
def test_the_positive_class_is_the_second_and_said(values: list[Any], classes: list[str]) -> None:
    target, _, notes = of(values)
    assert target.classes == classes
    assert target.positive == classes[1]
    assert any("positive class" in each and f"'{classes[1]}'" in each for each in notes.assumptions)


def test_classes_are_in_order_of_numbers_or_letters() -> None:
    assert of([10, 9, 1] * 20)[0].classes == ["1", "9", "10"]
    assert of(["b", "c", "a"] * 20)[0].classes == ["a", "b", "c"]


def test_rare_classes_are_said() -> None:
    _, _, notes = of(["a", "b"] * 20 + ["c"])
    assert any("'c'" in each and "fewer than 10" in each for each in notes.assumptions)


def test_missing_labels_are_dropped_and_asked_about() -> None:
    target, column, notes = of([1.5, 2.5, None])
    assert (target.missing, column.nullable) == ("drop", True)
    assert [question.key for question in notes.questions] == ["target.missing"]
    assert "1 of 3 rows" in notes.questions[0].text


@pytest.mark.parametrize(
    ("values", "dtype", "code"),
    [
        ([None, None], pl.String, "E_LABEL"),
        (["a", "a", None], None, "E_LABEL_CONST"),
        ([1.0, 1.0], None, "E_LABEL_CONST"),
        ([f"text {at}" for at in range(100)], None, "E_TARGET"),
        ([f"text {at % 300}" for at in range(9000)], None, "E_TARGET"),
        (["2024-01-01", "2024-01-02"], pl.Date, "E_TARGET"),
        (["2024-01-01", "2024-01-02", "2024-01-03"], pl.Date, "E_TARGET"),
    ],
)
def test_a_label_that_says_nothing_is_refused(values: list[Any], dtype: Any, code: str) -> None:
    series = pl.Series("y", values, dtype=pl.String if dtype is pl.Date else dtype)
    series = series.str.to_date() if dtype is pl.Date else series
    with pytest.raises(InputError) as caught:
        target_of("y", series.to_frame(), Column.model_validate({"type": TYPES[series.dtype]}), Notes())
    assert caught.value.code == code
