"""Whether the splits look alike: rows, and classes, of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from training_assets.core.plots.canvas import BLUE, INK, NOTE_SIZE, PALETTE, axis_names, canvas, label, legend, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "os^Dv"  # shapes as well as colours, because equal shares lie on one another
RARE = 0.02  # share below which dots on a linear axis could not be told from nothing
MAX_SHOWN = 30  # classes; the rarest are where splits differ, so those are kept


def split_balance(counts: Mapping[str, Mapping[str, int]] | Mapping[str, int]) -> bytes:
    """Draw the rows of each split, and with `{split: {class: rows}}` the share of each class in it.

    ValueError if there are no rows at all.
    """
    totals = {name: sum(each.values()) if isinstance(each, Mapping) else int(each) for name, each in counts.items()}
    rows = sum(totals.values())
    if rows == 0:
        message = "there are no rows to draw"
        raise ValueError(message)
    by_class = {name: each for name, each in counts.items() if isinstance(each, Mapping)}
    parts = " / ".join(f"{label(name)} {total / rows:.1%}" for name, total in totals.items())
    title = f"Splits: {parts}"
    if not by_class:
        figure, (axes,) = canvas(title, size=(6.4, 2.6))
        _totals(axes, totals)
        return png(figure)
    classes = list(dict.fromkeys(name for each in by_class.values() for name in each))
    shown = sorted(classes, key=lambda name: sum(each.get(name, 0) for each in by_class.values()))[:MAX_SHOWN][::-1]
    cut = f"; the {len(shown)} rarest of {len(classes)} classes" if len(shown) < len(classes) else ""
    figure, (axes,) = canvas(title, size=(6.4, 1.9 + 0.21 * len(shown)), note=f"{rows:,} rows{cut}")
    _shares(axes, by_class, totals, shown)
    return png(figure)


def _totals(axes: Axes, totals: Mapping[str, int]) -> None:
    rows = range(len(totals))
    bars = axes.barh(rows, list(totals.values()), color=BLUE, height=0.7)
    axes.bar_label(bars, [f"{total:,}" for total in totals.values()], padding=3, size=NOTE_SIZE, color=INK)
    axes.set_yticks(rows, [label(name) for name in totals])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axis_names(axes, "rows", "", grid="x")


def _shares(axes: Axes, by_class: Mapping[str, Mapping[str, int]], totals: Mapping[str, int], shown: list[str]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    rows = np.arange(len(shown))
    smallest = 1.0
    for place, (split, counts) in enumerate(by_class.items()):
        shares = np.array([counts.get(name, 0) for name in shown]) / max(totals[split], 1)
        drawn = np.where(shares > 0, shares, np.nan)
        smallest = min(smallest, float(np.nanmin(drawn, initial=1.0)))
        axes.scatter(
            drawn,
            rows + (place - (len(by_class) - 1) / 2) * 0.22,
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            s=30,
            label=f"{label(split)}: {totals[split]:,}",
        )
    axes.set_yticks(rows, [label(name) for name in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    if smallest < RARE:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    axis_names(axes, "share of the split", "", grid="both")
    legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(by_class), borderaxespad=0.2, columnspacing=1)
