"""Roles that a column shows by itself."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.roles import with_roles, words_of
from training_assets.spec import Column

ROWS = 60
TYPES = {pl.String(): "string", pl.Int64(): "integer", pl.Float64(): "number", pl.Boolean(): "boolean"}
SENTENCES = [f"the quick brown fox number {at} jumps over a lazy dog" for at in range(ROWS)]


def roles(**values: list[Any]) -> tuple[dict[str, Column], Notes]:
    rows = pl.DataFrame({"y": [0, 1] * (ROWS // 2), **values}, strict=False)
    notes = Notes()
    columns = {name: Column.model_validate({"type": TYPES[dtype]}) for name, dtype in rows.schema.items()}
    return with_roles(columns, rows, "y", notes), notes


def role(name: str, values: list[Any]) -> Column:
    return roles(**{name: values})[0][name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customerID", ("customer", "id")),
        ("customer_id", ("customer", "id")),
        ("Customer Id", ("customer", "id")),
        ("subject#", ("subject",)),
        ("rownames", ("rownames",)),
        ("x1", ("x",)),
        ("123", ()),
    ],
)
def test_words_of_names(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "values", "given", "because"),
    [
        ("x", [1] * ROWS, "ignored", "constant"),
        ("x", ["a"] * ROWS, "ignored", "constant"),
        ("x", [1] * (ROWS - 1) + [None], "feature", None),
        ("rownames", list(range(1, ROWS + 1)), "ignored", "counts"),
        ("anything", list(range(ROWS)), "ignored", "counts"),
        ("anything", list(range(ROWS, 0, -1)), "ignored", "counts"),
        ("year", list(range(1950, 1950 + ROWS)), "feature", None),
        ("weight", [at * 3 for at in range(ROWS)], "feature", None),
        ("order_id", [at * 3 for at in range(ROWS)], "key", None),
        ("index", [at * 3 for at in range(ROWS)], "ignored", "number"),
        ("customerID", [f"{at * 7}-ABC" for at in range(ROWS)], "key", None),
        ("plate", [f"K-{at}X" for at in range(ROWS)], "key", None),
        ("name", [f"Doe, Mr. John the {at}th" for at in range(ROWS)], "ignored", "unique"),
        ("order_id", [*(f"a{at}" for at in range(ROWS - 1)), None], "ignored", "unique"),
        ("note", SENTENCES, "ignored", "free text"),
        ("city", ["Rome", "Paris", "Oslo"] * (ROWS // 3), "feature", None),
        ("subject#", list(range(6)) * 10, "ignored", "subject"),
        ("patient_id", [f"p{at}" for at in range(6)] * 10, "ignored", "patient"),
        ("customer_type", ["a", "b", "c", "d", "e", "f"] * 10, "feature", None),
        ("customer", ["new", "old"] * 30, "feature", None),
        ("price", [float(at) for at in range(ROWS)], "feature", None),
    ],
)
def test_roles(name: str, values: list[Any], given: str, because: str | None) -> None:
    column = role(name, values)
    assert column.role == given
    assert (because is None) is (column.because is None)
    assert because is None or because in str(column.because)


def test_few_rows_prove_no_identifier() -> None:
    rows = pl.DataFrame({"y": [0, 1], "x": [1, 2]})
    columns = {"y": Column(type="integer"), "x": Column(type="integer")}
    assert with_roles(columns, rows, "y", Notes())["x"].role == "feature"


def test_one_key_is_enough() -> None:
    found, notes = roles(order_id=[at * 3 for at in range(ROWS)], invoice_id=[at * 5 for at in range(ROWS)])
    assert [found["order_id"].role, found["invoice_id"].role] == ["key", "ignored"]
    assert notes.assumptions[0] == "'order_id' identifies a row"


def test_the_label_has_no_other_role() -> None:
    rows = pl.DataFrame({"y": list(range(ROWS))})
    assert with_roles({"y": Column(type="integer")}, rows, "y", Notes())["y"].role == "feature"


def test_groups_things_texts_and_codes_are_asked_about() -> None:
    found, notes = roles(
        subject=list(range(6)) * 10, store_id=[1, 2, 3] * 20, note=SENTENCES, zip_code=[100, 200, 300] * 20
    )
    assert [question.key for question in notes.questions] == [
        "columns.subject.role",
        "columns.store_id.role",
        "columns.note.role",
        "columns.zip_code.categorical",
    ]
    assert all("role: group" in question.proposal for question in notes.questions[:2])
    assert found["store_id"].categorical is True
    assert found["zip_code"].categorical is None
