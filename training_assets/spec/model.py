"""The whole spec of one model: what one `defs.yaml` says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from training_assets.spec.card import Card
from training_assets.spec.columns import Column
from training_assets.spec.decision import Decision
from training_assets.spec.encoding import Encoding
from training_assets.spec.evaluation import Evaluation
from training_assets.spec.features import Features
from training_assets.spec.release import Release
from training_assets.spec.search import Search
from training_assets.spec.section import Section
from training_assets.spec.source import Source
from training_assets.spec.split import Split
from training_assets.spec.target import Target
from training_assets.spec.training import Training
from training_assets.spec.validation import Validation

MAX_COLUMNS = 2000
TEXT_FORMATS = ("csv", "jsonl", "arff", "excel")
"""Files whose cells stay text in `raw_data`; a change of a column's type does not read them anew."""
MODEL_NAME = r"^[a-z][a-z0-9_]{0,62}$"
ModelName = Annotated[str, Field(pattern=MODEL_NAME)]


class ModelSpec(Section):
    """One model: its rows, what is predicted from them, and what a version must satisfy to be released."""

    name: ModelName | None = Field(None, description="Name of the model; default: the folder's name.")
    description: str = Field("", max_length=500, description="What the model answers, in a sentence.")
    owners: list[str] = Field(default_factory=list, description="E-mail addresses, or `team:name`.")
    source: Source = Field(description="Where rows come from.")
    columns: dict[str, Column] = Field(min_length=1, max_length=MAX_COLUMNS, description="The schema of the raw rows.")
    target: Target = Field(description="What is predicted.")
    validation: Validation = Field(default_factory=Validation, description="Limits for whole batches.")
    features: Features = Field(default_factory=Features, description="Derived columns and joins.")
    split: Split = Field(default_factory=Split, description="Training, validation and test rows.")
    encoding: Encoding = Field(default_factory=Encoding, description="Scaling and encoding.")
    training: Training = Field(default_factory=Training, description="Loss, weights and constraints.")
    search: Search = Field(default_factory=Search, description="Families and hyperparameter search.")
    decision: Decision = Field(default_factory=Decision, description="Calibration and operating point.")
    evaluation: Evaluation = Field(default_factory=Evaluation, description="Metrics and gates.")
    card: Card = Field(default_factory=Card, description="What only people can say about the model.")
    release: Release = Field(default_factory=Release, description="Production, approvals and targets.")

    @model_validator(mode="after")
    def _names_agree(self) -> ModelSpec:
        label = self.target.column
        if label is not None and label not in self.columns:
            message = f"target.column '{label}' is not under columns; known: {', '.join(list(self.columns)[:20])}"
            raise ValueError(message)
        for key, names in (
            ("source.partitions", self.source.partitions),
            ("source.feast.time", [self.source.feast.time] if self.source.feast else []),
            ("source.feast.features", self.source.feast.columns if self.source.feast else []),
            ("validation.duplicates.keys", self.validation.duplicates.keys),
            ("validation.leakage.waive", list(self.validation.leakage.waive)),
            ("validation.drift.columns", list(self.validation.drift.columns)),
            ("encoding.columns", list(self.encoding.columns)),
        ):
            unknown = [name for name in names if name not in self.columns and name not in self.made]
            if unknown:
                message = f"{key} names '{unknown[0]}', which is not under columns"
                raise ValueError(message)
        if len(self.with_role("weight")) > 1:
            message = f"columns {', '.join(self.with_role('weight')[:5])} all have `role: weight`; leave it to one"
            raise ValueError(message)
        for role, needed_by in (
            ("group", ("group", "time+group")),
            ("time", ("time", "time+group")),
            ("split", ("column",)),
        ):
            if self.split.method in needed_by and len(self.with_role(role)) != 1:
                message = f"split.method {self.split.method} needs exactly one column with `role: {role}`"
                raise ValueError(message)
        if not self.raw_features and not self.features.derived and not self.features.joins:
            message = "no column is a feature; give at least one `role: feature` or derive one"
            raise ValueError(message)
        for name in self.features.derived:
            if name in self.columns:
                message = f"features.derived.{name} has the name of a raw column; choose another"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _training_and_decision_fit_the_task(self) -> ModelSpec:
        task, training, decision = self.target.task, self.training, self.decision
        if task != "regression" and (training.loss != "auto" or training.target_transform != "none"):
            message = f"training.loss and training.target_transform are for regressions, not for a {task} task"
            raise ValueError(message)
        if task == "regression" and training.class_weights != "none":
            message = "a regression has no classes; remove training.class_weights"
            raise ValueError(message)
        if task != "binary" and decision.objective != "f1":
            message = f"decision.objective {decision.objective} is for binary tasks: a {task} task has no threshold"
            raise ValueError(message)
        if task == "regression" and decision.calibration not in {"auto", "none"}:
            message = "a regression has no probabilities to calibrate; remove decision.calibration"
            raise ValueError(message)
        if task == "multiclass" and decision.calibration == "isotonic":
            message = "decision.calibration isotonic is for binary tasks; for many classes use auto, sigmoid or none"
            raise ValueError(message)
        return self

    def reading_part(self) -> dict[str, Any]:
        """What decides how files become raw rows: a change of it reads every file anew."""
        types = {name: column.type for name, column in self.columns.items()}
        source = self.source
        if source.kind != "files":
            what = source.model_dump(mode="json", include={str(source.kind)})
            return {"source": what, "columns": types}
        dialect = source.dialect.model_dump(mode="json") if source.format == "csv" else None
        as_text = source.format in TEXT_FORMATS
        part: dict[str, Any] = {
            "format": source.format,
            "dialect": dialect,
            "columns": list(types) if as_text else types,
        }
        for name in ("compression", "sheet", "partitions", "feast"):
            value = source.model_dump(mode="json")[name]
            if value:
                part[name] = value
        return part

    def schema_part(self) -> dict[str, Any]:
        """What decides which rows are sound: a change of it sorts every batch anew."""
        columns = {name: column.model_dump(mode="json", exclude={"because"}) for name, column in self.columns.items()}
        return {
            "columns": columns,
            "target": self.target.model_dump(mode="json"),
            "decimal": self.source.dialect.decimal,
            "max_quarantined": self.validation.max_quarantined,
            **({"rules": self.validation.rules} if self.validation.rules else {}),
        }

    def feature_part(self) -> dict[str, Any]:
        """What decides the feature table's columns, and which rows of a key are in it."""
        duplicates = self.validation.duplicates
        roles = {name: [column.role, column.type, column.is_categorical] for name, column in self.columns.items()}
        return {
            "roles": roles,
            "target": self.target.model_dump(mode="json"),
            "features": self.features.model_dump(mode="json"),
            **({"duplicates": duplicates.model_dump(mode="json")} if duplicates.keep in {"first", "last"} else {}),
        }

    def one_with_role(self, role: str) -> str | None:
        """The column with a role, if there is exactly one."""
        names = self.with_role(role)
        return names[0] if len(names) == 1 else None

    def with_role(self, role: str) -> list[str]:
        """Names of the columns with a role, in the spec's order; never the label."""
        return [name for name, column in self.columns.items() if column.role == role and name != self.target.column]

    @property
    def made(self) -> list[str]:
        """Features that are derived or joined, in the spec's order."""
        joined = [f"{join.prefix}{name}" for join in self.features.joins for name in join.columns]
        return [*joined, *self.features.derived]

    @property
    def raw_features(self) -> list[str]:
        """Raw columns that the model may read."""
        return self.with_role("feature")

    @property
    def hidden(self) -> list[str]:
        """Columns that no feature may be made from: leaking ones and the label."""
        label = [] if self.target.column is None else [self.target.column]
        return [*self.with_role("leaking"), *label]
