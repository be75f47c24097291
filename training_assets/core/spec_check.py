"""Everything in a spec that is wrong before any row is read, so that it is said when the project loads."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from training_assets.core.class_weights import class_weights
from training_assets.core.errors import InputError
from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.aims import Aims
from training_assets.core.evaluation.gates import unknown_metrics
from training_assets.core.features.declared import feature_names
from training_assets.core.features.expressions import compile_expression
from training_assets.core.features.table import DEALT_BY, check_expressions
from training_assets.core.ingestion.databases.query import read_query
from training_assets.core.learning import learning
from training_assets.core.project_code import project_file
from training_assets.core.search.scores import metric
from training_assets.core.validation.cross_rules import check_rules
from training_assets.core.validation.duplicates import check_keys
from training_assets.core.validation.label import declared_classes
from training_assets.spec import ModelSpec, OwnMetric, overlapping

SHOWN = 20


def check_spec(spec: ModelSpec, root: Path) -> None:
    """Refuse expressions, joins, queries, rules, keys and metrics that cannot work; paths are relative to `root`.

    Raises `InputError`: those of `check_expressions`, `read_query`, `check_rules` and `check_keys`, `E_METRIC` for a
    metric that the model does not have, and those of `check_slices` and `check_training`.
    """
    check_expressions(spec, root)
    database = spec.source.database
    if database is not None:
        read_query(database.query, database.parameters, database.engine)
    check_rules(spec)
    check_keys(spec)
    aims = Aims.of(spec)
    unknown = unknown_metrics(spec.target.task, spec.evaluation.gates, aims)
    if unknown:
        raise InputError("E_METRIC", metrics.near(spec.target.task, unknown[0], aims))
    if spec.target.task == "regression" and any(rule.kind == "calibration" for rule in spec.evaluation.gates):
        message = "evaluation.gates: a calibration rule asks for probabilities, and a regression has none; remove it"
        raise InputError("E_METRIC", message)
    check_slices(spec)
    check_search_metric(spec, root)
    check_training(spec)


def check_targets(specs: Mapping[str, ModelSpec], root: Path) -> None:
    """Refuse folders that two directory targets, of whichever models, would both write to; raises `E_SPEC`."""
    folders = {
        f"{model}: release.targets.{name}": root / folder
        for model, spec in specs.items()
        for name, folder in spec.release.folders.items()
    }
    found = overlapping(folders)
    if found is not None:
        message = (
            f"{found[0]} writes to {folders[found[0]]}, and {found[1]} to {folders[found[1]]}: the same folder, or one "
            "in the other; give each a folder of its own"
        )
        raise InputError("E_SPEC", message)


def check_slices(spec: ModelSpec) -> None:
    """Refuse slices by what no column of the feature table is called; a type that does not fit shows with the rows."""
    known = list(dict.fromkeys([*feature_names(spec), *(name for role in DEALT_BY for name in spec.with_role(role))]))
    for name, asked in spec.evaluation.slices.items():
        if asked.where is not None:
            compile_expression(asked.where, dict.fromkeys(known), {}, f"evaluation.slices.{name}.where")
        for column in asked.columns:
            if column not in known:
                hint = _hint(column, known)
                raise InputError(
                    "E_SLICE", f"evaluation.slices.{name} names '{column[:80]}', which is no feature; {hint}"
                )


def check_search_metric(spec: ModelSpec, root: Path) -> None:
    """Refuse a metric that the task's searches do not know, or a function whose file there is not; it is not run."""
    wanted, task = spec.search.metric, spec.target.task
    if isinstance(wanted, OwnMetric):
        project_file(wanted.function.partition(":")[0], root, "search.metric", "E_METRIC")
    else:
        metric(wanted, task, learning(spec.training, task))


def check_training(spec: ModelSpec) -> None:
    """Refuse class weights of classes that `target.classes` lacks, and directions of what no feature is called.

    What a feature's quantities are called (`when__hour`), and which classes there are, is known for certain when rows
    are, and checked then.
    """
    classes = declared_classes(spec.target)
    if classes is not None and isinstance(spec.training.class_weights, dict):
        class_weights(spec.training, classes, np.zeros(0, dtype=np.int32))
    features = feature_names(spec)
    for name in spec.training.monotone:
        if name not in features and name.rpartition("__")[0] not in features:
            hint = _hint(name, features)
            raise InputError("E_MONOTONE", f"training.monotone names '{name[:80]}', which is no feature; {hint}")


def _hint(name: str, features: list[str]) -> str:
    near = difflib.get_close_matches(name, features, n=1)
    return f"did you mean '{near[0][:80]}'?" if near else f"features: {', '.join(features[:SHOWN])[:500]}"
