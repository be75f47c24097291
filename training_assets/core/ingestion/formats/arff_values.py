"""The values of one line of ARFF: quoted as Weka quotes them, or plain."""

from __future__ import annotations

import re

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.records import MAX_FIELD

QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_VALUE = re.compile(rf"""[ \t]*({QUOTED}|[^'",{{}}% \t](?:[^'",{{}}%]*[^'",{{}}% \t])?|)[ \t]*(,|$)""")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def cells_in(line: str, place: str) -> list[str | None]:
    """The values of a line; none for a question mark without quotes."""
    cells: list[str | None] = []
    at = 0
    while True:
        found = _VALUE.match(line, at)
        if found is None:
            message = (
                f"{place}: value {len(cells) + 1} has a quote, brace or percent sign that is not quoted, or a quote "
                "that is never closed; quote the whole value, with a backslash before quotes inside"
            )
            raise InputError("E_QUOTE", message)
        value = found[1]
        if len(value.encode()) > MAX_FIELD:
            message = f"{place}: a value of more than {MAX_FIELD:,} bytes; shorten it or leave it out"
            raise InputError("E_FIELD_SIZE", message)
        if not value:
            message = f"{place}: value {len(cells) + 1} is empty; write ? where there is none"
            raise InputError("E_RAGGED", message)
        cells.append(None if value == "?" else unquoted(value))
        if not found[2]:
            return cells
        at = found.end()


def unquoted(value: str) -> str:
    """A value without its quotes and escapes."""
    if value[:1] not in {"'", '"'}:
        return value
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), value[1:-1])
