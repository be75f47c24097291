"""The declarative spec: what a user writes in one YAML file, as closed pydantic models."""

from training_assets.spec.columns import Column
from training_assets.spec.decision import Cost, Decision
from training_assets.spec.drift import Drift
from training_assets.spec.encoding import Encoding
from training_assets.spec.evaluation import BeatsDummyRule, Evaluation, ValueRule
from training_assets.spec.features import AsOf, Features, Join
from training_assets.spec.leakage import Leakage
from training_assets.spec.model import ModelSpec
from training_assets.spec.search import OwnMetric, Search
from training_assets.spec.source import Csv, Database, Delta, Feast, ObjectStore, Source
from training_assets.spec.split import Split
from training_assets.spec.target import Target
from training_assets.spec.training import Training
from training_assets.spec.validation import Duplicates, Validation

__all__ = [
    "AsOf",
    "BeatsDummyRule",
    "Column",
    "Cost",
    "Csv",
    "Database",
    "Decision",
    "Delta",
    "Drift",
    "Duplicates",
    "Encoding",
    "Evaluation",
    "Feast",
    "Features",
    "Join",
    "Leakage",
    "ModelSpec",
    "ObjectStore",
    "OwnMetric",
    "Search",
    "Source",
    "Split",
    "Target",
    "Training",
    "Validation",
    "ValueRule",
]
