"""Null patterns that decide the label: a value is missing exactly where the outcome is a certain one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training_assets.core.leakage.evidence import LEAST_ROWS, Evidence, Leak, shown
from training_assets.core.leakage.mistakes import judged

MOST_CLASSES = 20
REMEDY = "give it `role: leaking` where it is filled in only after the outcome"


def nulls(evidence: Evidence) -> list[Leak]:
    """A leak for each feature that is empty where the label is one class (or the commonest or largest values)."""
    if evidence.rows.height < LEAST_ROWS:
        return []
    found = []
    patterns: dict[bytes, tuple[int, int, str]] = {}
    y = evidence.y.to_numpy()
    for name in evidence.kinds:
        missing = evidence.rows[name].is_null().to_numpy()
        if not missing.any() or missing.all():
            continue
        # Columns of one source are empty together: each pattern is judged once.
        pattern = np.packbits(missing).tobytes()
        if pattern not in patterns:
            patterns[pattern] = _ordered(missing, y) if evidence.task == "regression" else _classes(missing, y)
        made, possible, where = patterns[pattern]
        verdict = judged(made, possible)
        if verdict != "none":
            exceptions = f"but for {made:,} of {possible:,} rows" if made else "without an exception"
            text = (
                f"whether '{shown(name)}' has a value decides the label: {missing.sum():,} of {len(y):,} rows have "
                f"none, and that is where {where}, {exceptions}"
            )
            strength = 1 - made / possible
            found.append(Leak("null pattern", (name,), text, strength, strong=verdict == "strong", remedy=REMEDY))
    return found


def _classes(missing: npt.NDArray[np.bool_], y: npt.NDArray[np.object_]) -> tuple[int, int, str]:
    """Fewest mistakes of "empty means this class, filled any other" (or the reverse), and how many could be made."""
    classes, counts = np.unique(y, return_counts=True)
    best = (1, 1, "")
    for each in classes[np.argsort(-counts)[:MOST_CLASSES]]:
        best = min(best, _agreeing(missing, y == each, f"the label is {str(each)[:40]}"), key=_share)
    return best


def _ordered(missing: npt.NDArray[np.bool_], y: npt.NDArray[np.float64]) -> tuple[int, int, str]:
    """Fewest mistakes of "empty means the commonest value", or "a label above (below) a threshold"."""
    values, counts = np.unique(y, return_counts=True)
    commonest = values[counts.argmax()]
    best = _agreeing(missing, y == commonest, f"the label is {commonest:g}")
    order = np.argsort(y, kind="stable")
    cuts = np.flatnonzero(np.diff(y[order])) + 1
    if not len(cuts):
        return best
    empty_below = np.cumsum(missing[order])[cuts - 1]
    # Rows below the cut that have a value, and rows above it that have none.
    wrong = cuts - empty_below + (missing.sum() - empty_below)
    for wrongs, where in ((wrong, "at most"), (len(y) - wrong, "above")):
        at = int(wrongs.argmin())
        text = f"the label is {where} {y[order][cuts[at] - 1]:g}"
        possible = int(min(missing.sum(), (~missing).sum()))
        best = min(best, (int(wrongs[at]), possible, text), key=_share)
    return best


def _agreeing(missing: npt.NDArray[np.bool_], is_class: npt.NDArray[np.bool_], where: str) -> tuple[int, int, str]:
    """Mistakes of either rule between a pattern and a class, of the rows of whichever is rarer."""
    wrong = int((missing != is_class).sum())
    possible = int(min(is_class.sum(), (~is_class).sum()))
    reverse = len(missing) - wrong
    return (wrong, possible, where) if wrong <= reverse else (reverse, possible, f"it is not so that {where}")


def _share(judged_rule: tuple[int, int, str]) -> float:
    made, possible, _ = judged_rule
    return made / possible if possible else 1.0
