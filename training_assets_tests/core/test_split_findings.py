"""Claims about the three splits hold for sound deals of any size, and miss where something is off."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.split_findings import labels_are_balanced, proportions_hold, splits_share_no_rows
from training_assets.core.splitting import SPLITS, deal
from training_assets.core.validation.findings import Finding
from training_assets.spec import Split


def small(finding: Finding) -> Finding:
    """The finding, once it is seen to be JSON-safe and capped."""
    assert Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False))) == finding
    assert len(finding.text) < 600
    assert all(len(fact) <= 20 for fact in finding.facts.values() if isinstance(fact, list))
    return finding


def rows(train: int, validation: int, test: int) -> dict[str, int]:
    return {"train": train, "validation": validation, "test": test}


def split(method: str = "stratified", **sections: Any) -> Split:
    return Split.model_validate({"method": method, **sections})


TIMED = split("time", validation_from="2013-01-01", test_from="2013-02-01")


@pytest.mark.parametrize(
    ("counts", "how", "passed", "severity"),
    [
        (rows(700, 150, 150), split(), True, "warn"),
        (rows(680, 160, 160), split(), True, "warn"),
        (rows(500, 250, 250), split(), False, "warn"),
        (rows(70_000, 15_000, 15_000), split(), True, "warn"),
        (rows(68_500, 15_750, 15_750), split(), False, "warn"),
        (rows(1, 1, 1), split(), True, "warn"),
        (rows(10, 0, 2), split(), False, "block"),
        (rows(0, 0, 0), split(), False, "block"),
        (rows(10, 980, 10), TIMED, True, "warn"),
        (rows(10, 980, 0), TIMED, False, "block"),
        (rows(10, 980, 10), split("column"), True, "warn"),
        (rows(200, 500, 300), split("group"), True, "warn"),
    ],
)
def test_shares_hold_up_to_what_chance_allows(counts: dict[str, int], how: Split, passed: bool, severity: str) -> None:
    finding = small(proportions_hold(counts, how))
    assert (finding.passed, finding.severity) == (passed, severity)


def test_an_empty_split_is_named() -> None:
    assert "no row is in validation and test" in proportions_hold(rows(10, 0, 0), split()).text
    assert not proportions_hold({"train": 10}, split()).passed


def test_few_groups_allow_more_than_many() -> None:
    assert small(proportions_hold(rows(500, 250, 250), split("group"), groups=20)).passed
    assert not small(proportions_hold(rows(500, 250, 250), split("group"), groups=2000)).passed


@settings(max_examples=40, deadline=None)
@given(
    st.integers(9, 3000),
    st.sampled_from(["stratified", "random"]),
    st.sampled_from(["multiclass", "regression"]),
    st.integers(0, 99),
)
def test_a_sound_deal_is_never_flagged(n: int, method: str, task: Any, seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.normal(size=n) if task == "regression" else draw.choice(["a", "b", "c"], n, p=[0.8, 0.15, 0.05])
    keys = draw.integers(-(2**63), 2**63 - 1, n)
    table = pl.DataFrame({"_batch": ["b"] * n, "_key": keys, "_target": labels})
    table = table.with_columns(deal(table, split(method), task, group=None, time=None, column=None, batch_order=["b"]))
    parts = {name: table.filter(pl.col("_split") == name) for name in SPLITS}
    sizes = small(proportions_hold({name: part.height for name, part in parts.items()}, split(method)))
    assert sizes.passed or sizes.severity == "block"  # with a dozen rows, random buckets may be empty
    balanced = small(labels_are_balanced({name: part["_target"] for name, part in parts.items()}, task))
    assert balanced.passed or balanced.severity == "block"
    assert method == "random" or (sizes.passed and balanced.passed)
    assert small(splits_share_no_rows({name: part["_key"] for name, part in parts.items()})).passed


def texts(**labels: Any) -> dict[str, pl.Series]:
    return {name: pl.Series("_target", values) for name, values in labels.items()}


def test_labels_that_differ_between_splits_warn_and_are_named() -> None:
    finding = small(
        labels_are_balanced(
            texts(train=["a"] * 500 + ["b"] * 500, validation=["a"] * 90 + ["b"] * 110, test=["a"] * 20 + ["b"] * 180),
            "binary",
        )
    )
    assert (finding.passed, finding.severity) == (False, "warn")
    assert "10.0% of test" in finding.text or "90.0% of test" in finding.text
    assert finding.facts["rows"] == [
        {"label": "a", "train": 500, "validation": 90, "test": 20},
        {"label": "b", "train": 500, "validation": 110, "test": 180},
    ]


def test_a_class_that_training_lacks_blocks() -> None:
    finding = small(labels_are_balanced(texts(train=["a", "b"], validation=["a"], test=["c"]), "multiclass"))
    assert (finding.passed, finding.severity) == (False, "block")
    assert "training has no row of c" in finding.text


def test_a_class_that_only_training_has_is_chance() -> None:
    assert labels_are_balanced(texts(train=["a", "b", "c"], validation=["a"], test=["b"]), "multiclass").passed


def test_a_regression_compares_quantiles() -> None:
    draw = np.random.default_rng(0)
    sound = texts(train=draw.normal(size=700), validation=draw.normal(size=150), test=draw.normal(size=150))
    assert small(labels_are_balanced(sound, "regression")).passed
    shifted = {**sound, "test": sound["test"] + 2}
    finding = small(labels_are_balanced(shifted, "regression"))
    assert (finding.passed, finding.severity) == (False, "warn")
    assert "of test" in finding.text
    assert labels_are_balanced(texts(train=[1.0], validation=[1.0], test=[1.0]), "regression").passed


def test_thousands_of_classes_stay_readable() -> None:
    labels = [f"{'long' * 40}{number}" for number in range(2000)]
    finding = small(
        labels_are_balanced(texts(train=labels, validation=labels, test=[*labels, "one more"]), "multiclass")
    )
    assert (finding.passed, finding.severity) == (False, "block")


def test_shared_keys_are_counted_with_a_sample() -> None:
    keys = texts(train=[1, 2, 3], validation=[3, 4, 4], test=[1, 2, 5])
    finding = small(splits_share_no_rows(keys))
    assert (finding.passed, finding.severity, finding.facts["shared"]) == (False, "block", 3)
    assert finding.facts["overlaps"] == [
        {"what": "row", "one": "train", "other": "validation", "shared": 1, "sample": "3"},
        {"what": "row", "one": "train", "other": "test", "shared": 2, "sample": "1, 2"},
    ]


@pytest.mark.parametrize("kind", [pl.String, pl.Int64])
def test_shared_groups_are_found_and_missing_ones_are_none(kind: Any) -> None:
    keys = texts(train=[1], validation=[2], test=[3])

    def groups(*values: str | None) -> dict[str, pl.Series]:
        return {
            name: pl.Series([value], dtype=pl.String).cast(kind) for name, value in zip(SPLITS, values, strict=True)
        }

    assert small(splits_share_no_rows(keys, groups("1", "2", "3"))).passed
    assert small(splits_share_no_rows(keys, groups(None, None, "3"))).passed
    finding = small(splits_share_no_rows(keys, groups("1", "2", "1")))
    assert not finding.passed
    assert "1 group keys are in both train and test" in finding.text
