"""Rows that occur in several splits under different keys: the same features and the same label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.leakage.evidence import Leak
from training_assets.core.row_keys import Bits, hashed, text_bits
from training_assets.spec import ModelSpec

# Copies of one row in a hundred move a score by less than chance does.
LEAST_SHARE, LEAST_ROWS = 0.01, 5
# Rows that are alike by nature are alike in all but one column far more often than in every column.
COPIES = 0.5
# Columns that are left out in turn, those with most values first: where rows differ at all, they differ there.
MOST_LEFT_OUT = 60
SAMPLE = 50_000
EARLIER = {"validation": ("train",), "test": ("train", "validation")}
Positions = npt.NDArray[np.int64]


def dealt_by(spec: ModelSpec) -> list[str]:
    """The columns in which equal rows may differ, so that they were dealt to different splits; the label aside."""
    by_method = {"group": ["group"], "column": ["split"], "time": ["time"], "time+group": ["time", "group"]}
    for role in by_method.get(spec.split.method, ["key", "time", "group"]):
        if spec.with_role(role):
            return spec.with_role(role)
    return []


def shared_content(splits: Mapping[str, pl.DataFrame], features: Sequence[str], by: Sequence[str]) -> list[Leak]:
    """A leak where validation and test rows repeat rows of an earlier split, beyond what nature explains.

    `splits` are train, validation and test, with `_target`. In discrete data independent rows coincide. Then many more
    coincide but for one column, whichever it is: of the pairs of rows that agree in all columns but c, the share that
    agree in c as well is what c's values allow. Copies agree in every column: their share is near one for each c. So
    the column with the smallest share decides.
    """
    terms = {name: _terms(frame, features) for name, frame in splits.items()}
    asked = {name: _sampled(splits[name].height) for name in EARLIER}
    totals = {name: _sum(each.values()) for name, each in terms.items()}
    again = {
        name: np.isin(totals[name][asked[name]], np.concatenate([totals[each] for each in before]))
        for name, before in EARLIER.items()
    }
    copies, rows = sum(int(each.sum()) for each in again.values()), sum(len(each) for each in asked.values())
    if copies < max(LEAST_ROWS, LEAST_SHARE * rows):
        return []
    equal = _pairs(totals, asked)
    for column in _most_varied(splits["train"], features):
        others = {name: totals[name] - terms[name][column] for name in totals}
        if equal < COPIES * _pairs(others, asked):
            return []
    share = copies / rows
    text = (
        f"{copies:,} of {rows:,} validation and test rows ({share:.1%}) repeat an earlier split's row in every feature "
        f"and the label, under another value of {', '.join(by)[:120]}"
    )
    remedy = (
        "remove the copies from the source, or let rows be identified by their content (no `role: key`), so that "
        "equal rows share a split"
    )
    return [Leak("rows in two splits", tuple(by), text, share, strong=True, remedy=remedy)]


def _terms(rows: pl.DataFrame, features: Sequence[str]) -> dict[str, Bits]:
    """A hash a column and row; their sum is a row's content, and without one of them the content of the others."""
    return {name: hashed(rows[name]) * (text_bits(name) | np.uint64(1)) for name in [*features, "_target"]}


def _sum(terms: Iterable[Bits]) -> Bits:
    total: Bits = np.sum(np.stack(list(terms)), axis=0, dtype=np.uint64)
    return total


def _pairs(hashes: Mapping[str, Bits], asked: Mapping[str, Positions]) -> int:
    """Pairs of a row looked up and an earlier split's row with equal hashes."""
    pairs = 0
    for name, before in EARLIER.items():
        known, counts = np.unique(np.concatenate([hashes[each] for each in before]), return_counts=True)
        wanted = hashes[name][asked[name]]
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        pairs += int(counts[at][known[at] == wanted].sum())
    return pairs


def _sampled(rows: int) -> Positions:
    """Positions of rows to look up: all, or the same sample each time."""
    if rows <= SAMPLE:
        return np.arange(rows)
    return np.random.default_rng(0).choice(rows, SAMPLE, replace=False)


def _most_varied(rows: pl.DataFrame, features: Sequence[str]) -> list[str]:
    names = [*features, "_target"]
    counts = {name: rows[name].n_unique() for name in names}
    return sorted(names, key=lambda name: -counts[name])[:MOST_LEFT_OUT]
