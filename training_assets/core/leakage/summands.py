"""Two columns whose sum or difference is the label in every row."""

from __future__ import annotations

import numpy as np
import polars as pl

from training_assets.core.leakage.evidence import Evidence, Leak, shown

PROBE = 64
# Pairs grow with the square: 300 columns are 45,000 pairs, a tenth of a second on the probe.
MOST_SUMMANDS = 300
# Sums of decimal numbers miss each other in the last bits.
TOLERANCE = 1e-9


def summands(evidence: Evidence) -> list[Leak]:
    """A leak for each pair of complete quantities that add up, or differ, to a regression's label."""
    if evidence.task != "regression":
        return []
    rows = evidence.rows
    names = [name for name in evidence.numeric if not rows[name].null_count()][:MOST_SUMMANDS]
    probe = rows.gather_every(max(1, rows.height // PROBE)).head(PROBE)
    values, y = probe.select(names).cast(pl.Float64).to_numpy(), probe[evidence.label].to_numpy()
    near = TOLERANCE * np.abs(y)[:, None]
    found: list[Leak] = []
    known: set[str] = set()
    for at, one in enumerate(names):
        rest = (y - values[:, at])[:, None]
        for sign, word in ((1, "+"), (-1, "-")):
            # Probed on few rows first: of thousands of pairs hardly one goes on to all of them.
            for other in np.flatnonzero(np.all(np.abs(sign * values - rest) <= near, axis=0)):
                two = names[other]
                total = rows[one].cast(pl.Float64) + sign * rows[two].cast(pl.Float64)
                if not {one, two} <= known and rows[two].n_unique() > 1 and _equal(total, rows[evidence.label]):
                    known |= {one, two}
                    text = f"{shown(one)} {word} {shown(two)} is the label in every row"
                    found.append(Leak("parts of a sum", (one, two), text, 1.0, strong=True))
    return found


def _equal(one: pl.Series, other: pl.Series) -> bool:
    return bool(np.allclose(one.to_numpy(), other.to_numpy(), rtol=TOLERANCE, atol=0))
