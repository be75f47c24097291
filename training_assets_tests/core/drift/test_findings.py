"""What is said about new batches: what has drifted, from what, and what follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from training_assets.core.drift import (
    Comparison,
    against_reference,
    against_window,
    columns_have_not_drifted,
    compare,
    unique_names,
)
from training_assets.core.validation.findings import Finding
from training_assets.spec import Drift, ModelSpec
from training_assets_tests.core.drift.made_batches import KINDS, drawn
from training_assets_tests.workplace import SPEC

CALM = drawn(20_000, 0)
AGAINST = "version 3's training data"


def comparison(batch: str, shift: float, importances: dict[str, float] | None = None, **options: Any) -> Comparison:
    return compare(
        CALM, drawn(4_000, 5, shift=shift), Drift(**options), list(KINDS), importances, batch=batch, against=AGAINST
    )


def test_no_released_version_or_no_new_batch_is_a_pass_that_says_so() -> None:
    finding = columns_have_not_drifted(None, Drift())
    assert (finding.passed, finding.text) == (True, "no released version yet")
    finding = columns_have_not_drifted([], Drift())
    assert (finding.passed, finding.text) == (True, "no batch that the released version has not seen")


def test_a_pass_names_the_column_that_moved_most() -> None:
    finding = columns_have_not_drifted([comparison("a.csv", 0.1)], Drift())
    assert finding.passed
    assert finding.text.startswith("3 columns of 1 new batches: none has drifted; most: x (0.0")


@pytest.mark.parametrize(("asked", "meant"), [("warn", "warn"), ("review", "block"), ("block", "block")])
def test_a_miss_has_the_specs_severity_and_names_batch_column_and_reference(asked: Any, meant: str) -> None:
    finding = columns_have_not_drifted([comparison("a.csv", 1.5)], Drift(severity=asked))
    assert (finding.passed, finding.severity, finding.facts["drifted"]) == (False, meant, 1)
    assert finding.text.startswith("batch a.csv drifted from version 3's training data: x (PSI ")
    assert Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False))) == finding


def test_several_batches_are_counted_and_the_worst_is_told() -> None:
    finding = columns_have_not_drifted([comparison(f"{shift}.csv", shift) for shift in (0, 1.0, 2.0)], Drift())
    assert finding.text.startswith("2 of 3 new batches drifted from version 3's training data: x (PSI ")
    lines = finding.facts["columns_by_psi"]
    assert isinstance(lines, list)
    assert [line["batch"] for line in lines[:2]] == ["2.0.csv", "1.0.csv"]
    assert [line["verdict"] for line in lines[:3]] == ["drifted", "drifted", "stable"]


def test_columns_that_the_model_hardly_uses_warn_at_most() -> None:
    finding = columns_have_not_drifted([comparison("a.csv", 1.5, {"n": 1.0})], Drift(severity="block"))
    assert (finding.passed, finding.severity) == (False, "warn")
    assert finding.text.startswith("only columns that the model hardly uses have drifted: x (PSI ")


def test_too_much_overall_is_a_miss_by_itself() -> None:
    moved = comparison("a.csv", 0.3, {"x": 1.0}, max_overall=0.02)
    assert moved.drifted == []
    finding = columns_have_not_drifted([moved], Drift(max_overall=0.02, severity="block"))
    assert (finding.passed, finding.severity) == (False, "block")
    assert "overall PSI weighted by importance 0.1" in finding.text


def test_ignored_columns_are_listed_with_their_reasons() -> None:
    drift = Drift.model_validate({"columns": {"x": {"ignore": "the sensor was moved"}}})
    finding = columns_have_not_drifted(
        [comparison("a.csv", 1.5, columns={"x": {"ignore": "the sensor was moved"}})], drift
    )
    assert finding.passed
    assert finding.facts["ignored"] == [{"column": "x", "because": "the sensor was moved"}]


def test_a_text_stays_short_whatever_the_names() -> None:
    name = "b" * 5_000
    finding = columns_have_not_drifted([comparison(name, 1.5), comparison(name + "!", 2)], Drift())
    assert len(finding.text) < 2_000
    assert len(json.dumps(finding.facts)) < 5_000


def spec() -> ModelSpec:
    columns = {
        "x": {"type": "number"},
        "n": {"type": "integer"},
        "s": {"type": "string"},
        "churned": {"type": "string"},
    }
    target = SPEC["target"]
    given = {**SPEC, "columns": columns, "target": target, "features": {}, "validation": {"drift": {"window": 2}}}
    return ModelSpec.model_validate(given)


def test_a_new_batch_is_compared_with_the_batches_before_it() -> None:
    """What is far from the training data since long is no sudden change."""
    shifts = {"a": 0, "b": 2, "c": 2, "d": 2}
    batches = {name: drawn(4_000, place, shift) for place, (name, shift) in enumerate(shifts.items())}
    reference = against_reference(batches, CALM, spec(), named=AGAINST)
    assert [bool(each.drifted) for each in reference] == [False, True, True, True]
    window = against_window(batches, {"a", "b", "d"}, spec())
    assert [(each.batch, each.against, bool(each.drifted)) for each in window] == [
        ("b", "the batch before it", True),
        ("d", "the 2 batches before it", False),
    ]


def test_batches_of_the_same_name_are_told_apart() -> None:
    found = unique_names([("1234567890", "a.csv"), ("abcdefghij", "a.csv"), ("x", "b.csv")])
    assert found == {"1234567890": "a.csv (12345678)", "abcdefghij": "a.csv (abcdefgh)", "x": "b.csv"}
