"""Rows of somebody are drafted into one split where the label depends on who it is, and not where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.inference.groups import with_group
from training_assets.core.inference.notes import Notes
from training_assets.spec import Column, Target

WHO = np.random.default_rng(0).integers(0, 40, 800)
NOISE = np.random.default_rng(1).normal(size=800)
LEVEL = np.random.default_rng(2).normal(size=40)[WHO]


@pytest.mark.parametrize(
    ("name", "effect", "grouped"),
    [("patient_id", 2.0, True), ("patient_id", 0.2, False), ("grade", 2.0, False)],
)
def test_a_member_is_a_group_where_the_label_depends_on_it(name: str, effect: float, grouped: bool) -> None:
    rows = pl.DataFrame({name: WHO, "y": NOISE + effect * LEVEL})
    rules: dict[str, Any] = {name: {"type": "integer", "role": "ignored"}, "y": {"type": "number"}}
    columns = {each: Column.model_validate(rule) for each, rule in rules.items()}
    notes = Notes()
    changed, split = with_group(columns, rows, Target(column="y", task="regression"), notes)
    assert changed[name].role == ("group" if grouped else "ignored")
    assert split.method == ("group" if grouped else "stratified")
    assert [question.key for question in notes.questions] == ([f"columns.{name}.role"] if grouped else [])
