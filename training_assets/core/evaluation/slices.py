"""Slices: parts of the test rows that are measured on their own, so that a good mean hides no bad part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.bootstrap import TOO_FEW_OF_A_CLASS, intervals, too_few
from training_assets.core.evaluation.comparison import Scored, Setting, differences
from training_assets.core.evaluation.parts import Part, parts_of
from training_assets.spec.evaluation import Slice
from training_assets.spec.target import Task


@dataclass(frozen=True)
class Champion:
    """What the present champion says of the test rows, and which of them it never saw, (n,)."""

    scored: Scored
    is_unseen: NDArray[np.bool_]


def parts(slices: Mapping[str, Slice], train: pl.DataFrame, test: pl.DataFrame) -> list[Part]:
    """The parts of each slice, largest first; a slice that holds no row has one part without rows.

    `train` and `test` hold the features; quantile bins are cut on training rows alone. Raises `InputError` E_SLICE for
    a column that is not there, and those of an expression for a predicate.
    """
    return [part for name, asked in slices.items() for part in parts_of(name, asked, train, test)]


def measure(
    task: Task,
    y: NDArray[Any],
    challenger: Scored,
    found: Sequence[Part],
    champion: Champion | None,
    *,
    classes: list[str],
    setting: Setting,
    groups: NDArray[Any] | None = None,
) -> list[dict[str, Any]]:
    """Each part's metrics with intervals, and the differences to the champion on rows new to it, as JSON.

    `y`, predictions and `groups` are of all test rows. A part with fewer rows than its slice asks for, with
    too few rows or groups for bounds, or with predictions that are no sound numbers, is not judged, and says why.
    """
    return [_measured(task, y, challenger, part, champion, classes, setting, groups) for part in found]


def _measured(
    task: Task,
    y: NDArray[Any],
    challenger: Scored,
    part: Part,
    champion: Champion | None,
    classes: list[str],
    setting: Setting,
    groups: NDArray[Any] | None,
) -> dict[str, Any]:
    rows = part.rows.size
    described: dict[str, Any] = {"slice": part.slice, "part": part.text, "rows": rows, "judged": False}
    described |= {"reason": _why_not(task, y, challenger, part, groups), "metrics": {}, "champion": None}
    if described["reason"] is not None:
        return described
    seen = intervals(
        task,
        y[part.rows],
        challenger.predictions[part.rows],
        classes=classes,
        threshold=challenger.threshold,
        replicates=setting.replicates,
        confidence=setting.confidence,
        seed=setting.seed,
        groups=None if groups is None else groups[part.rows],
        aims=setting.aims,
    )
    described["judged"] = True
    for name, each in seen.items():
        entry: dict[str, Any] = {"value": _number(each.point), "low": _number(each.low), "high": _number(each.high)}
        if entry["value"] is None:
            entry["reason"] = metrics.reason(name)
        elif entry["low"] is None:
            entry["reason"] = TOO_FEW_OF_A_CLASS
        described["metrics"][name] = entry
    if champion is not None:
        kept = part.rows[champion.is_unseen[part.rows]]
        described["champion"] = {"rows": kept.size, "metrics": {}}
        if kept.size >= part.min_rows:
            described["champion"]["metrics"] = differences(
                task, y, champion.scored, challenger, kept, classes=classes, setting=setting, groups=groups
            )
    return described


def _why_not(task: Task, y: NDArray[Any], challenger: Scored, part: Part, groups: NDArray[Any] | None) -> str | None:
    if not part.rows.size:
        return "no test row is in it"
    if part.rows.size < part.min_rows:
        return f"{part.rows.size:,} rows are fewer than min_rows {part.min_rows:,}"
    few = too_few(part.rows.size, None if groups is None else groups[part.rows])
    return few or metrics.why_undefined(task, y[part.rows], challenger.predictions[part.rows])


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
