from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training_assets.core.errors import InputError
from training_assets.core.spec_check import check_spec, check_targets
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec

COLUMNS = {"age": "number", "plan": "string", "when": {"type": "datetime", "role": "ignored"}}
BINARY = {"column": "y", "task": "binary", "classes": ["no", "yes"]}
VALUE = {"column": "y", "task": "regression"}


def check(root: Path, target: dict[str, Any] = BINARY, **sections: Any) -> None:
    label = {"type": "number" if target is VALUE else "string", "role": "ignored"}
    check_spec(small_spec({**COLUMNS, "y": label}, target, **sections), root)


@pytest.mark.parametrize(
    ("target", "sections"),
    [
        (BINARY, {"search": {"metric": "mcc"}}),
        (BINARY, {"training": {"class_weights": {"yes": 5}, "monotone": {"age": "increasing"}}}),
        (BINARY, {"training": {"class_weights": "balanced"}}),
        (BINARY, {"training": {"monotone": {"age__log": "increasing"}}}),
        (VALUE, {"search": {"metric": "rmsle"}, "training": {"target_transform": "log"}}),
        (VALUE, {"search": {"metric": "pinball_loss"}, "training": {"loss": "quantile", "quantile": 0.9}}),
        (VALUE, {"training": {"loss": "quantile", "quantile": 0.9}}),
        (
            VALUE,
            {
                "training": {"loss": "quantile", "quantile": 0.9},
                "evaluation": {"gates": [{"kind": "beats_dummy", "metric": "pinball_loss"}]},
            },
        ),
        (BINARY, {"evaluation": {"slices": {"plans": {"columns": ["plan"]}, "old": {"where": "age > 60"}}}}),
    ],
)
def test_sound_training_is_sound(tmp_path: Path, target: dict[str, Any], sections: dict[str, Any]) -> None:
    check(tmp_path, target, **sections)


@pytest.mark.parametrize(
    ("target", "sections", "message"),
    [
        (BINARY, {"search": {"metric": "roc_acu"}}, "E_METRIC: search.metric 'roc_acu' .*did you mean 'roc_auc'"),
        (BINARY, {"search": {"metric": "rmse"}}, "E_METRIC: search.metric 'rmse' is none that a binary search knows"),
        (VALUE, {"search": {"metric": "pinball_loss"}}, "E_METRIC: .*goes with `training.loss: quantile`"),
        (
            BINARY,
            {"search": {"metric": {"function": "mine.metrics:profit", "better": "higher"}}},
            "E_METRIC: search.metric: no mine/metrics.py below",
        ),
        (
            BINARY,
            {"evaluation": {"gates": [{"kind": "value", "metric": "rmse", "max": 1}]}},
            "E_METRIC: 'rmse' is no metric of a binary task",
        ),
        (
            VALUE,
            {"evaluation": {"gates": [{"kind": "value", "metric": "pinball_loss", "max": 1}]}},
            "E_METRIC: 'pinball_loss' is no metric of a regression task; it goes with `training.loss: quantile`",
        ),
        (VALUE, {"evaluation": {"gates": [{"kind": "calibration"}]}}, "E_METRIC: .*a regression has none"),
        (BINARY, {"evaluation": {"slices": {"plans": {"columns": ["pla"]}}}}, "E_SLICE: .*'pla'.*did you mean 'plan'"),
        (BINARY, {"evaluation": {"slices": {"late": {"columns": ["when"]}}}}, "E_SLICE: .*'when'.*features: age, plan"),
        (BINARY, {"evaluation": {"slices": {"old": {"where": "agee > 60"}}}}, "E_EXPRESSION: .*slices.old.where"),
        (BINARY, {"evaluation": {"slices": {"old": {"where": "((("}}}}, "E_EXPRESSION: .*slices.old.where"),
        (BINARY, {"training": {"class_weights": {"maybe": 2}}}, "E_CLASS_WEIGHT: .*'maybe'.*classes: no, yes"),
        (BINARY, {"training": {"monotone": {"agee": "increasing"}}}, "E_MONOTONE: .*'agee'.*did you mean 'age'"),
        (BINARY, {"training": {"monotone": {"when": "increasing"}}}, "E_MONOTONE: .*'when'.*features: age, plan"),
    ],
)
def test_unsound_training_is_refused_before_any_row_is_read(
    tmp_path: Path, target: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check(tmp_path, target, **sections)


def test_a_metric_of_the_projects_own_is_looked_for_and_not_run(tmp_path: Path) -> None:
    (tmp_path / "metrics_not_run.py").write_text("raise RuntimeError('imported')")
    check(tmp_path, search={"metric": {"function": "metrics_not_run:profit", "better": "higher"}})


def serving(path: str) -> ModelSpec:
    release = {"targets": {"serving": {"kind": "directory", "path": path}}}
    return small_spec({**COLUMNS, "y": {"type": "string", "role": "ignored"}}, BINARY, release=release)


@pytest.mark.parametrize("other", ["served/a", "./served/b/../a", "served", "served/a/b", "{root}/served/a"])
def test_two_models_that_write_to_one_folder_are_refused(tmp_path: Path, other: str) -> None:
    specs = {"one": serving("served/a"), "two": serving(other.format(root=tmp_path))}
    with pytest.raises(InputError, match=r"E_SPEC: one: release\.targets\.serving .* two: release\.targets\.serving"):
        check_targets(specs, tmp_path)


def test_models_with_a_folder_each_are_sound(tmp_path: Path) -> None:
    check_targets({"one": serving("served/a"), "two": serving("served/ab"), "none": serving("elsewhere")}, tmp_path)
