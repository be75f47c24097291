"""Jinja2's environment: everything that is put into a page is escaped, and a missing value is an error."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

UNKNOWN = "unknown"
WHOLE = 10_000
"""From here on, digits behind the point say nothing."""


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """A template of this folder, filled in."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "bounded": _bounded, "picture": _picture, "short": _short, "bar": _bar}
    return environment


def number(value: Any) -> str:
    """A number with four digits that count; `unknown` where there is none."""
    if value is None or isinstance(value, bool):
        return UNKNOWN if value is None else str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return UNKNOWN
        return f"{value:,.0f}" if abs(value) >= WHOLE else f"{value:.4g}"
    return str(value)


def _bounded(entry: Mapping[str, Any], field: str = "value") -> str:
    """A value with its bounds, where it has any."""
    said = number(entry.get(field))
    low, high = entry.get("low"), entry.get("high")
    return said if low is None or high is None else f"{said} ({number(low)} to {number(high)})"


def _picture(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _short(digest: str | None) -> str:
    return UNKNOWN if not digest else digest[:12]


def _bar(value: float | None, low: float, high: float) -> float:
    """Place of a value between two others, in per cent, for a bar."""
    if value is None or not high > low:
        return 0.0
    return round(100 * min(max((value - low) / (high - low), 0.0), 1.0), 2)
