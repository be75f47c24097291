"""Values of data and words of people in Markdown: they show as they are written."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.assets.showing import Markdown, markdown_table
from training_assets.core.pages.markdown import fenced, literal

HOSTILE = "![x](http://evil.example/p.png) <img src=x> | **b** `c`\n\n# head\r- item ~~s~~ \\"


def test_a_value_cannot_become_a_picture_a_link_or_another_cell() -> None:
    lines = markdown_table([{"va|ue": HOSTILE, "number": 1234.5}]).splitlines()
    assert len(lines) == 3
    for line in (lines[0], lines[2]):
        assert len(re.findall(r"(?<!\\)\|", line)) == 3
    bare = re.sub(r"\\[^\w\s]", "", lines[2])  # without what is escaped
    assert not set("`*[]<~\\") & set(bare)
    assert "1,234" in lines[2]


def test_a_cell_that_is_markdown_stays_so() -> None:
    assert "| [run](/runs/1) |" in markdown_table([{"run": Markdown("[run](/runs/1)")}])


@given(st.text())
def test_a_text_is_one_line_and_is_got_back_from_its_escapes(text: str) -> None:
    said = literal(text)
    assert re.sub(r"\\([\\`*\[\]|~])", r"\1", unescape(said)) == " ".join(text.split())
    assert len(said.splitlines()) <= 1


@pytest.mark.parametrize("text", ["plain", "```\n![x](http://evil.example)\n```", "`````"])
def test_no_text_ends_its_block(text: str) -> None:
    first, *inside, last = fenced(text).split("\n")
    assert first == last
    assert "\n".join(inside) == text
    assert all(first not in line for line in inside)
