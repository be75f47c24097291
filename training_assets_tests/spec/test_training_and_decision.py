"""What is learnt, and how probabilities become decisions: refused where the parts do not fit each other or the task."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from training_assets.spec import Decision, ModelSpec, Training
from training_assets_tests.core.small_spec import small_spec

COLUMNS = {"age": "number", "y": {"type": "string", "role": "ignored"}}


def spec_of(task: str, columns: dict[str, Any] | None = None, **sections: Any) -> ModelSpec:
    return small_spec(columns or COLUMNS, {"column": "y", "task": task}, **sections)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_spec_need_not_say_anything(task: str) -> None:
    spec = spec_of(task)
    assert spec.training == Training()
    assert spec.decision == Decision()
    assert ModelSpec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("task", "sections"),
    [
        ("regression", {"training": {"loss": "quantile", "quantile": 0.9, "target_transform": "log"}}),
        ("multiclass", {"training": {"class_weights": "balanced"}, "decision": {"calibration": "sigmoid"}}),
        ("binary", {"decision": {"objective": "cost", "cost": {"false_positive": 1, "false_negative": 20}}}),
        ("binary", {"decision": {"objective": "precision_at_recall", "recall": 0.8, "calibration": "isotonic"}}),
        ("regression", {"decision": {"calibration": "none"}}),
    ],
)
def test_what_fits_the_task_is_taken(task: str, sections: dict[str, Any]) -> None:
    spec = spec_of(task, **sections)
    assert ModelSpec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("task", "sections", "message"),
    [
        ("binary", {"training": {"loss": "absolute_error"}}, "for regressions, not for a binary task"),
        ("multiclass", {"training": {"target_transform": "log"}}, "for regressions, not for a multiclass task"),
        ("regression", {"training": {"class_weights": "balanced"}}, "a regression has no classes"),
        ("regression", {"training": {"loss": "quantile"}}, "'quantile' goes with `loss: quantile`"),
        ("regression", {"training": {"quantile": 0.5}}, "'quantile' goes with `loss: quantile`"),
        ("regression", {"training": {"loss": "quantile", "quantile": 1}}, "less than 1"),
        ("binary", {"training": {"class_weights": {"yes": 0}}}, "greater than 0"),
        ("binary", {"training": {"class_weights": {"yes": float("inf")}}}, "finite number"),
        ("binary", {"training": {"class_weights": "blanced"}}, "'none' or 'balanced'"),
        ("binary", {"training": {"class_weights": {True: 2}}}, "put the names of classes in quotes"),
        ("binary", {"training": {"monotone": {"age": "up"}}}, "'increasing' or 'decreasing'"),
        ("binary", {"training": {"monotnoe": {}}}, "did you mean 'monotone'"),
        ("regression", {"decision": {"objective": "mcc"}}, "mcc is for binary tasks: a regression task has no"),
        ("multiclass", {"decision": {"objective": "accuracy"}}, "accuracy is for binary tasks: a multiclass task has"),
        ("regression", {"decision": {"calibration": "sigmoid"}}, "no probabilities to calibrate"),
        ("multiclass", {"decision": {"calibration": "isotonic"}}, "isotonic is for binary tasks"),
        ("binary", {"decision": {"objective": "cost"}}, "'cost' goes with `objective: cost`"),
        ("binary", {"decision": {"recall": 0.5}}, "'recall' goes with `objective: precision_at_recall`"),
        ("binary", {"decision": {"objective": "precision_at_recall", "recall": 0}}, "greater than 0"),
        (
            "binary",
            {"decision": {"objective": "cost", "cost": {"false_positive": 0, "false_negative": 1}}},
            "greater than 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_remedy(task: str, sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec_of(task, **sections)


def test_classes_that_yaml_reads_as_numbers_are_text() -> None:
    training = Training.model_validate(yaml.safe_load("class_weights: {0: 1, 1: 5.5}"))
    assert training.class_weights == {"0": 1.0, "1": 5.5}


@pytest.mark.parametrize("kind", ["string", "boolean", "date", "datetime"])
def test_a_weight_is_a_number(kind: str) -> None:
    with pytest.raises(ValidationError, match="`role: weight` needs type integer or number"):
        spec_of("binary", {**COLUMNS, "w": {"type": kind, "role": "weight"}})


def test_one_column_is_the_weight() -> None:
    weight = {"type": "number", "role": "weight"}
    assert spec_of("binary", {**COLUMNS, "w": weight}).one_with_role("weight") == "w"
    with pytest.raises(ValidationError, match="columns w, v all have `role: weight`; leave it to one"):
        spec_of("binary", {**COLUMNS, "w": weight, "v": weight})
