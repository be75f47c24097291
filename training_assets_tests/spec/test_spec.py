"""A spec says what it means or is refused with the key and what to write instead."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from training_assets.spec import ModelSpec
from training_assets_tests.conftest import ROOT
from training_assets_tests.workplace import SPEC


def changed(path: str, value: Any) -> dict[str, Any]:
    """The sound spec with one key set; `columns.age.min` walks down."""
    spec: dict[str, Any] = copy.deepcopy(SPEC)
    *parents, last = path.split(".")
    here = spec
    for parent in parents:
        here = here.setdefault(parent, {})
    here[last] = value
    return spec


def serving(**paths: str) -> dict[str, Any]:
    """A directory target by each name; the first follows staging."""
    of = ["staging", *["production"] * (len(paths) - 1)]
    return {
        name: {"kind": "directory", "path": path, "of": each}
        for (name, path), each in zip(paths.items(), of, strict=True)
    }


def test_the_sound_spec_is_sound_and_round_trips() -> None:
    spec = ModelSpec.model_validate(SPEC)
    assert ModelSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert spec.raw_features == ["age", "income", "plan"]
    assert spec.hidden == ["left_on", "churned"]
    assert spec.with_role("key") == ["customer"]
    assert spec.one_with_role("group") is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sorce", {}, "did you mean 'source'"),
        ("columns.age.minimum", 1, "did you mean 'min'"),
        ("search.trails", 3, "did you mean 'trials'"),
        ("zzz", 1, "known keys: "),
        ("name", "Bad Name", "pattern"),
        ("name", "../etc", "pattern"),
        ("source.path", [], "name at least one file"),
        ("source.format", "xls", "'csv', 'parquet', 'arrow'"),
        ("source.csv", {"delimiter": ";;"}, "at most 1 character"),
        ("columns.age.type", "int", "'integer'"),
        ("columns.age.min", 200, "is above max"),
        ("columns.plan.min", 1, "needs type integer or number"),
        ("columns.age.pattern", "x", "needs type string"),
        ("columns.plan.pattern", "(", "no regular expression"),
        ("target.column", "chrned", "is not under columns"),
        ("target.expression", "age > 1", "either 'column' or 'expression'"),
        ("target.positive", "maybe", "not among classes"),
        ("target.classes", ["no", "yes", "maybe"], "two classes"),
        ("target.task", "regression", "has no classes"),
        ("features.derived", {"age": "income"}, "has the name of a raw column"),
        ("split", {"train": 0.9}, "not 1"),
        ("split", {"method": "group"}, "role: group"),
        ("split", {"method": "time"}, "needs 'validation_from'"),
        ("split", {"gap": "7d"}, "need method time"),
        ("search.sampler", "grid", "'grid' goes with"),
        (
            "search",
            {
                "sampler": "grid",
                "grid": {"linear": {"l2": [1, 2, 3]}, "mlp": {"width": [8, 16], "layers": [1, 2]}},
                "trials": 6,
            },
            "grid has 7 points, and trials allows 6; set trials to 7, or list less",
        ),
        ("search.families", [], "at least 1 item"),
        ("search.families", ["xgboost"], "'catboost'"),
        ("search.budget_seconds", 0, "greater than 0"),
        ("evaluation.gates", [{"kind": "value", "metric": "roc_auc"}], "needs 'min' or 'max'"),
        ("evaluation.gates", [{"kind": "value", "metric": "roc_auc", "min": 0.9, "max": 0.1}], "is above 'max: 0.1'"),
        (
            "evaluation",
            {"slices": {"s": {"columns": ["age"]}}, "gates": [{"kind": "slice", "metric": "mae", "min": 2, "max": 1}]},
            "'min: 2' is above 'max: 1'",
        ),
        ("evaluation", {"replicates": 50, "confidence": 0.999}, "write 'replicates: 2000'"),
        ("evaluation.confidence", 0.99, "'replicates: 50' are too few for 'confidence: 0.99'"),
        ("evaluation", {"replicates": 199, "confidence": 0.99}, "write 'replicates: 200'"),
        ("evaluation", {"replicates": 10_000, "confidence": 0.9999}, "write 'confidence: 0.9998' or less"),
        ("evaluation", {"confidence": 1}, "less than 1"),
        (
            "evaluation.gates",
            [{"kind": "runtime", "memory_mb": 200}],
            "known keys: otherwise, kind, latency_ms, size_mb",
        ),
        (
            "evaluation.gates",
            [{"kind": "valeu", "metric": "roc_auc", "min": 1}],
            "does not match any of the expected tags",
        ),
        ("validation.max_quarantined", 2, "less than or equal to 1"),
        ("release.targets", serving(a="served/a", b="./served/x/../a/"), "the path of 'a' is that of 'b'"),
        ("release.targets", serving(a="/served/a", b="/served"), "give each a folder of its own"),
        ("release.targets", serving(a="served", b="served/a", c="c"), "the path of 'a' is that of 'b', or one lies in"),
    ],
)
def test_a_mistake_is_refused_with_its_remedy(path: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        ModelSpec.model_validate(changed(path, value))
    assert message in str(error.value)


@pytest.mark.parametrize(
    "evaluation",
    [
        {"replicates": 200, "confidence": 0.99},
        {"replicates": 2000, "confidence": 0.999},
        {"replicates": 10_000, "confidence": 0.9998},
        {"gates": [{"kind": "value", "metric": "roc_auc", "min": 0.5, "max": 0.5}]},
    ],
)
def test_what_is_just_enough_is_accepted(evaluation: dict[str, Any]) -> None:
    assert ModelSpec.model_validate({**SPEC, "evaluation": evaluation})


def test_all_features_hidden_is_refused() -> None:
    spec = changed("features", {})
    for name in ("age", "income", "plan"):
        spec["columns"][name]["role"] = "ignored"
    with pytest.raises(ValidationError, match="no column is a feature"):
        ModelSpec.model_validate(spec)


def test_time_split_in_the_wrong_order_is_refused() -> None:
    cuts = {"method": "time", "validation_from": "2026-02-01", "test_from": "2026-01-01"}
    spec = changed("columns.day", {"type": "date", "role": "time"})
    with pytest.raises(ValidationError, match="must be before"):
        ModelSpec.model_validate({**spec, "split": cuts})


def test_a_comment_or_a_reason_is_no_part_of_the_schema() -> None:
    plain, explained = ModelSpec.model_validate(SPEC), ModelSpec.model_validate(changed("columns.age.because", "why"))
    assert plain.schema_part() == explained.schema_part()
    assert plain.feature_part() == explained.feature_part()
    assert plain.schema_part() != ModelSpec.model_validate(changed("columns.age.max", 121)).schema_part()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "training_assets" / "defs").glob("*/defs.yaml")), ids=lambda path: path.parent.name
)
def test_the_shipped_specs_are_sound(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert document["type"] == "training_assets.TrainingPipeline"
    assert ModelSpec.model_validate(document["attributes"]).evaluation.gates
