"""Packed files: what `source.compression` declares is unpacked, whole and within bounds, or refused by name.

Several gzip members behind each other are read as one text, as gzip itself does (RFC 1952, 2.2): tools that pack in
parallel or append write them. A zip archive holds one file alone: of two, nobody has said which are the rows.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Literal

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.ingestion.formats import magic
from training_assets.core.ingestion.formats.parquet import HARMLESS_BYTES, MAX_RATIO

Compression = Literal["gzip", "zip"]
MAX_UNPACKED = 1 << 32
PIECE = 1 << 20
GZIP_WINDOW = 31
ENCRYPTED = 0x1


def unpacked(data: bytes, compression: Compression | None, where: str) -> bytes:
    """The bytes inside, or the bytes themselves where none is declared.

    Raises InputError E_MAGIC where they are not packed as declared, cut short or damaged, E_RATIO where they unpack to
    more than 100 times their size (above 256 MiB) or to more than 4 GiB, E_ARCHIVE for a zip archive of another shape.
    """
    if compression is None:
        return data
    known = {"gzip": magic.is_gzip, "zip": magic.is_zip}[compression]
    if not known(data):
        what = magic.kind(data) or "no packed file"
        message = f"{where} is {what}, not {compression} as source.compression says; mend that setting or the file"
        raise InputError("E_MAGIC", message)
    return _from_gzip(data, where) if compression == "gzip" else _from_zip(data, where)


def compression_of(data: bytes) -> Compression | None:
    """How bytes are packed, by their first ones; a zip archive that is a workbook counts as none."""
    if magic.is_gzip(data):
        return "gzip"
    return "zip" if magic.is_zip(data) and not magic.is_excel(data) else None


def most_bytes(packed: int) -> int:
    """How many bytes so many packed ones may unpack to."""
    return min(MAX_UNPACKED, max(HARMLESS_BYTES, MAX_RATIO * packed))


def too_much(where: str, packed: int) -> InputError:
    """The refusal of a file that unpacks to more than `most_bytes`."""
    message = (
        f"{where} has {packed:,} bytes and unpacks to more than {most_bytes(packed):,}; split it, or deliver it "
        "unpacked, if it is sound"
    )
    return InputError("E_RATIO", message)


def _from_gzip(data: bytes, where: str) -> bytes:
    most, size = most_bytes(len(data)), 0
    parts: list[bytes] = []
    rest = data
    while rest:
        member = zlib.decompressobj(GZIP_WINDOW)
        while not member.eof:
            try:
                part = member.decompress(rest, PIECE)
            except zlib.error as error:
                raise _damaged(where, str(error)) from error
            rest = member.unconsumed_tail
            size += len(part)
            if size > most:
                raise too_much(where, len(data))
            parts.append(part)
            if not part and not rest and not member.eof:
                raise _damaged(where, "it ends before its data do")
        rest = member.unused_data
    return b"".join(parts)


def _from_zip(data: bytes, where: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _only_member(archive, where)
            if member.file_size > most_bytes(len(data)):
                raise too_much(where, len(data))
            with archive.open(member) as file:
                return _bounded(file, len(data), where)
    except InputError:
        raise  # it says already what is wrong
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise _damaged(where, str(error)) from error


def _only_member(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    """The archive's one file; raises InputError E_ARCHIVE where it has none or several, or an unsafe one."""
    names = [member.filename for member in archive.infolist()]
    if len(names) != 1:
        held = f"{len(names)} entries ({listed(names, 5)})" if names else "no file"
        message = f"{where} holds {held}; pack one file of rows alone, each into an archive of its own"
        raise InputError("E_ARCHIVE", message)
    member = archive.infolist()[0]
    path = PurePosixPath(member.filename.replace("\\", "/"))
    mode = member.external_attr >> 16
    problems = {
        "is encrypted; pack it without a password": member.flag_bits & ENCRYPTED,
        "is a folder; pack the file alone": member.filename.endswith("/"),
        "is a link; pack the file itself": stat.S_ISLNK(mode),
        "has a path that leaves its folder; pack it under a plain name": path.is_absolute() or ".." in path.parts,
        "has no name, or one that does not print; rename it": not member.filename.strip()
        or not path.name.isprintable(),
    }
    for what, wrong in problems.items():
        if wrong:
            message = f"{where}: its member {excerpt(member.filename)} {what}"
            raise InputError("E_ARCHIVE", message)
    return member


def _bounded(file: IO[bytes], packed: int, where: str) -> bytes:
    """All bytes of an open member; its checksum is verified by reading it to the end."""
    parts, size = [], 0
    while part := file.read(PIECE):
        size += len(part)
        if size > most_bytes(packed):
            raise too_much(where, packed)
        parts.append(part)
    return b"".join(parts)


def _damaged(where: str, why: str) -> InputError:
    message = f"{where} is damaged or cut short ({why[:200]}); deliver it again"
    return InputError("E_MAGIC", message)
