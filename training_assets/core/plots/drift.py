"""How columns move over batches: a heat map of all, and the two distributions of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from training_assets.core.plots.canvas import (
    BLUE,
    GREY,
    INK,
    NOTE_SIZE,
    TEXT_SIZE,
    VERMILION,
    axis_names,
    canvas,
    label,
    legend,
    number,
    png,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_COLUMNS, MAX_BATCHES, MAX_BINS = 30, 26, 14
STEPS = (0, 0.25, 0.5, 1, 2.5, 5)  # times the limit
COLOURS = ("#f5f7f9", "#d8e4ee", "#b3cde0", "#fdc086", "#e9782f", "#a63603")
MISSING = "#ffffff"


def drift_map(
    psi: Mapping[str, Sequence[float | None]],
    batches: Sequence[str],
    max_psi: float,
    *,
    alarms: Mapping[str, Sequence[bool]] | None = None,
    importances: Mapping[str, float] | None = None,
    note: str = "",
) -> bytes:
    """Draw the PSI of each column (rows of the picture) in each batch (in order); ValueError without any.

    Shown are the newest 26 batches and the 30 columns that matter most: by importance where a model is there, else by
    PSI. Blue is under the limit, orange over it; a dot is an alarm.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap

    drawn = {name: [_nan(each) for each in values][-MAX_BATCHES:] for name, values in psi.items()}
    drawn = {name: values for name, values in drawn.items() if not all(np.isnan(values))}
    if not drawn:
        message = "there is no drift to draw"
        raise ValueError(message)
    names = sorted(drawn, key=lambda name: _rank(name, drawn[name], importances))[:MAX_COLUMNS]
    shown = list(batches)[-MAX_BATCHES:]
    cells = np.array([drawn[name] for name in names])
    flags = np.array([list((alarms or {}).get(name, [False] * len(batches)))[-MAX_BATCHES:] for name in names])
    size = (2.9 + 0.27 * max(len(shown), 14), 2.3 + 0.24 * max(len(names), 4))
    figure, (axes,) = canvas(_title(names, cells, flags), size=size, note=note)
    limits = [step * max_psi for step in STEPS]
    colours = ListedColormap(list(COLOURS)).with_extremes(bad=MISSING)
    norm = BoundaryNorm([*limits, max(float(np.nanmax(cells)), limits[-1]) + 1], len(COLOURS))
    mesh = axes.pcolormesh(np.ma.masked_invalid(cells), cmap=colours, norm=norm, edgecolors="white", linewidth=1)
    rows, columns = np.nonzero(flags)
    axes.scatter(columns + 0.5, rows + 0.5, s=9, color=INK, linewidths=0)
    axes.set_yticks(np.arange(len(names)) + 0.5, [_named(name, importances) for name in names], size=TEXT_SIZE)
    axes.set_xticks(np.arange(len(shown)) + 0.5, [label(name, 20) for name in shown], size=NOTE_SIZE, rotation=90)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(mesh, ax=axes, aspect=24, pad=0.015, ticks=limits, spacing="uniform", drawedges=False)
    bar.ax.set_yticklabels([f"{limit:.3g}" for limit in limits], size=NOTE_SIZE, color=INK)
    bar.ax.tick_params(which="both", length=0)
    bar.outline.set_visible(False)
    bar.set_label("PSI", size=TEXT_SIZE, color=INK)
    return png(figure)


def drift_overlay(
    column: str,
    bins: Sequence[str],
    reference: Sequence[float],
    current: Sequence[float],
    *,
    psi: float,
    limit: float,
    names: tuple[str, str] = ("training data", "newest batch"),
    note: str = "",
    in_order: bool = True,
) -> bytes:
    """Draw the share of rows in each bin, reference beside batch; ValueError without rows.

    Bins with an order keep it; categories come by their share, and what is too rare to show is counted together.
    """
    before, now = (np.asarray(each, dtype=np.float64) / max(float(np.sum(each)), 1.0) for each in (reference, current))
    if not before.any() or not now.any():
        message = f"there are no rows of {column[:80]} to draw"
        raise ValueError(message)
    texts, before, now = _fitting(list(bins), before, now, in_order=in_order)
    verdict = "over" if psi > limit else "within"
    title = f"{label(column, 32)}: PSI {number(psi)}, {verdict} the limit of {number(limit)}"
    figure, (axes,) = canvas(title, size=(6.4, 1.9 + 0.3 * len(texts)), note=note)
    rows = np.arange(len(texts))
    for place, (values, colour, name) in enumerate(((before, BLUE, names[0]), (now, VERMILION, names[1]))):
        axes.barh(rows + (place - 0.5) * 0.38, values, height=0.36, color=colour, label=label(name, 40))
    _gains(axes, rows, before, now)
    axes.set_yticks(rows, [label(text, 28) for text in texts])
    axes.set_ylim(len(texts) - 0.4, -0.6)
    axes.set_xlim(0, float(max(before.max(), now.max())) * 1.16)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    axis_names(axes, "share of rows", "", grid="x")
    legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, columnspacing=1)
    return png(figure)


def _gains(axes: Axes, rows: Any, before: Any, now: Any) -> None:
    """Write how many points a bin gained or lost, where that is a point or more."""
    for row, was, becomes in zip(rows, before, now, strict=True):
        points = 100 * (becomes - was)
        if abs(points) >= 1:
            text = f"{points:+.0f}".replace("-", "\u2212")
            axes.annotate(
                text, (max(was, becomes), row), xytext=(4, 0), textcoords="offset points", va="center",
                size=NOTE_SIZE, color=GREY,
            )  # fmt: skip


def _fitting(texts: list[str], before: Any, now: Any, *, in_order: bool) -> tuple[list[str], Any, Any]:
    """Bins with rows; of categories the largest, and the others together."""
    there = (before > 0) | (now > 0)
    texts, before, now = [text for text, kept in zip(texts, there, strict=True) if kept], before[there], now[there]
    if in_order or len(texts) <= MAX_BINS:
        return texts, before, now
    first = sorted(np.argsort(-np.maximum(before, now), kind="stable")[: MAX_BINS - 1].tolist())
    rest = [place for place in range(len(texts)) if place not in first]
    kept = [texts[place] for place in first]
    before, now = (np.append(each[first], each[rest].sum()) for each in (before, now))
    return [*kept, f"{len(rest)} rarer"], before, now


def _title(names: Sequence[str], cells: Any, flags: Any) -> str:
    newest = flags[:, -1] if flags.size else np.zeros(0, dtype=bool)
    place = int(np.nanargmax(cells[:, -1])) if np.isfinite(cells[:, -1]).any() else None
    if place is None:
        return "Drift: the newest batch is not compared"
    most = f"most: {label(names[place])} (PSI {number(float(cells[place, -1]))})"
    return f"Drift: {int(newest.sum())} of {len(names)} columns drifted in the newest batch; {most}"


def _named(name: str, importances: Mapping[str, float] | None) -> str:
    share = (importances or {}).get(name)
    return label(name) if share is None else f"{label(name)}  {share:.0%}"


def _rank(name: str, values: Sequence[float], importances: Mapping[str, float] | None) -> tuple[float, float, str]:
    return (-(importances or {}).get(name, 0.0), -float(np.nanmax(values)), name)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
