"""Which files a source names, and what each of them is: found by pattern, identified by content."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from training_assets.core.errors import InputError
from training_assets.core.fingerprint import digest_bytes
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.spec import Source

# A writer that has not finished: downloads, rsync, editors.
UNFINISHED = (".tmp", ".part", ".crdownload", ".partial", ".swp", "~")
# File systems allow 255 bytes; names are reused with something added.
LONGEST_NAME = 200
MAX_BYTES = 1 << 31
ATTEMPTS = 3
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class FileStamp:
    """What one stat says of a file: enough to see that something is new, cheap enough for every tick of a sensor."""

    path: Path
    size: int
    modified_ns: int


@dataclass(frozen=True)
class BatchFile:
    """A file with the digest of its bytes: the batch that it is."""

    path: Path
    name: str
    digest: str
    size: int
    modified_ns: int


def stamps(source: Source, root: Path) -> list[FileStamp]:
    """The files that match `source.paths` below `root` (or at absolute paths), sorted by path, each once.

    Hidden and unfinished files are left out, and folders where a pattern matches them. Raises InputError E_MISSING
    where a path without wildcards does not exist, E_NOT_REGULAR for a link that leads out of the source's folder, a
    pipe or a device, E_NAME for a name that is unsafe to show or to reuse.
    """
    found: dict[Path, FileStamp] = {}
    for pattern in source.paths:
        whole = root / pattern
        literal = not glob.has_magic(pattern) or os.path.lexists(whole)
        if literal and not os.path.lexists(whole):
            message = f"{pattern} does not exist under {root}; put the file there, or mend source.path"
            raise InputError("E_MISSING", message)
        paths = [whole] if literal else _matching(pattern, root)
        for path in paths:
            if literal or _is_wanted(path):
                stamp = _stamp(path, root, literal=literal)
                if stamp is not None:
                    found[path] = stamp
    return [found[path] for path in sorted(found)]


def identify(stamp: FileStamp) -> BatchFile:
    """The file with its sha256; raises InputError E_UNSTABLE while it changes, E_MISSING, E_NOT_REGULAR or E_SIZE."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        before, data = _read(stamp.path)
        with contextlib.suppress(FileNotFoundError):
            after = stamp.path.stat()
            if _version(before) == _version(after) and len(data) == after.st_size:
                return BatchFile(stamp.path, stamp.path.name, digest_bytes(data), after.st_size, after.st_mtime_ns)
    message = f"{stamp.path.name} changes while it is read; write it elsewhere and move it here when it is whole"
    raise InputError("E_UNSTABLE", message)


def read_identified(file: BatchFile) -> bytes:
    """The very bytes that were identified; raises InputError E_UNSTABLE where the file now holds others."""
    _, data = _read(file.path)
    if digest_bytes(data) != file.digest:
        message = (
            f"{file.name} holds other bytes than when it was identified; it is read at the next run, once it rests"
        )
        raise InputError("E_UNSTABLE", message)
    return data


def _matching(pattern: str, root: Path) -> list[Path]:
    names = glob.iglob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [root / name for name in names]


def _is_wanted(path: Path) -> bool:
    return not path.name.startswith(".") and not path.name.endswith(UNFINISHED)


def _stamp(path: Path, root: Path, *, literal: bool) -> FileStamp | None:
    """Stat of a file; none for what vanished meanwhile and for a folder that a pattern matches."""
    try:
        if path.is_symlink():
            _refuse_link_out(path, root)
        found = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode) and not literal:
        return None
    _refuse_irregular(path, found)
    _refuse_odd_name(path.name)
    return FileStamp(path, found.st_size, found.st_mtime_ns)


def _refuse_link_out(path: Path, root: Path) -> None:
    target = path.resolve()
    if not any(target.is_relative_to(folder.resolve()) for folder in (root, path.parent)):
        message = f"{path.name} is a link to a file outside of its folder; put the file itself there"
        raise InputError("E_NOT_REGULAR", message)


def _refuse_irregular(path: Path, found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    what = "a folder; name its files, for example `folder/*.csv`" if stat.S_ISDIR(found.st_mode) else "no regular file"
    message = f"{excerpt(path.name)} is {what}; source.path names files of rows"
    raise InputError("E_NOT_REGULAR", message)


def _refuse_odd_name(name: str) -> None:
    long = len(os.fsencode(name)) > LONGEST_NAME
    if long or not name.isprintable() or name.startswith("-"):
        why = (
            f"is longer than {LONGEST_NAME} bytes" if long else "starts with '-' or holds characters that do not print"
        )
        message = f"the file name {excerpt(name)} {why}; rename the file"
        raise InputError("E_NAME", message)


def _version(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> tuple[os.stat_result, bytes]:
    """Stat of the open file, from before reading, and its bytes; never blocks on a pipe."""
    try:
        handle = os.open(path.resolve(), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        message = f"{path.name} is gone; put it back, or let the next run find what there is"
        raise InputError("E_MISSING", message) from error
    except OSError as error:
        message = (
            f"{excerpt(path.name)} cannot be opened ({error.strerror}); mend its permissions, or put a plain file there"
        )
        raise InputError("E_NOT_REGULAR", message) from error
    try:
        found = os.fstat(handle)
        _refuse_irregular(path, found)
        if found.st_size > MAX_BYTES:
            message = f"{path.name} has {found.st_size:,} bytes; a batch has at most {MAX_BYTES:,}: split the file"
            raise InputError("E_SIZE", message)
        with open(handle, "rb", closefd=False) as file:
            return found, file.read()
    finally:
        os.close(handle)
