"""What every picture shares: size, colours, text that is safe to draw, and PNG bytes under a limit.

Figures are made without pyplot, so that no picture leaves global state behind or needs a display.
"""

from __future__ import annotations

import functools
import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): eight colours that people with any colour vision can tell apart; yellow is too pale for lines.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#8c6d31")  # a colour for each family of models
INK, GREY, PALE = "#262626", "#6b6b6b", "#d9d9d9"
HEAT = "Blues"
MAX_BYTES = 100_000  # a picture is kept in Dagster's event log for ever
SHARPEST_FIRST = (120, 100, 80, 60)  # dots an inch
TITLE_SIZE, TEXT_SIZE, NOTE_SIZE = 11, 9, 8
TITLE_CHARACTERS, NOTE_CHARACTERS = 9.5, 15.0  # to an inch, at these sizes
LABEL_WIDTH = 24
MINUS, TO = "\u2212", "\u2013"  # a minus sign, and the dash of a range


def canvas(
    title: str,
    *,
    size: tuple[float, float] = (6.4, 4.4),
    heights: Sequence[float] = (1,),
    widths: Sequence[float] = (1,),
    note: str = "",
) -> tuple[Figure, list[Axes]]:
    """Open a figure of `size` inches with a title, a grey note below, and axes row by row."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    roomy = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.09)
    figure = Figure(figsize=size, layout=roomy, facecolor="white")
    grid = figure.subplots(
        len(heights),
        len(widths),
        squeeze=False,
        gridspec_kw={"height_ratios": list(heights), "width_ratios": list(widths)},
    )
    figure.suptitle(
        textwrap.fill(title, int(size[0] * TITLE_CHARACTERS)),
        x=0.015,
        ha="left",
        size=TITLE_SIZE,
        weight="bold",
        color=INK,
    )
    if note:
        figure.supxlabel(
            textwrap.fill(note, int(size[0] * NOTE_CHARACTERS)), x=0.015, ha="left", size=NOTE_SIZE, color=GREY
        )
    axes: list[Axes] = list(grid.flat)
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.spines[["left", "bottom"]].set_color(GREY)
        each.tick_params(labelsize=TEXT_SIZE, colors=INK, color=GREY)
        each.set_axisbelow(True)
    return figure, axes


def png(figure: Figure) -> bytes:
    """PNG bytes under 100 KB, as sharp as that allows; its title is in the file's metadata too.

    256 colours halve the size. ValueError if even the coarsest picture is too large.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    title = figure.get_suptitle().replace("\\$", "$").replace("\n", " ")
    info = PngInfo()
    info.add_text("Title", title)
    for dpi in SHARPEST_FIRST:
        figure.set_dpi(dpi)
        drawn = FigureCanvasAgg(figure)
        drawn.draw()  # type: ignore[no-untyped-call]  # matplotlib has no annotation here
        picture = Image.fromarray(np.asarray(drawn.buffer_rgba())[..., :3])  # type: ignore[no-untyped-call]  # nor here
        buffer = io.BytesIO()
        few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(buffer, "png", optimize=True, pnginfo=info, dpi=(dpi, dpi))
        if buffer.tell() < MAX_BYTES:
            return buffer.getvalue()
    message = f"the picture '{title}' has {buffer.tell()} bytes at {dpi} dpi; show less in it"
    raise ValueError(message)


def axis_names(axes: Axes, x: str, y: str, *, grid: Literal["", "x", "y", "both"] = "") -> None:
    """Name both axes; `grid` is 'x', 'y' or 'both'."""
    axes.set_xlabel(x, size=TEXT_SIZE, color=INK)
    axes.set_ylabel(y, size=TEXT_SIZE, color=INK)
    if grid:
        axes.grid(visible=True, axis=grid, color=PALE, linewidth=0.6)


def round_ticks(axes: Axes, *which: Literal["x", "y"]) -> None:
    """Show few ticks, and large numbers as 150k or 2M."""
    from matplotlib.ticker import MaxNLocator

    def text(value: float, _: float) -> str:
        for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= 10 * unit or (abs(value) >= unit and suffix != "k"):
                return f"{value / unit:,.6g}{suffix}".replace("-", MINUS)
        return f"{value:,.6g}".replace("-", MINUS)

    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(text)


def legend(axes: Axes, **options: Any) -> None:
    """Show a legend without a frame."""
    axes.legend(frameon=False, fontsize=TEXT_SIZE, labelcolor=INK, **options)


def label(text: str, width: int = LABEL_WIDTH) -> str:
    """Text of a user, safe to draw: short, on one line, without formulas, and with only characters the font has."""
    drawable = "".join(
        each if _has_glyph(each) else each.encode("unicode_escape").decode() for each in text[: 2 * width]
    )
    short = drawable if len(drawable) <= width else drawable[: width - 1] + "…"
    return short.replace("$", "\\$")


def number(value: float | None, like: float | None = None) -> str:
    """Format a number for people: about three digits that matter (those of `like`, if given), thousands apart."""
    if value is None or not math.isfinite(value):
        return "undefined"
    size = abs(value if like is None else like)
    if size >= 1e15 or 0 < size < 1e-6:
        return f"{value:.3g}"
    decimals = 3 if size == 0 else min(max(2 - math.floor(math.log10(size)), 0), 8)
    return f"{value:,.{max(decimals, 3) if size < 1 else decimals}f}".replace("-", MINUS)


def with_bounds(metric: Mapping[str, Any]) -> str:
    """Format a metric of a report with its bounds, as in `0.741 (0.735 to 0.747)` with a dash."""
    value, low, high = metric["value"], metric["low"], metric["high"]
    if value is None or low is None or high is None:
        return number(value)
    return f"{number(value)} ({number(low, value)}{TO}{number(high, value)})"


def rows_note(report: Mapping[str, Any]) -> str:
    """Say what the numbers in a title rest on."""
    return f"{report['rows']:,} test rows; each bound holds one-sided with {report['confidence']:.0%}"


@functools.cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def _has_glyph(character: str) -> bool:
    return character.isprintable() and ord(character) in _glyphs()
