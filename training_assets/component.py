"""What one `defs.yaml` turns into: the stages of one model, under its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Self

import dagster as dg
from pydantic import BaseModel

from training_assets import automation
from training_assets.assets import (
    cases,
    drift,
    encoding,
    evaluation,
    features,
    live,
    raw,
    registration,
    splits,
    staging,
    tuning,
    validation,
)
from training_assets.checks import evaluation as evaluation_checks
from training_assets.checks import leakage as leakage_checks
from training_assets.checks import raw as raw_checks
from training_assets.checks import splits as split_checks
from training_assets.checks import validation as validation_checks
from training_assets.core.errors import InputError
from training_assets.core.spec_check import check_spec
from training_assets.resources.places import PACKAGE, ROOT
from training_assets.spec import ModelSpec
from training_assets.spec.model import MODEL_NAME

STAGES: dict[str, list[ModuleType]] = {
    "data": [raw, validation, drift],
    "features": [features, splits, encoding],
    "model": [tuning, evaluation],
    "release": [registration, staging, live, cases],
}
CHECKS: list[ModuleType] = [raw_checks, validation_checks, split_checks, leakage_checks]


@dataclass(frozen=True)
class TrainingPipeline(dg.Component):
    """A governed training pipeline for one model, from raw labelled rows to a released version."""

    name: str
    spec: ModelSpec
    place: str
    """Its file, under `defs/`."""

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The spec is the schema of `attributes`."""
        return ModelSpec

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Take the spec; the folder's name is the model's, unless the spec names it."""
        if not isinstance(attributes, ModelSpec):
            message = f"{context.path}: `attributes` is missing; start with `training-assets init DATA --target COLUMN`"
            raise TypeError(message)
        name, place = attributes.name or context.path.name, _place(context.path)
        if re.match(MODEL_NAME, name) is None:
            message = f"{place}: '{name[:80]}' can name no model; say `name:`, of a-z, 0-9 and _, a letter first"
            raise InputError("E_NAME", message)
        try:
            check_spec(attributes, ROOT)
        except InputError as error:
            raise InputError(error.code, f"{place}: {error.text}") from error
        return cls(name=name, spec=attributes, place=place)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002 - the component protocol
        """All stages, checks, jobs and sensors of the model."""
        return assemble(self.name, self.spec)


def _place(folder: Path) -> str:
    models = PACKAGE / "defs"
    return f"{folder.relative_to(models) if folder.is_relative_to(models) else folder.name}/defs.yaml"


def assemble(name: str, spec: ModelSpec) -> dg.Definitions:
    """The graph of one model: every module-level asset and check once more, under the model's name, and its rules'."""
    modules = [module for stage in STAGES.values() for module in stage]
    loaded = dg.load_assets_from_modules(modules, key_prefix=name, group_name=name)
    assets = [asset for asset in loaded if isinstance(asset, dg.AssetsDefinition)]
    jobs = automation.jobs(name, spec)
    return dg.Definitions(
        assets=[asset.map_asset_specs(lambda each: each.merge_attributes(owners=spec.owners)) for asset in assets],
        asset_checks=[
            *dg.load_asset_checks_from_modules(CHECKS, asset_key_prefix=name),
            evaluation_checks.of_its_rules(name, spec),
        ],
        jobs=[*jobs, *automation.forms(name), *automation.inspections(name)],
        sensors=automation.sensors(name, jobs),
    )
