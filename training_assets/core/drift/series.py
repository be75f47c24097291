"""Batches in the order of their arrival, each new one against the training data and against those just before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from training_assets.core.drift.comparison import Comparison, compare
from training_assets.core.drift.weights import weights
from training_assets.core.statistics import BatchStatistics, label_name, merge
from training_assets.spec import ModelSpec


def judged_columns(spec: ModelSpec) -> list[str]:
    """Columns whose drift matters: raw features and the label."""
    return [*spec.raw_features, label_name(spec)]


def against_reference(
    batches: Mapping[str, BatchStatistics],
    reference: BatchStatistics,
    spec: ModelSpec,
    *,
    named: str,
    importances: Mapping[str, float] | None = None,
) -> list[Comparison]:
    """Each batch, by its name, against one reference, e.g. "version 3's training data"."""
    used = None if importances is None else weights(importances, spec)
    return [
        compare(
            reference, statistics, spec.validation.drift, judged_columns(spec), used,
            label=label_name(spec), batch=batch, against=named,
        )
        for batch, statistics in batches.items()
    ]  # fmt: skip


def against_window(
    batches: Mapping[str, BatchStatistics],
    new: Collection[str],
    spec: ModelSpec,
    *,
    importances: Mapping[str, float] | None = None,
) -> list[Comparison]:
    """Each new batch against the batches just before it, merged; none for the first, or where the window is 0."""
    used = None if importances is None else weights(importances, spec)
    drift, names, found = spec.validation.drift, list(batches), []
    for place, name in enumerate(names):
        before = [batches[each] for each in names[max(place - drift.window, 0) : place]]
        if name in new and before:
            how = {"label": label_name(spec), "batch": name, "against": window_name(len(before))}
            found.append(compare(merge(before), batches[name], drift, judged_columns(spec), used, **how))
    return found


def window_name(batches: int) -> str:
    """What the batches before a new one are called."""
    return "the batch before it" if batches == 1 else f"the {batches} batches before it"


def unique_names(names: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Digest → name of a batch for people; two batches of a name are told apart by their digests."""
    once = [name for _, name in names]
    return {digest: name if once.count(name) == 1 else f"{name} ({digest[:8]})" for digest, name in names}
