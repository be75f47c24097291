"""A batch against a reference, column by column, and over all columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from training_assets.core.drift.bins import Bins
from training_assets.core.drift.measures import (
    Counts,
    adjusted,
    chance_psi,
    chi_square,
    expected_psi,
    jensen_shannon,
    kolmogorov_smirnov,
    psi,
    psi_deviation,
)
from training_assets.core.statistics import BatchStatistics, ColumnStatistics
from training_assets.spec import Drift

FEW_ROWS = 1_000
"""Under so many rows a test says what chance explains; in more, any shift is significant, and its size decides."""
State = Literal["stable", "drifted", "hardly used"]
"""`hardly used`: drifted, in a column that the model hardly uses."""


@dataclass(frozen=True)
class DriftedColumn:
    """How far a column has moved; `limit` is the largest sound PSI, over `max_psi` where chance alone shows more.

    In few rows, `chance` is how often the test would find as much without drift, corrected for the number of columns.
    """

    column: str
    state: State
    psi: float
    limit: float
    js: float
    null_share_before: float
    null_share: float
    importance: float | None
    test: str | None
    chance: float | None

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """A batch against a reference, e.g. "training data"; `overall` is the mean PSI weighted by importance."""

    batch: str
    against: str
    rows: int
    reference_rows: int
    columns: tuple[DriftedColumn, ...]
    overall: float | None
    is_sound_overall: bool

    @property
    def drifted(self) -> list[DriftedColumn]:
        """Columns that have drifted and matter."""
        return [column for column in self.columns if column.state == "drifted"]

    @property
    def hardly_used(self) -> list[DriftedColumn]:
        """Columns that have drifted and that the model hardly uses."""
        return [column for column in self.columns if column.state == "hardly used"]


def compare(
    reference: BatchStatistics,
    current: BatchStatistics,
    drift: Drift,
    names: Sequence[str],
    importances: Mapping[str, float] | None = None,
    *,
    label: str | None = None,
    batch: str = "",
    against: str = "",
) -> Comparison:
    """Compare the named columns that both have, the most moved first.

    A column has drifted where its PSI or Jensen-Shannon distance is over the limit and chance does not explain it: in
    under 1,000 rows by Kolmogorov-Smirnov (quantities) or chi-square (categories) after Benjamini and Hochberg, in more
    rows by the PSI that chance alone exceeds in a share `alpha` of batches. `importances` are those of the model, by
    column; the label has none and always matters.
    """
    shared = [name for name in names if _comparable(reference, current, name, drift)]
    rows = (reference.rows, current.rows)
    pairs = {name: (reference.columns[name], current.columns[name]) for name in shared}
    counts = {name: _counts(*pair) for name, pair in pairs.items()}
    few = min(rows) < FEW_ROWS
    tests = {name: _tested(*pairs[name], *counts[name]) for name in shared} if few else {}
    chances = dict(zip(tests, adjusted([chance for _, chance in tests.values()]), strict=True))
    judged: list[DriftedColumn] = []
    overall = _Mean()
    for name, (before, now) in pairs.items():
        weight = None if importances is None or name == label else importances.get(name, 0.0)
        bins = int(((counts[name][0] > 0) | (counts[name][1] > 0)).sum())
        found = psi(*counts[name])
        overall.add(found - expected_psi(bins, *rows), psi_deviation(bins, *rows), weight)
        limit, own = _limit(name, drift)
        js = jensen_shannon(*counts[name])
        by_chance = 0.0 if few else chance_psi(bins, *rows, drift.alpha / len(shared))
        moved = (found > limit or (js > drift.max_js and not own)) and found > by_chance
        state: State = "drifted" if moved and chances.get(name, 0.0) < drift.alpha else "stable"
        if state == "drifted" and weight is not None and weight < drift.min_importance:
            state = "hardly used"
        test = tests[name][0] if few else None
        numbers = (round(found, 6), round(max(limit, by_chance), 4), round(js, 6), before.null_share, now.null_share)
        judged.append(DriftedColumn(name, state, *numbers, weight, test, chances.get(name)))
    judged.sort(key=lambda line: (-line.psi, line.column))
    mean = overall.value
    is_sound = mean is None or mean <= max(drift.max_overall, overall.by_chance)
    return Comparison(batch, against, current.rows, reference.rows, tuple(judged), mean, is_sound)


@dataclass
class _Mean:
    """Mean PSI beyond chance, weighted by importance; none without a model, or without a column that it uses."""

    total: float = 0.0
    deviation: float = 0.0
    weights: float = 0.0

    def add(self, excess: float, deviation: float, weight: float | None) -> None:
        self.total += excess * (weight or 0.0)
        self.deviation += deviation * (weight or 0.0)
        self.weights += weight or 0.0

    @property
    def value(self) -> float | None:
        return round(max(self.total / self.weights, 0.0), 6) if self.weights else None

    @property
    def by_chance(self) -> float:
        """What chance may show: three standard deviations, as if all columns moved together (the worst case)."""
        return 3 * self.deviation / self.weights if self.weights else 0.0


def _comparable(reference: BatchStatistics, current: BatchStatistics, name: str, drift: Drift) -> bool:
    before, now = reference.columns.get(name), current.columns.get(name)
    if before is None or now is None or not before.count or not now.count:
        return False
    ignored = name in drift.columns and drift.columns[name].ignore is not None
    return before.kind == now.kind != "time" and not ignored


def _counts(before: ColumnStatistics, now: ColumnStatistics) -> tuple[Counts, Counts]:
    bins = Bins.of(before)
    return bins.counts(before), bins.counts(now)


def _limit(name: str, drift: Drift) -> tuple[float, bool]:
    """Largest sound PSI of a column, and whether it has one of its own."""
    own = drift.columns.get(name)
    return (own.max_psi, True) if own is not None and own.max_psi is not None else (drift.max_psi, False)


def _tested(before: ColumnStatistics, now: ColumnStatistics, *counts: Counts) -> tuple[str, float]:
    """The test that suits the column, and its chance; where nulls come and go, of the more telling of two tests."""
    if before.quantiles is None or now.quantiles is None:
        return "chi-square", chi_square(*counts)[1]
    chance = kolmogorov_smirnov(before.quantiles, now.quantiles)[1]
    if before.nulls or now.nulls:
        nulls = chi_square(*(np.array([each.known, each.nulls], dtype=np.float64) for each in (before, now)))[1]
        chance = min(2 * min(chance, nulls), 1.0)
    return "Kolmogorov-Smirnov", chance
