"""The header of ARFF: which columns it declares, and where the rows begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.records import MAX_LINE
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.formats.arff_values import QUOTED, cells_in, unquoted
from training_assets.core.ingestion.header import MAX_WIDTH

Kind = Literal["numeric", "integer", "string", "nominal", "date"]
_KINDS: dict[str, Kind] = {
    "numeric": "numeric",
    "real": "numeric",
    "integer": "integer",
    "string": "string",
    "date": "date",
}
_ATTRIBUTE = re.compile(rf"""@attribute[ \t]+({QUOTED}|[^\s'"{{}}]+)(?:[ \t]+|(?=\{{))(.+)$""", re.IGNORECASE)


@dataclass(frozen=True)
class Attribute:
    """A column that the header declares: its name, its kind, and the values of a nominal one."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()


def header_of(text: bytes, where: str) -> tuple[list[Attribute], int, int]:
    """The attributes, the position behind the line `@data`, and the number of lines up to there."""
    attributes: list[Attribute] = []
    start, number, related = 0, 0, False
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        if end - start > MAX_LINE:
            message = f"{where}, line {number + 1}: longer than {MAX_LINE:,} bytes; the file is damaged"
            raise InputError("E_LINE_SIZE", message)
        line, start, number = text[start:end].decode().strip(), end + 1, number + 1
        if not line or line.startswith("%"):
            continue
        word = line.split(maxsplit=1)[0].casefold()
        if word == "@relation" and not related:
            related = True
        elif word == "@attribute" and related and len(attributes) < MAX_WIDTH:
            attributes.append(_attribute(line, f"{where}, line {number}"))
        elif line.casefold() == "@data" and attributes:
            return attributes, start, number
        else:
            message = (
                f"{where}, line {number}: {excerpt(line)} is not read here; an ARFF header is @relation, then "
                f"@attribute for each column (at most {MAX_WIDTH:,}), then @data"
            )
            raise InputError("E_ARFF", message)
    message = f"{where} has no @data; it is cut short, or no ARFF file"
    raise InputError("E_ARFF", message)


def _attribute(line: str, place: str) -> Attribute:
    found = _ATTRIBUTE.match(line)
    declared = found[2].strip() if found else ""
    if found is not None and declared.startswith("{") and declared.endswith("}"):
        values = [value for value in cells_in(declared[1:-1], place) if value is not None]
        return Attribute(unquoted(found[1]), "nominal", tuple(values))
    kind = _KINDS.get(declared.split(maxsplit=1)[0].casefold()) if declared else None
    if found is None or kind is None or (kind != "date" and len(declared.split()) > 1):
        message = (
            f"{place}: {excerpt(line)} declares no column; write `@attribute name type`, with numeric, integer, real, "
            "string, date or {value, value}"
        )
        raise InputError("E_ARFF", message)
    return Attribute(unquoted(found[1]), kind)
