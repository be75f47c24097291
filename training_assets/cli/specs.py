"""Writing a drafted spec into the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from training_assets.core.artifact_format import write_file
from training_assets.core.errors import InputError
from training_assets.core.inference.draft import Draft, draft, draft_rows, model_name, to_yaml
from training_assets.core.ingestion.databases.reader import query_rows
from training_assets.definitions import places
from training_assets.resources.places import PACKAGE
from training_assets.spec import Database, MetricRule, ModelSpec, Source


def write_draft(data: Path, target: str | None, *, name: str | None, overwrite: bool) -> dict[str, Any]:
    """Infer and write `defs/<model>/defs.yaml`; raises `InputError` where a question is open or the model exists."""
    return _written(draft(data, target, name=name, root=places().root), overwrite=overwrite)


def write_draft_of_query(
    database: Mapping[str, Any], target: str | None, *, name: str | None, overwrite: bool
) -> dict[str, Any]:
    """As `write_draft`, for the rows of a query; `database` is the spec's section of that name."""
    try:
        section = Database.model_validate({key: value for key, value in database.items() if value})
    except ValidationError as error:
        wrong = "; ".join(f"{' '.join(map(str, each['loc']))} {each['msg']}".strip() for each in error.errors()[:5])
        raise InputError("E_SPEC", wrong) from None
    where = places()
    rows = query_rows(section, where.root, where.secrets)
    model = name or model_name(section.path or section.engine)
    return _written(draft_rows(Source(database=section), rows, target, name=model), overwrite=overwrite)


def _written(drafted: Draft, *, overwrite: bool) -> dict[str, Any]:
    model = str(drafted.spec.name)
    path = PACKAGE / "defs" / model / "defs.yaml"
    if path.exists() and not overwrite:
        message = f"model '{model}' exists ({path}); choose another --name, or replace it with --overwrite"
        raise InputError("E_EXISTS", message)
    if elsewhere := [each for each in files_defining(model) if each != path]:
        raise InputError("E_EXISTS", f"model '{model}' exists ({elsewhere[0]}); choose another --name")
    write_file(path, to_yaml(drafted.spec).encode())
    return {
        "model": model,
        "spec": str(path),
        "rows": drafted.rows,
        "task": drafted.spec.target.task,
        "summary": summary(drafted.spec),
        "assumptions": drafted.assumptions,
        "questions": [vars(question) for question in drafted.questions],
    }


def files_defining(model: str) -> list[Path]:
    """Every `defs.yaml` that says a model of this name, or lies in a folder of its name and says none."""
    return [path for path in sorted((PACKAGE / "defs").rglob("defs.yaml")) if model in _models_of(path)]


def _models_of(path: Path) -> list[str]:
    try:
        documents = [each for each in yaml.safe_load_all(path.read_text()) if isinstance(each, dict)]
    except (yaml.YAMLError, UnicodeDecodeError):
        return []  # loading the project says what is wrong with it
    said = [each["attributes"] for each in documents if isinstance(each.get("attributes"), dict)]
    return [str(each.get("name") or path.parent.name) for each in said if "columns" in each]


def summary(spec: ModelSpec) -> str:
    """What the spec makes of the table, in a sentence."""
    target, split, gates = spec.target, spec.split, spec.evaluation.gates
    classes = f" with {len(target.classes)} classes" if target.classes else ""
    features = [spec.columns[name] for name in spec.raw_features]
    categories = sum(column.is_categorical for column in features)
    quantities = len(features) - categories
    kinds = (
        f"{quantities} {'quantity' if quantities == 1 else 'quantities'} and "
        f"{categories} {'category' if categories == 1 else 'categories'}"
    )
    derived = f", {len(spec.features.derived)} derived" if spec.features.derived else ""
    rules = ", ".join(f"{gate.kind} {gate.metric}" if isinstance(gate, MetricRule) else gate.kind for gate in gates)
    label = target.column or target.expression
    dealt = f"{split.method} split {split.train:.0%}/{split.validation:.0%}/{split.test:.0%}"
    return (
        f"{target.task}{classes}, label {label}; {kinds} as features{derived}; {dealt}; gates: {rules or 'none'}; "
        f"search budget {spec.search.budget_seconds:g} s"
    )
