"""Columns that give the label away are found, and honest ones are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.inference.leaks import with_leaks
from training_assets.core.inference.notes import Notes
from training_assets.spec import Column, Target

ROWS = 400
CHANCE = np.random.default_rng(0)
NOISE = CHANCE.normal(size=ROWS)
KINDS = {pl.String(): "string", pl.Int64(): "integer", pl.Float64(): "number", pl.Boolean(): "boolean"}


def leaking(y: Any, task: str = "regression", **values: Any) -> tuple[dict[str, str | None], Notes]:
    rows = pl.DataFrame({"y": y, **values}, strict=False)
    columns = {name: Column.model_validate({"type": KINDS[dtype]}) for name, dtype in rows.schema.items()}
    notes = Notes()
    target = Target.model_validate({"column": "y", "task": task})
    found = with_leaks(columns, rows, target, notes)
    leaks = {name: column.because for name, column in found.items() if column.role == "leaking"}
    asked = {question.key.split(".")[1] for question in notes.questions}
    assert set(leaks) <= asked
    return leaks, notes


Y = CHANCE.normal(100, 20, size=ROWS)
COUNT = CHANCE.integers(0, 500, size=ROWS)
PART = CHANCE.integers(0, 100, size=ROWS)
CLASS = CHANCE.choice(["no", "yes"], ROWS)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("copy", Y),
        ("scaled", -3 * Y + 7),
        ("logged", np.log(Y + 200)),
        ("rounded", np.round(Y, 1)),
    ],
)
def test_a_copy_of_a_quantity_leaks_in_any_form(name: str, values: Any) -> None:
    leaks, _ = leaking(Y, **{name: values, "honest": Y + 20 * NOISE})
    assert set(leaks) == {name}
    assert "copy of the label, in another form" in str(leaks[name])


def test_two_parts_of_a_sum_leak_both() -> None:
    leaks, _ = leaking(COUNT + PART, casual=COUNT, other=PART * 2, registered=PART)
    assert leaks == dict.fromkeys(["casual", "registered"], "casual + registered is the label in every row")


def test_a_difference_leaks_too() -> None:
    leaks, _ = leaking((COUNT - PART).astype(float), gross=COUNT, costs=PART)
    assert leaks == dict.fromkeys(["gross", "costs"], "gross - costs is the label in every row")


def test_a_sum_that_holds_in_most_rows_is_no_sum() -> None:
    total = COUNT + PART
    total[7] += 100
    leaks, _ = leaking(total, a=COUNT, b=PART, zero=np.zeros(ROWS, int))
    assert leaks == {}


def test_a_near_copy_is_asked_about_and_stays_a_feature() -> None:
    leaks, notes = leaking(Y, near=Y + NOISE)
    assert leaks == {}
    assert [question.key for question in notes.questions] == ["columns.near.role"]


def test_a_category_that_nearly_is_the_label_is_asked_about() -> None:
    grade = np.repeat(np.arange(8), ROWS // 8)
    leaks, notes = leaking(grade * 10.0 + 3 * NOISE, sub_grade=[f"g{each}" for each in grade])
    assert leaks == {}
    assert [question.key for question in notes.questions] == ["columns.sub_grade.role"]


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64, pl.Boolean])
def test_values_that_decide_the_class_leak(dtype: Any) -> None:
    status = (
        pl.Series(np.where(CLASS == "yes", 1, 0)).cast(dtype)
        if dtype != pl.String
        else np.where(CLASS == "yes", "Gone", "Here")
    )
    leaks, _ = leaking(CLASS, "binary", status=status, honest=CHANCE.choice(["a", "b"], ROWS))
    assert set(leaks) == {"status"}
    assert "alone decides the label" in str(leaks["status"])


def test_a_threshold_without_a_mistake_leaks() -> None:
    leaks, _ = leaking(CLASS, "binary", score=np.where(CLASS == "yes", 10.0, 0.0) + np.abs(NOISE), honest=NOISE)
    assert set(leaks) == {"score"}
    assert "it avoids 100.0%" in str(leaks["score"])


def test_column_names_that_look_like_the_tests_own_are_harmless() -> None:
    leaks, _ = leaking(CLASS, "binary", x=NOISE, x_min=NOISE + 1, x_max=NOISE - 1, min0=NOISE)
    assert leaks == {}


def test_unique_values_decide_nothing() -> None:
    leaks, notes = leaking(
        CLASS, "binary", ticket=[f"t{at}" for at in range(ROWS)], few=[f"f{at // 5}" for at in range(ROWS)]
    )
    assert leaks == {}
    assert [question.proposal.split()[0] for question in notes.questions] == ["ignored;"], "but a ticket names its row"


def test_predictions_of_another_model_leak_by_name() -> None:
    leaks, _ = leaking(CLASS, "binary", predicted_probability=NOISE, prediction=CHANCE.choice([0, 1], ROWS))
    assert leaks == dict.fromkeys(["predicted_probability", "prediction"], "another model's prediction")


def test_few_rows_prove_nothing() -> None:
    leaks, _ = leaking(Y[:50], copy=Y[:50])
    assert leaks == {}


def test_nulls_are_survived() -> None:
    holes: list[float | None] = [None if at % 3 == 0 else float(Y[at]) for at in range(ROWS)]
    mostly: list[float | None] = [None if at % 3 else float(Y[at]) for at in range(ROWS)]
    label: list[float | None] = [None if at % 50 == 0 else float(Y[at]) for at in range(ROWS)]
    leaks, _ = leaking(label, holes=holes, mostly=mostly, none=pl.Series([None] * ROWS, dtype=pl.Float64))
    assert set(leaks) == {"holes"}
