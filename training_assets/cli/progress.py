"""A run's events, said as they happen: one line a stage, with what it made or why it failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Kind

from training_assets.resources.failures import CODE
from training_assets.resources.tracking import OPENING

ROWS = "dagster/row_count"
SHOWN = ("dataset_version", "family", "verdict", "version", "trials", "batches")
MARKS = {logging.INFO: " ", logging.WARNING: "!"}


class Progress:
    """Collects what a run says, and says it on."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` gets one line at a time."""
        self._say = say
        self._made: dict[str, list[str]] = {}
        self._said: set[tuple[str, str | None]] = set()
        self.seconds: dict[str, float] = {}
        self.problems: list[str] = []
        self.failed_checks: list[str] = []
        self.bad_input = False

    def on_event(self, entry: dg.EventLogEntry) -> None:
        """Take one entry of a run's log."""
        event = entry.dagster_event
        if event is None:
            if entry.level in MARKS and entry.step_key and not entry.user_message.startswith(OPENING):
                self._say(f"  {MARKS[entry.level]} {entry.user_message}")
            return
        step = (event.step_key or "").rpartition("__")[2]
        if event.event_type == Kind.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            self._made.setdefault(event.step_key or "", []).append(_line(materialization))
        elif event.event_type == Kind.ASSET_CHECK_EVALUATION:
            self._on_check(event.asset_check_evaluation_data)
        elif event.event_type == Kind.STEP_SUCCESS:
            seconds = event.step_success_data.duration_ms / 1000
            made = self._made.get(event.step_key or "", [])
            self.seconds[step] = self.seconds.get(step, 0.0) + seconds
            for line in made:
                self._say(f"  ✓ {line} ({seconds:.1f} s)")
        elif event.event_type == Kind.STEP_FAILURE:
            self._on_failure(step, event.step_failure_data)

    def _on_check(self, evaluation: dg.AssetCheckEvaluation) -> None:
        if evaluation.passed:
            return
        asset = evaluation.asset_key.path[-1]
        blocks = evaluation.severity == dg.AssetCheckSeverity.ERROR
        if blocks:
            self.failed_checks.append(asset)
        if (evaluation.check_name, evaluation.description) in self._said:
            return  # one claim about several assets
        self._said.add((evaluation.check_name, evaluation.description))
        text = f"check {asset}.{evaluation.check_name}: {evaluation.description}"
        if blocks:
            self.problems.append(text)
            self._say(f"  ✗ {text}")
        else:
            self._say(f"  ! {text}")

    def _on_failure(self, step: str, failure: Any) -> None:
        said = failure.user_failure_data
        if said is None and self.failed_checks:
            return  # a blocking check has said why already
        text = said.description if said else str(failure.error.cause or failure.error).strip().splitlines()[0]
        self.bad_input = self.bad_input or bool(said and CODE in said.metadata)
        self.problems.append(f"{step}: {text}")
        self._say(f"  ✗ {step}: {text}")


def _line(materialization: dg.AssetMaterialization) -> str:
    """One asset: what it holds, and the earlier run it stands on, if it does."""
    facts = {name: value.value for name, value in materialization.metadata.items()}
    shown = [f"{facts[ROWS]:,} rows"] if ROWS in facts else []
    shown += [f"{name.replace('_', ' ')} {facts[name]}" for name in SHOWN if name in facts]
    if "stands_on" in facts:
        shown.append(f"stands on run {str(facts['stands_on'])[:8]}")
    return f"{materialization.asset_key.path[-1]:<20} {', '.join(shown)}".rstrip()
