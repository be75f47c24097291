"""Drift: how far a column's distribution has moved from the rows that the released version was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from training_assets.core.features.logical import Kind, as_feature
from training_assets.core.validation.findings import Fact, Finding, capped
from training_assets.core.validation.label import class_text
from training_assets.spec import Drift

BINS = 10
LEVELS = 50
# A share under this counts as this: PSI is infinite at an empty bin (the customary floor).
LEAST_SHARE = 1e-4
# One-sided normal quantile of 0.999: a column in a thousand is flagged by chance alone.
CHANCE = 3.090


def profile(rows: pl.DataFrame, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """JSON-safe profile of each feature (n_rows): where its values lie and how often it has none.

    Quantities: inner edges of at most 10 quantile bins, and the share of rows in each. Categories: the 50 commonest
    levels (the smaller text first among equals), their shares, and the share of all others.
    """
    columns = {name: _profile(rows[name], kind) for name, kind in kinds.items()}
    return {"rows": rows.height, "columns": columns}


def _profile(values: pl.Series, kind: Kind) -> dict[str, Any]:
    if kind == "numeric":
        known = values.drop_nulls().cast(pl.Float64)
        edges = [known.quantile(step / BINS, "lower") for step in range(1, BINS)] if known.len() else []
        drawn = {"kind": kind, "edges": sorted({float(edge) for edge in edges if edge is not None})}
    else:
        counts = class_text(values).drop_nulls().alias("level").value_counts()
        levels = counts.sort("count", "level", descending=[True, False])["level"].head(LEVELS).to_list()
        drawn = {"kind": kind, "levels": levels}
    return {**drawn, "shares": _shares(values, drawn)}


def _shares(values: pl.Series, drawn: Mapping[str, Any]) -> list[float]:
    """Shares of rows by the bins or levels of a profile; the last is the share of nulls. All zero without rows."""
    if drawn["kind"] == "numeric":
        known = values.drop_nulls().cast(pl.Float64).to_numpy()
        counts = np.bincount(np.searchsorted(drawn["edges"], known, side="left"), minlength=len(drawn["edges"]) + 1)
        found = counts.tolist()
    else:
        text = class_text(values)
        by_level = dict(text.drop_nulls().alias("level").value_counts().iter_rows())
        found = [by_level.pop(level, 0) for level in drawn["levels"]]
        found.append(sum(by_level.values()))
    return [count / max(values.len(), 1) for count in [*found, values.null_count()]]


def psi(reference: Sequence[float], current: Sequence[float], least: float = LEAST_SHARE) -> float:
    """Population stability index of two lists of shares over the same bins; 0 is no change, 0.25 by custom a large one.

    Sum over bins of (current - reference) * ln(current / reference) (Siddiqi, Credit Risk Scorecards, 2006), with
    shares floored at `least`. Raises ValueError where the lists differ in length.
    """
    total = 0.0
    for before, now in zip(reference, current, strict=True):
        floored_before, floored_now = max(before, least), max(now, least)
        total += (floored_now - floored_before) * math.log(floored_now / floored_before)
    return total


def chance_psi(bins: int, reference_rows: int, current_rows: int) -> float:
    """The PSI that only one column in a thousand exceeds without any drift.

    Without drift PSI is about chi-square with bins - 1 degrees of freedom, times (1/n + 1/m) (Yurdakul, Statistical
    properties of population stability index, 2018); the quantile is Wilson and Hilferty's approximation.
    """
    freedom = max(bins - 1, 1)
    chi_square = freedom * (1 - 2 / (9 * freedom) + CHANCE * math.sqrt(2 / (9 * freedom))) ** 3
    return chi_square * (1 / max(reference_rows, 1) + 1 / max(current_rows, 1))


def columns_have_not_drifted(reference_profile: Mapping[str, Any] | None, rows: pl.DataFrame, drift: Drift) -> Finding:
    """No column's PSI against the profile is over both `max_psi` and what so few rows show by chance.

    Columns of the profile that the rows lack (joined and derived ones, where rows are merely validated) are not looked
    at. Passes where there is no released version, or no row that it has not seen.
    """
    claim = "columns_have_not_drifted"
    if reference_profile is None:
        return Finding(claim, True, drift.severity, "no released version yet", {"rows": rows.height})
    if not rows.height:
        return Finding(claim, True, drift.severity, "no rows that the released version has not seen", {"rows": 0})
    # An empty bin of few rows is worth half a row: the customary floor would make a shift of two rows look like drift.
    least = max(LEAST_SHARE, 0.5 / rows.height, 0.5 / max(reference_profile["rows"], 1))
    lines = []
    for name, drawn in reference_profile["columns"].items():
        values = _comparable(rows, name, drawn["kind"])
        if values is None:
            continue
        found = psi(drawn["shares"], _shares(values, drawn), least)
        chance = chance_psi(_occupied(drawn["shares"]), reference_profile["rows"], rows.height)
        lines.append({"column": name, "psi": round(found, 4), "limit": round(max(drift.max_psi, chance), 4)})
    lines.sort(key=lambda line: (-line["psi"], line["column"]))
    drifted = [line for line in lines if line["psi"] > line["limit"]]
    facts: dict[str, Fact] = {"rows": rows.height, "columns": len(lines), "drifted": len(drifted)}
    facts |= {"max_psi": drift.max_psi, "psi": capped(lines)}
    if not drifted:
        most = f"; most: {lines[0]['column'][:80]} ({lines[0]['psi']:g})" if lines else ""
        text = f"{len(lines)} columns, {rows.height:,} rows: no PSI over {drift.max_psi:g}{most}"
        return Finding(claim, True, drift.severity, text, facts)
    names = ", ".join(f"{line['column'][:80]} ({line['psi']:g})" for line in drifted[:5])
    text = f"{len(drifted)} of {len(lines)} columns have drifted from the released version's training rows: {names}"
    return Finding(claim, False, drift.severity, text, facts)


def _comparable(rows: pl.DataFrame, name: str, kind: str) -> pl.Series | None:
    """A column as the profile knows it, or None where the rows lack it or hold another kind of value."""
    if name not in rows.columns:
        return None
    if kind == "categorical":
        return class_text(rows[name])
    if rows[name].dtype == pl.Boolean:
        return rows[name].cast(pl.Float64)
    made = as_feature(rows[name])
    return made[0] if made is not None and made[1] == "numeric" else None


def _occupied(shares: Sequence[float]) -> int:
    """Bins that the reference has any rows in: empty ones add no freedom."""
    return sum(share > 0 for share in shares)
