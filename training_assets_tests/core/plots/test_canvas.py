"""Any text can be drawn, any number read, and no picture is too large or leaves anything behind."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.plots import canvas
from training_assets_tests.core.plots.pictures import seen

MINUS, TO = canvas.MINUS, canvas.TO


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.7412, "0.741"),
        (0.5, "0.500"),
        (1.0, "1.00"),
        (0.04, "0.0400"),
        (0.000123, "0.000123"),
        (0, "0.000"),
        (12.345, "12.3"),
        (123.45, "123"),
        (42967.4, "42,967"),
        (-1234.5, f"{MINUS}1,234"),
        (1e20, "1e+20"),
        (1e-9, "1e-09"),
        (None, "undefined"),
        (float("nan"), "undefined"),
    ],
)
def test_numbers_have_the_digits_that_matter(value: float | None, text: str) -> None:
    assert canvas.number(value) == text


def test_bounds_have_as_many_decimals_as_their_value() -> None:
    assert canvas.with_bounds({"value": 0.741, "low": 0.7351, "high": 0.7469}) == f"0.741 (0.735{TO}0.747)"
    assert canvas.with_bounds({"value": 1000.4, "low": 998.2, "high": 1002.9}) == f"1,000 (998{TO}1,003)"
    assert canvas.with_bounds({"value": 0.7, "low": None, "high": None}) == "0.700"
    assert canvas.with_bounds({"value": None, "low": None, "high": None}) == "undefined"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("CO2(tCO2)", "CO2(tCO2)"),
        ("subject#", "subject#"),
        ("a$b$c", r"a\$b\$c"),
        ("two\nlines\tand", r"two\nlines\tand"),
        ("猫", r"\u732b"),
        ("naïve Ж ب", "naïve Ж ب"),
        ("x" * 100, "x" * 23 + "…"),
        ("", ""),
    ],
)
def test_labels_are_safe_to_draw(text: str, drawn: str) -> None:
    assert canvas.label(text) == drawn


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_label_is_one_short_line_of_characters_that_the_font_has(text: str) -> None:
    drawn = canvas.label(text)
    assert len(drawn.replace("\\$", "$")) <= canvas.LABEL_WIDTH
    assert all(canvas._has_glyph(each) for each in drawn)


@given(st.text(max_size=40))
@settings(max_examples=8, deadline=None)
def test_any_label_can_be_a_title(text: str) -> None:
    figure, _ = canvas.canvas(f"title: {canvas.label(text)}", size=(4, 2))
    picture = seen(canvas.png(figure))
    assert picture.title.startswith("title:")
    assert "\\$" not in picture.title


def test_the_same_figure_gives_the_same_bytes() -> None:
    def drawn() -> bytes:
        figure, (axes,) = canvas.canvas("again", note="below")
        axes.plot([0, 1], [1, 0])
        return canvas.png(figure)

    assert drawn() == drawn()


def test_a_picture_that_is_too_large_is_drawn_coarser() -> None:
    figure, (axes,) = canvas.canvas("noise", size=(4, 3))
    axes.imshow(np.random.default_rng(0).random((200, 300)), aspect="auto")
    picture = seen(canvas.png(figure))
    assert picture.width < 4 * canvas.SHARPEST_FIRST[0]


def test_a_picture_that_cannot_be_small_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "MAX_BYTES", 1000)
    figure, _ = canvas.canvas("too much")
    with pytest.raises(ValueError, match=r"'too much' has .* bytes at 60 dpi"):
        canvas.png(figure)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 600_000], ["0", "100k", "200k", "300k", "400k", "500k", "600k"]),
        ([-2e6, 2e6], [f"{MINUS}2M", f"{MINUS}1M", "0", "1M", "2M"]),
        ([0, 0.004], ["0", "0.001", "0.002", "0.003", "0.004"]),
        ([0, 4000], ["0", "1,000", "2,000", "3,000", "4,000"]),
    ],
)
def test_ticks_are_few_and_short(values: list[float], expected: list[str]) -> None:
    figure, (axes,) = canvas.canvas("ticks")
    axes.set_xlim(*values)
    canvas.round_ticks(axes, "x")
    canvas.png(figure)
    texts = [tick.get_text() for tick in axes.get_xticklabels()]
    assert texts == expected


def test_no_pyplot_and_nothing_heavy_at_import() -> None:
    """Pictures are drawn without global state, and the code location loads without matplotlib."""
    program = (
        "import sys\n"
        "import training_assets.core.plots as plots\n"
        "assert not {'matplotlib', 'PIL'} & set(sys.modules), 'heavy at import'\n"
        "plots.split_balance({'train': 1})\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_settings_of_matplotlib_are_left_alone() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figure, _ = canvas.canvas("quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas.png(figure)
    assert dict(mpl.rcParams) == before
