"""Everything in a spec that is wrong before any row is read, so that it is said when the project loads."""

from __future__ import annotations

from pathlib import Path

from training_assets.core.errors import InputError
from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.gates import unknown_metrics
from training_assets.core.features.table import check_expressions
from training_assets.core.ingestion.databases.query import read_query
from training_assets.core.validation.cross_rules import check_rules
from training_assets.core.validation.duplicates import check_keys
from training_assets.spec import ModelSpec


def check_spec(spec: ModelSpec, root: Path) -> None:
    """Refuse expressions, joins, queries, rules, keys and metrics that cannot work; paths are relative to `root`.

    Raises `InputError`: those of `check_expressions`, `read_query`, `check_rules` and `check_keys`, and `E_METRIC` for
    a metric that the task does not have.
    """
    check_expressions(spec, root)
    database = spec.source.database
    if database is not None:
        read_query(database.query, database.parameters, database.engine)
    check_rules(spec)
    check_keys(spec)
    task = spec.target.task
    asked = list(unknown_metrics(task, spec.evaluation.gates))
    if spec.search.metric is not None and spec.search.metric not in metrics.names(task):
        asked.append(spec.search.metric)
    if asked:
        raise InputError("E_METRIC", metrics.near(task, asked[0]))
