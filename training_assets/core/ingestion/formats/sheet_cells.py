"""Whether the XML of a sheet is one that every reader reads alike: cells in order, of known types, none hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from training_assets.core.errors import InputError

MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
KINDS = {"n", "s", "str", "b", "e", "inlineStr", "d"}
ATTRIBUTES = {"r", "s", "t", "cm", "vm", "ph"}
TEXT_PARTS = {"is", "t", "r", "rPr", "rPh", "phoneticPr"}


class _UnsoundError(ValueError):
    """XML that is no plain sheet; readers may differ on it."""


@dataclass
class _Cells:
    """Handlers of an XML parser that follow the cells of a sheet."""

    place: str
    styles: int
    path: list[str] = field(default_factory=list)
    row: int = 0
    column: int = 0
    kind: str = "n"
    text: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        if not self.path and (tag != "worksheet" or space not in MAIN):
            message = f"its sheet begins with {tag[:40]}"
            raise _UnsoundError(message)
        self.path.append(tag if space in MAIN else name)
        if len(self.path) < 3 or self.path[1] != "sheetData":
            if tag == "mergeCell":
                message = f"{self.place} has merged cells, of which one alone holds the value; unmerge and fill them"
                raise InputError("E_MERGED", message)
            return
        match self.path[2:]:
            case ["row"]:
                self._row(attributes)
            case ["row", "c"]:
                self._cell(attributes)
            case ["row", "c", "v" | "f" as part]:
                self._once(part)
                self.text.clear()
            case ["row", "c", "is", *inner] if set(inner) <= TEXT_PARTS and self.kind == "inlineStr":
                self._once("is" if not inner else "")
            case ["row", "c", *inner] if "extLst" in inner or "rPr" in inner:
                pass
            case _:
                message = f"row {self.row} holds {'/'.join(self.path[3:])[:80]}"
                raise _UnsoundError(message)

    def end(self, _: str) -> None:
        tag = self.path.pop()
        if self.path[1:] == ["sheetData", "row", "c"] and tag == "v":
            self._value("".join(self.text))
            if not self.text and self.kind != "str":
                self.seen.discard("v")
        elif self.path[1:] == ["sheetData", "row"] and tag == "c" and "f" in self.seen and "v" not in self.seen:
            message = (
                f"{self.place}, row {self.row} has a formula without a result; open it in a spreadsheet program and "
                "save it, or keep values alone"
            )
            raise InputError("E_FORMULA", message)

    def words(self, text: str) -> None:
        if self.path[1:2] == ["sheetData"]:
            if self.path[-1] not in {"v", "f", "t"} and text.strip() and "extLst" not in self.path:
                message = f"row {self.row} holds text outside of its cells"
                raise _UnsoundError(message)
            if self.path[-1] == "v":
                self.text.append(text)

    def _once(self, part: str) -> None:
        if part in self.seen and part:
            message = f"a cell of row {self.row} has two values"
            raise _UnsoundError(message)
        self.seen.add(part)

    def _row(self, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r", str(self.row + 1))
        if not number.isascii() or not number.isdigit() or not self.row < int(number) <= 1 << 20:
            message = f"row {number[:20]} follows row {self.row}"
            raise _UnsoundError(message)
        self.row, self.column = int(number), 0

    def _cell(self, attributes: Mapping[str, str]) -> None:
        name = attributes.get("r")
        found = PLACE.fullmatch(name) if name is not None else None
        column = self.column + 1
        if found is not None:
            column = 0
            for letter in found[1]:
                column = column * 26 + ord(letter) - 64
        misplaced = name is not None and (found is None or int(found[2]) != self.row)
        style = attributes.get("s", "0")
        misplaced |= re.fullmatch("[0-9]{1,5}", style) is None or not int(style) < max(self.styles, 1)
        misplaced |= any(name not in ATTRIBUTES and " " not in name for name in attributes)
        if misplaced or not self.column < column <= 1 << 14 or attributes.get("t", "n") not in KINDS:
            message = (
                f"row {self.row} holds a cell {str(name)[:20]} of kind {attributes.get('t', 'n')[:20]} out of place"
            )
            raise _UnsoundError(message)
        self.column, self.kind = column, attributes.get("t", "n")
        self.seen.clear()

    def _value(self, text: str) -> None:
        """A value is spelt as its kind says."""
        spelt = {
            "n": NUMBER.fullmatch(text) is not None,
            "s": text.isascii() and text.isdigit(),
            "b": text in {"0", "1"},
        }.get(self.kind, True)
        if not spelt and not (self.kind == "n" and not text):
            message = f"a cell of row {self.row} is no {self.kind}"
            raise _UnsoundError(message)


def refuse_odd_cells(xml: bytes, styles: int, place: str) -> None:
    """Refuse (InputError E_MERGED, E_FORMULA; ValueError for XML that is no plain sheet) what cells would not show."""
    parser = expat.ParserCreate(namespace_separator=" ")
    cells = _Cells(place, styles)
    parser.StartElementHandler, parser.EndElementHandler = cells.start, cells.end
    parser.CharacterDataHandler = cells.words
    parser.StartDoctypeDeclHandler = _refuse_entities
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error


def _refuse_entities(*_: object) -> None:
    message = "it declares a document type"
    raise _UnsoundError(message)
