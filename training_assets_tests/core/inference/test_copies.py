"""A key that tells copies of a row apart is drafted as no key, with a question; a key of rows that differ stays one."""

from __future__ import annotations

import numpy as np
import polars as pl

from training_assets.core.inference.copies import without_copied_keys
from training_assets.core.inference.notes import Notes
from training_assets.spec import Column, Target

TARGET = Target(column="y", task="binary")
COLUMNS = {
    "id": Column(type="integer", role="key"),
    "a": Column(type="number"),
    "c": Column(type="number"),
    "b": Column(type="integer"),
    "y": Column(type="string"),
}


def rows(copied: int, *, height: int = 600) -> pl.DataFrame:
    """Rows with numbers that hardly repeat, the first ones of them twice, all under keys of their own."""
    rng = np.random.default_rng(1)
    made = pl.DataFrame(
        {
            **{name: rng.normal(size=height) for name in "ac"},
            "b": rng.integers(0, 5, height),
            "y": rng.choice(["no", "yes"], height),
        }
    )
    return pl.concat([made, made.head(copied)]).with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))


def test_a_key_over_copies_is_asked_about() -> None:
    notes = Notes()
    changed = without_copied_keys(COLUMNS, rows(120), TARGET, notes)
    assert changed["id"].role == "ignored"
    assert {name: changed[name] for name in "acby"} == {name: COLUMNS[name] for name in "acby"}
    (question,) = notes.questions
    assert question.key == "columns.id.role"
    assert "repeat another one" in question.text


def test_a_key_over_rows_that_differ_stays() -> None:
    notes = Notes()
    assert without_copied_keys(COLUMNS, rows(0), TARGET, notes) == COLUMNS
    assert notes.questions == []


def test_rows_that_coincide_by_nature_are_no_copies() -> None:
    notes = Notes()
    few = {name: column for name, column in COLUMNS.items() if name not in "ac"}
    assert without_copied_keys(few, rows(0).drop("a", "c"), TARGET, notes) == few
    assert notes.questions == []


def test_without_a_key_there_is_nothing_to_ask() -> None:
    plain = {**COLUMNS, "id": Column(type="integer", role="ignored")}
    assert without_copied_keys(plain, rows(120), TARGET, Notes()) == plain
