"""What both sides work on: the example's spec with a fixed number of trials, on three months of flights."""

from __future__ import annotations

from pathlib import Path

import yaml

from training_assets.spec import ModelSpec

ROOT = Path(__file__).resolve().parents[2]
MODEL = "flight_delays"
MONTHS = 3


def spec(trials: int) -> ModelSpec:
    """The example's spec, with trials instead of a budget of seconds, so that both sides do the very same trials."""
    attributes = yaml.safe_load((ROOT / "training_assets" / "defs" / MODEL / "defs.yaml").read_text())["attributes"]
    attributes["source"]["path"] = months()
    attributes["search"] |= {"trials": trials, "budget_seconds": 100_000}
    return ModelSpec.model_validate(attributes)


def months() -> list[str]:
    """The first months of flights."""
    return [str(path) for path in sorted((ROOT / "examples" / "flights" / "batches").glob("*.parquet"))[:MONTHS]]
