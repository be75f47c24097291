"""Which columns the model leans on."""

from __future__ import annotations

import math
from collections.abc import Mapping

from training_assets.core.plots.canvas import BLUE, INK, NOTE_SIZE, axis_names, canvas, label, number, png, round_ticks


def importance(importances: Mapping[str, float], top: int = 20) -> bytes:
    """Draw the `top` columns by importance, the largest on top; ValueError if there is no finite one."""
    finite = {name: value for name, value in importances.items() if math.isfinite(value)}
    ranked = sorted(finite.items(), key=lambda item: (-item[1], item[0]))[:top]
    if not ranked:
        message = "there are no importances to draw"
        raise ValueError(message)
    names, values = zip(*ranked, strict=True)
    total = sum(abs(value) for value in finite.values())
    lead = f"{values[0] / total:.0%} of all" if total > 0 else number(values[0])
    figure, (axes,) = canvas(
        f"Importance: {label(names[0])} leads with {lead}",
        size=(6.4, 1.5 + 0.24 * len(ranked)),
        note=f"{len(ranked)} of {len(importances)} columns",
    )
    rows = range(len(ranked))
    bars = axes.barh(rows, values, color=BLUE, height=0.7)
    axes.bar_label(bars, [number(value, values[0]) for value in values], padding=3, size=NOTE_SIZE, color=INK)
    axes.set_yticks(rows, [label(name, 32) for name in names])
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.margins(x=0.12 if values[-1] >= 0 else 0.2)
    round_ticks(axes, "x")
    axis_names(axes, "importance", "", grid="x")
    return png(figure)
