"""Numbers that may stand for 'no value' are asked about, never changed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.sentinels import ask_about_sentinels, sentinels_in
from training_assets.spec import Column

SPREAD = [float(at % 50) for at in range(300)]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([*SPREAD, *([-200.0] * 10)], [-200]),
        ([*SPREAD, *([999.0] * 10)], [999]),
        ([*SPREAD, *([999.0] * 10), *([-999.0] * 10)], []),
        ([*SPREAD, -200.0], []),
        ([*SPREAD, *([60.0] * 10)], []),
        ([0.0, 1.0] * 200, []),
        ([0.0] * 200 + [100.0] * 20, []),
        (SPREAD, []),
        ([None, *SPREAD, *([-200.0] * 10)], [-200]),
        ([*SPREAD[:60], *([-200.0] * 10)], []),
        ([None] * 200, []),
    ],
)
def test_one_value_often_and_far_from_all_others(values: list[float | None], found: list[float]) -> None:
    assert sentinels_in(pl.Series("x", values, dtype=pl.Float64)) == found


def test_heavy_tails_are_no_sentinels() -> None:
    chance = np.random.default_rng(0)
    assert sentinels_in(pl.Series("x", chance.lognormal(3, 2, 5000))) == []
    assert sentinels_in(pl.Series("x", chance.poisson(3, 5000))) == []


@pytest.mark.parametrize("text", [True, False])
def test_one_question_names_all_columns(text: bool) -> None:
    filled = [*SPREAD, *([-200.0] * 10)]
    rows = pl.DataFrame({"a": filled, "b": filled, "y": filled, "name": ["x"] * 310})
    columns = {name: Column(type="number") for name in "aby"} | {"name": Column(type="string")}
    notes = Notes()
    ask_about_sentinels(columns, rows, "y", notes, text=text)
    assert len(notes.questions) == 1
    question = notes.questions[0]
    assert question.key == ("source.csv.null_values" if text else "source")
    assert "-200 is often in 'a', 'b', 'y'" in question.text
    assert "label" in question.text
    assert ("null_values" in question.proposal) is text
