"""What is inside a workbook before it is opened: a sound zip archive of bounded size, and sheets of plain cells."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO
from xml.etree import ElementTree as ET

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.formats.compression import ENCRYPTED, PIECE, most_bytes, too_much
from training_assets.core.ingestion.formats.sheet_cells import refuse_odd_cells

WORKBOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True)
class Parts:
    """The sheets of a workbook, as XML, by name."""

    sheets: dict[str, bytes]
    styles: int
    """Number of cell styles; the style of a cell says whether its number is a date."""
    where: str

    def refuse_unread(self, name: str) -> None:
        """Refuse (InputError E_MERGED, E_FORMULA, E_CORRUPT) what a sheet's cells would not show."""
        text = self.sheets.get(name)
        place = f"{self.where}, sheet {excerpt(name)}"
        if text is None:
            message = f"{place}: its cells are not in the file; save it anew as .xlsx"
            raise InputError("E_CORRUPT", message)
        try:
            refuse_odd_cells(text, self.styles, place)
        except InputError:
            raise
        except ValueError as error:
            message = f"{place} is damaged, or no plain sheet ({str(error)[:200]}); save it anew as .xlsx"
            raise InputError("E_CORRUPT", message) from error


def refuse_unsound(data: bytes, where: str) -> Parts:
    """The sheets, once every member is unpacked within bounds and its checksum holds.

    Raises InputError E_RATIO, or E_CORRUPT for an archive that is damaged, encrypted or no workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_bomb(archive, len(data), where)
            return Parts(_sheets(archive), _styles(archive), where)
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        ET.ParseError,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
    ) as error:
        message = f"{where} is damaged or cut short, or no workbook ({str(error)[:200]}); save it anew as .xlsx"
        raise InputError("E_CORRUPT", message) from error


def _refuse_bomb(archive: zipfile.ZipFile, packed: int, where: str) -> None:
    """Unpack all members, and keep none; what they claim to hold is not believed."""
    members = archive.infolist()
    if len({member.filename for member in members}) != len(members) or any(m.flag_bits & ENCRYPTED for m in members):
        message = "it is encrypted, or holds a member twice"
        raise ValueError(message)
    size = 0
    for member in members:
        with archive.open(member) as file:
            size = _counted(file, size, packed, where)


def _counted(file: IO[bytes], size: int, packed: int, where: str) -> int:
    while part := file.read(PIECE):
        size += len(part)
        if size > most_bytes(packed):
            raise too_much(where, packed)
    return size


def _sheets(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """The XML of each sheet that has one."""
    targets = {
        element.get("Id"): posixpath.normpath(posixpath.join("/xl", element.get("Target", "")))[1:]
        for element in _parsed(archive.read(RELATIONS))
    }
    names = set(archive.namelist())
    sheets = {}
    for element in _parsed(archive.read(WORKBOOK)).iter():
        if element.tag.rpartition("}")[2] == "sheet":
            relation = next((value for key, value in element.items() if key.endswith("}id")), None)
            target = targets.get(relation)
            if target in names and target is not None:
                sheets[element.get("name", "")] = archive.read(target)
    return sheets


def _styles(archive: zipfile.ZipFile) -> int:
    if STYLES not in archive.namelist():
        return 0
    found = [each for each in _parsed(archive.read(STYLES)) if each.tag.rpartition("}")[2] == "cellXfs"]
    return len(found[0]) if found else 0


def _parsed(text: bytes) -> ET.Element:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        message = "a part declares a document type"
        raise ValueError(message)
    return ET.fromstring(text)  # noqa: S314 - without a document type there are no entities
