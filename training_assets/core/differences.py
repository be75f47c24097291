"""Where two nested settings differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def differences(one: Mapping[str, Any], two: Mapping[str, Any], above: str = "") -> dict[str, list[Any]]:
    """Keys, those of nested mappings with dots, whose values differ: `[value in one, value in two]`."""
    found: dict[str, list[Any]] = {}
    for key in {**one, **two}:
        left, right = one.get(key), two.get(key)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            found |= differences(left, right, f"{above}{key}.")
        elif left != right:
            found[f"{above}{key}"] = [left, right]
    return found
