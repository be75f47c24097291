"""New columns come with the role that a first draft would give them, and with its questions."""

from __future__ import annotations

import polars as pl
import pytest

from training_assets.core.inference.schema_review import Review, review
from training_assets_tests.core.small_spec import small_spec

ROWS = 200
SPEC = small_spec({"k": {"type": "string", "role": "key"}, "x": "number", "y": {"type": "string"}})


def with_new(**cells: list[str]) -> Review:
    given = {
        "k": [f"k{row}" for row in range(ROWS)],
        "x": [str(row % 7) for row in range(ROWS)],
        "y": ["no" if row % 2 else "yes" for row in range(ROWS)],
    }
    return review({"b1": pl.DataFrame({**given, **cells})}, SPEC)


def test_a_quantity_is_a_feature() -> None:
    found = with_new(q=[str(row % 11 + 0.5) for row in range(ROWS)])
    assert (found.found["q"].type, found.found["q"].role) == ("number", "feature")
    assert found.rows == ROWS
    assert found.questions == []


def test_a_second_identifier_is_no_second_key() -> None:
    found = with_new(other_id=[f"o{row * 7 % 997}" for row in range(ROWS)]).found["other_id"]
    assert (found.role, found.because) == ("ignored", "identifier: every value is unique")


def test_a_constant_and_a_date_are_ignored_or_the_time() -> None:
    days = [f"2020-{row % 12 + 1:02}-{row % 28 + 1:02}" for row in range(ROWS)]
    found = with_new(c=["same"] * ROWS, day=days).found
    assert (found["c"].role, found["day"].type, found["day"].role) == ("ignored", "date", "time")


def test_a_column_that_gives_the_label_away_leaks_and_asks() -> None:
    found = with_new(outcome_code=["A" if row % 2 else "B" for row in range(ROWS)])
    assert found.found["outcome_code"].role == "leaking"
    assert [question.key for question in found.questions] == ["columns.outcome_code.role"]
    (change,) = found.changes
    assert change.now == "string, role leaking"
    assert dict(change.update or {})["role"] == "leaking"


@pytest.mark.parametrize("target", [{"column": "y"}, {"expression": "y = 'yes'"}])
def test_a_leak_is_seen_though_another_column_is_missing(target: dict[str, str]) -> None:
    label = {"type": "string", "role": "leaking"}
    spec = small_spec({"gone": "number", "x": "number", "y": label}, {**target, "task": "binary"})
    rows = pl.DataFrame(
        {
            "x": [str(row % 7) for row in range(ROWS)],
            "y": ["no" if row % 2 else "yes" for row in range(ROWS)],
            "copy": ["A" if row % 2 else "B" for row in range(ROWS)],
        }
    )
    found = review({"b1": rows}, spec)
    assert [change.kind for change in found.changes] == ["missing", "new"]
    assert found.found["copy"].role == "leaking"


def test_what_is_committed_is_not_asked_about_again() -> None:
    assert with_new().questions == []
    assert with_new().changes == []
