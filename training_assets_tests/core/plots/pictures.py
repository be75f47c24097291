"""What a test can see of a picture: its size, its title, and how much of it is not white."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from training_assets.core.plots.canvas import MAX_BYTES


@dataclass(frozen=True)
class Picture:
    """One decoded PNG."""

    title: str
    width: int
    height: int
    ink: float


def seen(png: bytes) -> Picture:
    """Decode a picture, and insist on what holds for all: a PNG, under the limit, of a size that a screen can show."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(png) < MAX_BYTES
    image = Image.open(io.BytesIO(png))
    pixels = np.asarray(image.convert("L"))
    title = image.text["Title"]  # type: ignore[attr-defined]  # a PNG has texts
    picture = Picture(title, image.width, image.height, float((pixels < 250).mean()))
    assert 250 < picture.width < 1300
    assert 150 < picture.height < 1300
    assert 0.005 < picture.ink < 0.98
    return picture
