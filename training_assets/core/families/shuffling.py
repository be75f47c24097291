"""Importances of a model that has none of its own: how much its predictions change when a feature is shuffled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training_assets.core.encoding.layout import Layout
from training_assets.core.families import design_matrix
from training_assets.core.families.base import shares
from training_assets.core.families.data import Floats

SAMPLE = 500  # rows that they are measured on

Rows = npt.NDArray[Any]


def shuffled_shares(predict: Callable[[Rows], Floats], rows: Any, layout: Layout, seed: int) -> dict[str, float]:
    """Share of each feature of the layout in how much predictions change; at least 0, together 1.

    `rows`, dense or sparse, are training rows in the columns of `design_matrix.owners`. All columns of a feature are
    shuffled together, one feature at a time, among at most 500 of the rows. A seed gives the same shares.
    """
    rng = np.random.default_rng(seed)
    n_rows = rows.shape[0]
    sampled = rows[np.sort(rng.choice(n_rows, min(n_rows, SAMPLE), replace=False))]
    chosen: Rows = sampled if isinstance(sampled, np.ndarray) else sampled.toarray()
    before = predict(chosen)
    owners = np.array([layout.owner(name) for name in design_matrix.owners(layout)])
    changes = {}
    for feature in dict.fromkeys(owners.tolist()):
        shuffled = chosen.copy()
        shuffled[:, owners == feature] = rng.permutation(chosen[:, owners == feature])
        changes[feature] = float(np.abs(predict(shuffled) - before).mean())
    return shares(layout.by_feature(changes))
