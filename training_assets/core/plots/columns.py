"""Which columns the model leans on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training_assets.core.plots.canvas import BLUE, INK, NOTE_SIZE, axis_names, canvas, label, number, png, round_ticks


def importance(found: Mapping[str, Any]) -> bytes:
    """Draw what `permutation_importance` found, the dearest feature on top; ValueError where there is none."""
    ranked = found["features"]
    if not ranked:
        message = "there are no importances to draw"
        raise ValueError(message)
    losses = [each["loss"] for each in ranked]
    asked = f"{len(ranked)} of {len(ranked) + found['left_out']} columns"
    figure, (axes,) = canvas(
        f"Importance: without {label(ranked[0]['feature'])}, {found['metric']} is {number(losses[0])} worse",
        size=(6.4, 1.5 + 0.24 * len(ranked)),
        note=f"{asked}, each shuffled {found['repeats']} times among {found['rows']:,} test rows",
    )
    rows = range(len(ranked))
    spreads = [each["spread"] for each in ranked]
    bars = axes.barh(rows, losses, xerr=spreads, color=BLUE, ecolor=INK, height=0.7)
    axes.bar_label(bars, [number(loss, losses[0]) for loss in losses], padding=3, size=NOTE_SIZE, color=INK)
    axes.set_yticks(rows, [label(each["feature"], 32) for each in ranked])
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.margins(x=0.12 if losses[-1] >= 0 else 0.2)
    round_ticks(axes, "x")
    axis_names(axes, f"{found['metric']} worse by", "", grid="x")
    return png(figure)
