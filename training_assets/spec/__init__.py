"""The declarative spec: what a user writes in one YAML file, as closed pydantic models."""

from training_assets.spec.card import Card
from training_assets.spec.columns import Column
from training_assets.spec.decision import Cost, Decision
from training_assets.spec.drift import Drift
from training_assets.spec.encoding import Encoding
from training_assets.spec.evaluation import (
    AnyRule,
    BeatsDummyRule,
    CalibrationRule,
    CardRule,
    ChangeRule,
    Evaluation,
    MetricRule,
    ParityRule,
    RuntimeRule,
    Slice,
    SliceRule,
    SuspiciousRule,
    ValueRule,
)
from training_assets.spec.features import AsOf, Features, Join
from training_assets.spec.leakage import Leakage
from training_assets.spec.model import ModelSpec
from training_assets.spec.release import Approvals, DirectoryTarget, Release, WebhookTarget, overlapping
from training_assets.spec.search import OwnMetric, Search
from training_assets.spec.source import Csv, Database, Delta, Feast, ObjectStore, Source
from training_assets.spec.split import Split
from training_assets.spec.target import Target
from training_assets.spec.training import Training
from training_assets.spec.validation import Duplicates, Validation

__all__ = [
    "AnyRule",
    "Approvals",
    "AsOf",
    "BeatsDummyRule",
    "CalibrationRule",
    "Card",
    "CardRule",
    "ChangeRule",
    "Column",
    "Cost",
    "Csv",
    "Database",
    "Decision",
    "Delta",
    "DirectoryTarget",
    "Drift",
    "Duplicates",
    "Encoding",
    "Evaluation",
    "Feast",
    "Features",
    "Join",
    "Leakage",
    "MetricRule",
    "ModelSpec",
    "ObjectStore",
    "OwnMetric",
    "ParityRule",
    "Release",
    "RuntimeRule",
    "Search",
    "Slice",
    "SliceRule",
    "Source",
    "Split",
    "SuspiciousRule",
    "Target",
    "Training",
    "Validation",
    "ValueRule",
    "WebhookTarget",
    "overlapping",
]
