"""How a piece of a user's file is shown in a message: short, on one line, without anything that a terminal obeys."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

LONGEST = 40
MOST_NAMES = 12


def excerpt(text: str, longest: int = LONGEST) -> str:
    """The text in single quotes, escaped where it is not printable, cut after `longest` characters."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut) + "'"


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Names in quotes, separated by commas; after `most` of them only how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(excerpt(name) for name in every[:most]) + more


def nearest(name: str, known: Sequence[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known name, or nothing."""
    by_fold = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), by_fold, n=1)
    return f" (did you mean {excerpt(by_fold[near[0]])}?)" if near else ""
