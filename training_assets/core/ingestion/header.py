"""The names in a file's header: sound, distinct, and safe in a query, a path, a table and a report."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt

LONGEST_NAME = 128
MAX_WIDTH = 2000
_EMPTY = (
    "is empty (an index that was written with the rows? leave it out; empty columns at the end of every line? "
    "set source.csv.trailing to skip)"
)
# Each is at home somewhere else: a path, SQL, HTML, a Polars regular expression.
_ODD = {
    r"(^|[/\\])\.\.([/\\]|$)": "climbs out of a folder",
    r'["`;\\]|--': "holds a quote, ';', '--' or a backslash, which end a name in SQL",
    r"<\s*[a-zA-Z/!][^>]*>": "holds a tag",
    r"^\^.*\$$": "is a pattern",
    r"^\*$": "is a pattern",
    r"^_": "starts with '_', as the project's own columns do",
}


def sound_names(names: Sequence[str], where: str) -> list[str]:
    """The names in Unicode's composed form (NFC).

    Raises InputError E_WIDTH, E_COLUMN_NAME, E_CONTROL, E_NAME or E_DUP_COLUMN, with the column's position.
    """
    if len(names) > MAX_WIDTH:
        message = f"{where} has {len(names):,} columns; at most {MAX_WIDTH:,} are read: leave out what no model needs"
        raise InputError("E_WIDTH", message)
    composed = [unicodedata.normalize("NFC", name) for name in names]
    for position, name in enumerate(composed, start=1):
        problem = _problem(name)
        if problem is not None:
            code, what = problem
            message = f"{where}, header: the name of column {position} ({excerpt(name)}) {what}; rename the column"
            raise InputError(code, message)
    first_of: dict[str, int] = {}
    for position, name in enumerate(composed, start=1):
        first = first_of.setdefault(name.casefold(), position)
        if first != position:
            same = "the same name" if composed[first - 1] == name else "names that differ by case alone"
            message = f"{where}, header: columns {first} and {position} have {same} ({excerpt(name)}); rename one"
            raise InputError("E_DUP_COLUMN", message)
    return composed


def _problem(name: str) -> tuple[str, str] | None:
    """Code and words for the first thing that is wrong with a name."""
    alike = any(_mixes_alphabets(word) for word in re.findall(r"[^\W\d_]+", name))
    problems = (
        (not name.strip(), "E_COLUMN_NAME", _EMPTY),
        (len(name) > LONGEST_NAME, "E_NAME", f"is longer than {LONGEST_NAME} characters"),
        (name != name.strip(), "E_COLUMN_NAME", "starts or ends with a blank"),
        (any(unicodedata.category(c) == "Cc" for c in name), "E_CONTROL", "holds a control character"),
        (not name.isprintable(), "E_COLUMN_NAME", "holds an invisible character"),
        (alike, "E_COLUMN_NAME", "mixes Latin and Cyrillic letters in a word, which look alike"),
        *((re.search(pattern, name) is not None, "E_NAME", what) for pattern, what in _ODD.items()),
    )
    return next(((code, what) for wrong, code, what in problems if wrong), None)


def _mixes_alphabets(word: str) -> bool:
    scripts = {unicodedata.name(c, "").split(" ")[0] for c in word}
    return {"LATIN", "CYRILLIC"} <= scripts
