"""The embedded example: months of flights that land one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training_assets.cli.running import run_model
from training_assets.cli.who import actor
from training_assets.core.artifact_format import write_file
from training_assets.core.errors import InputError
from training_assets.definitions import places

MODEL = "flight_delays"
FIRST_MONTHS = 3


def land_first_months(say: Callable[[str], None]) -> None:
    """Put the first months into the landing folder, unless months lie there already."""
    months, landing = _folders()
    if any(landing.glob("*.parquet")):
        return
    for month in months[:FIRST_MONTHS]:
        _land(month, landing, say)


def land_next_month(say: Callable[[str], None]) -> None:
    """Put the next month into the landing folder; raises `InputError` (`E_NO_MORE`) after December."""
    months, landing = _folders()
    left = [month for month in months if not (landing / month.name).exists()]
    if not left:
        raise InputError("E_NO_MORE", f"all {len(months)} months have landed; remove {landing} to start over")
    _land(left[0], landing, say)


def run_and_point_on(say: Callable[[str], None]) -> int:
    """Run the model, say what to look at next, and give the exit status."""
    outcome = run_model(MODEL, force=False, by=actor(None), say=say)
    say(outcome.summary())
    if outcome.nothing_new:
        say("next: `make next-batch` lands the next month of flights and retrains")
    else:
        say(
            "next: `make dev` shows asset graph, plots and checks at http://127.0.0.1:3000 (MLflow at :5000)\n"
            f"      `.venv/bin/training-assets status {MODEL}` shows the versions\n"
            "      `make next-batch` lands the next month of flights and retrains"
        )
    return outcome.exit_status


def _folders() -> tuple[list[Path], Path]:
    root = places().root
    return sorted((root / "examples" / "flights" / "batches").glob("*.parquet")), root / "landing" / "flights"


def _land(month: Path, landing: Path, say: Callable[[str], None]) -> None:
    """Write beside, then rename into place: a sensor never sees half a file."""
    write_file(landing / month.name, month.read_bytes())
    say(f"landed {month.name} in {landing}")
