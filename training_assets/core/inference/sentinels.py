"""Numbers that stand for 'no value', such as -200 or 999: one value, often, far from all others."""

from __future__ import annotations

import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.core.ingestion.excerpt import listed
from training_assets.spec import Column

LEAST_ROWS = 100
LEAST_TIMES = 5
LEAST_SHARE = 0.001
# With fewer other values, the range of the others says nothing about how far is far.
LEAST_OTHERS = 10


def ask_about_sentinels(
    columns: dict[str, Column], rows: pl.DataFrame, label: str, notes: Notes, *, text: bool
) -> None:
    """Ask once for each such number, with the columns that hold it; change nothing, since only a person knows."""
    found: dict[float, list[str]] = {}
    for name, column in columns.items():
        if column.type in {"integer", "number"} and column.role == "feature":
            for value in sentinels_in(rows[name]):
                found.setdefault(value, []).append(name)
    for value, names in found.items():
        known = " (one is the label: those rows teach nonsense)" if label in names else ""
        notes.ask(
            "source.csv.null_values" if text else "source",
            f"{value:.15g} is often in {listed(names, 6)}, far from all other values{known}; does it mean 'no value'?",
            f"a number like any other; add '{value:.15g}' to null_values where it means 'no value'"
            if text
            else "a number like any other; write the file with nulls where it means 'no value'",
        )


def sentinels_in(values: pl.Series) -> list[float]:
    """The smallest and the largest value, where it occurs often and is farther off than the others are apart."""
    counts = values.drop_nulls().value_counts(name="_rows").sort(values.name)
    if counts.height <= LEAST_OTHERS or values.len() - values.null_count() < LEAST_ROWS:
        return []
    numbers, times = counts[values.name].cast(pl.Float64), counts["_rows"]
    least = max(LEAST_TIMES, LEAST_SHARE * values.len())
    ends = ((numbers[0], numbers[1], numbers[-1], times[0]), (numbers[-1], numbers[-2], numbers[0], times[-1]))
    return [end for end, near, far, count in ends if count >= least and abs(end - near) > abs(far - near)]
