"""Which folder holds what: the embedded default, where everything lives under one home."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from training_assets.resources.ledger import Ledger
from training_assets.resources.reviews import Reviews
from training_assets.resources.secrets import Secrets
from training_assets.resources.tables import Tables

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
"""The project: what paths in specs are relative to."""


@dataclass(frozen=True)
class Places:
    """The project's root, that paths in specs are relative to, and its home, where results are kept."""

    root: Path
    home: Path
    ledger_url: str | None = field(default=None, repr=False)  # may hold a password; default: a file in the home
    ui_url: str | None = None
    """Where Dagster's UI is, for links in what is told to people; none where nobody said."""

    @cached_property
    def tables(self) -> Tables:
        """Delta tables of all models."""
        return Tables(self.home / "tables")

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger; created on first use."""
        self.home.mkdir(parents=True, exist_ok=True)
        return Ledger(self.ledger_url or f"sqlite:///{self.home / 'ledger.db'}")

    @property
    def reviews(self) -> Reviews:
        """What waits for a person, of all models."""
        return Reviews(self.ledger)

    @property
    def secrets(self) -> Secrets:
        """Reads the secrets that specs refer to."""
        return Secrets(self.root)

    @property
    def artifacts(self) -> Path:
        """Folder of the artifacts of all models."""
        return self.home / "artifacts"

    @property
    def pages(self) -> Path:
        """Folder of reports and model cards, for people."""
        return self.home / "pages"

    def report_page(self, model: str, verdict: str) -> Path:
        """The page of the report that a verdict, by its digest, is about."""
        return self.pages / model / verdict / "report.html"

    def run_url(self, run_id: str) -> str | None:
        """A run's page in Dagster's UI; none where nobody said where that is."""
        return None if self.ui_url is None else f"{self.ui_url.rstrip('/')}/runs/{run_id}"

    @property
    def mlflow_uri(self) -> str:
        """MLflow's tracking and registry database."""
        return f"sqlite:///{self.mlflow_database}"

    @property
    def mlflow_database(self) -> Path:
        """Its file; `resources.mlflow_database` makes it."""
        return self.home / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """Folder of what MLflow keeps."""
        return self.home / "mlflow"

    @property
    def seen(self) -> Path:
        """Folder of notes of files that were read; worth time alone."""
        return self.home / "seen"

    @property
    def locks(self) -> Path:
        """Folder of locks between processes."""
        return self.home / "locks"

    @property
    def dagster_home(self) -> Path:
        """Folder of Dagster's own instance."""
        return self.home / "dagster"
