"""Pieces of a user's file in messages: short, printable, and with the name that was meant."""

from __future__ import annotations

import pytest

from training_assets.core.ingestion.excerpt import excerpt, listed, nearest


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "'plain'"),
        ("größe", "'größe'"),
        ("\x1b[31mred", r"'\x1b[31mred'"),
        ("a\nb", r"'a\nb'"),
        ("\u202egnp", r"'\u202egnp'"),
        ("x" * 50, "'" + "x" * 39 + "…'"),
    ],
)
def test_an_excerpt_is_short_and_printable(text: str, shown: str) -> None:
    assert excerpt(text) == shown
    assert excerpt(text).isprintable()


def test_a_list_says_how_many_names_it_leaves_out() -> None:
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed([f"c{i}" for i in range(9)], most=2) == "'c0', 'c1' and 7 more"


def test_the_nearest_name_ignores_case() -> None:
    assert nearest("Temprature", ["temperature", "humidity"]) == " (did you mean 'temperature'?)"
    assert nearest("zzz", ["temperature"]) == ""
