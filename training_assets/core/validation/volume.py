"""Whether a batch has about as many rows as the batches before it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from training_assets.core.validation.findings import Fact, Finding, capped
from training_assets.core.validation.quarantine import BatchFacts

CLAIM = "batches_have_their_usual_size"
# Half and double are a holiday and a campaign; a tenth is an export that broke off, ten times one that ran twice.
FACTOR = 5.0
BEFORE = 10
LEAST_BEFORE = 3


def batches_have_their_usual_size(batches: Sequence[BatchFacts]) -> Finding:
    """The newest batch has between a fifth and five times the rows of the median of up to ten before it; a miss warns.

    `batches` come oldest first. Passes until there are three to compare with.
    """
    facts: dict[str, Fact] = {"batches": len(batches)}
    before = [batch.read for batch in batches[-1 - BEFORE : -1]]
    if len(before) < LEAST_BEFORE:
        text = f"{len(before)} batch(es) before the newest; {LEAST_BEFORE} are needed to say what is usual"
        return Finding(CLAIM, True, "warn", text, facts)
    newest, usual = batches[-1], median(before)
    facts |= {"rows": newest.read, "usual_rows": usual}
    facts["sizes"] = capped([{"batch": batch.name, "rows": batch.read} for batch in reversed(batches[-1 - BEFORE :])])
    passed = usual / FACTOR <= newest.read <= usual * FACTOR
    text = (
        f"{newest.name[:80]} has {newest.read:,} rows; the median of the {len(before)} batches before it is {usual:,g}"
    )
    return Finding(CLAIM, passed, "warn", text, facts)
