"""All tests for columns that give the label away, each column under the first kind that fits."""

from __future__ import annotations

from training_assets.core.leakage.alone import alone
from training_assets.core.leakage.evidence import Evidence, Leak
from training_assets.core.leakage.identifiers import identifiers
from training_assets.core.leakage.label_means import label_means
from training_assets.core.leakage.nulls import nulls
from training_assets.core.leakage.summands import summands


def label_leaks(evidence: Evidence) -> list[Leak]:
    """What gives the label away or names the rows: strong suspicions first, each column in one leak at most."""
    tests = (summands, nulls, label_means, alone, identifiers)
    suspicions = [leak for test in tests for leak in test(evidence)]
    known: set[str] = set()
    found = []
    for leak in sorted(suspicions, key=lambda leak: not leak.strong):
        if not known & set(leak.columns):
            known |= set(leak.columns)
            found.append(leak)
    return found
