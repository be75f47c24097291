"""The blend: a weighted mean of a few models' predictions, chosen on validation rows that none of them learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training_assets.core.search.scores import Metric

ROUNDS = 25
"""Steps of the greedy search, so a weight is at least 1/25."""
VAIN = 6
"""Steps without a better mean after which it ends."""
LARGEST_SAMPLE = 50_000
"""Validation rows that blends are compared on; more of them cost time and change no choice."""


def greedy_weights(
    predictions: Mapping[int, Any],
    labels: Any,
    metric: Metric,
    *,
    most: int,
    rows: int = LARGEST_SAMPLE,
) -> dict[int, float]:
    """Weights (together 1) of the members, by number: from the best one on, whichever improves the mean joins again.

    `predictions` (n,) or (n, k) are of validation rows with their `labels`; at most `most` distinct members. Of equal
    ones the lower number is taken. Greedy selection with replacement from Caruana et al., "Ensemble selection from
    libraries of models", 2004.
    """
    numbers = sorted(predictions)
    sample = _sample(len(labels), rows)
    seen = {number: np.asarray(predictions[number], dtype=np.float64)[sample] for number in numbers}
    truth = labels[sample]
    chosen: list[int] = []
    total = np.zeros_like(seen[numbers[0]])
    best_score, best_length = None, 0
    for size in range(1, ROUNDS + 1):
        scored = []
        for number in numbers:
            if len({*chosen, number}) > most:
                continue
            scored.append((metric.score(truth, (total + seen[number]) / size), number))
        score, number = scored[0]
        for each in scored[1:]:
            if metric.better(each[0], score):
                score, number = each
        chosen.append(number)
        total += seen[number]
        if best_score is None or metric.better(score, best_score):
            best_score, best_length = score, size
        elif size - best_length >= VAIN:
            break
    kept = chosen[:best_length]
    return {number: kept.count(number) / len(kept) for number in sorted(set(kept))}


def _sample(n_rows: int, most: int) -> Any:
    return slice(None) if n_rows <= most else np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False))


def mean(predictions: Mapping[int, Any], weights: Mapping[int, float]) -> Any:
    """The weighted mean of predictions of equal shape."""
    return sum(weight * np.asarray(predictions[number], dtype=np.float64) for number, weight in weights.items())
