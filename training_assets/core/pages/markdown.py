"""Text from data and people inside Markdown: it shows as it is written, and cannot become a link, picture or table."""

from __future__ import annotations

import re

MARKS = re.compile(r"[\\`*\[\]|~]")


def literal(text: str) -> str:
    """The text on one line, with every mark that Markdown would read escaped."""
    said = MARKS.sub(r"\\\g<0>", " ".join(text.split()))
    return said.replace("&", "&amp;").replace("<", "&lt;")


def fenced(text: str) -> str:
    """The text as a block of code, whatever fence it holds itself."""
    longest = max((len(each) for each in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
