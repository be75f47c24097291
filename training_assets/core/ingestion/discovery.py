"""Which files a source names, and what each of them is: found by pattern, identified by content."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath

from training_assets.core.errors import InputError
from training_assets.core.fingerprint import digest, digest_bytes
from training_assets.core.ingestion.deliveries import SecretReader
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.file_names import refuse_irregular, refuse_link_out, refuse_odd_name
from training_assets.core.ingestion.formats.partitions import Values, partition_of
from training_assets.core.ingestion.lakes.object_store import SCHEME, Objects, State, open_store
from training_assets.spec import Source

# A writer that has not finished: downloads, rsync, editors.
UNFINISHED = (".tmp", ".part", ".crdownload", ".partial", ".swp", "~")
MAX_BYTES = 1 << 31
ATTEMPTS = 3
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class FileStamp:
    """What one stat says of a file: enough to see that something is new, cheap enough for every tick of a sensor."""

    path: PurePath
    """Where the file lies; `bucket/key` for an object of a store."""
    size: int
    modified_ns: int
    objects: Objects | None = field(default=None, compare=False, repr=False)
    """The store that holds it; none for a file of this machine."""
    partitions: tuple[str, ...] = ()
    """The columns whose values are in the names of its folders."""

    def state(self) -> State:
        """What it is now; raises FileNotFoundError, or InputError for an object that is gone."""
        if self.objects is not None:
            return self.objects.state(PurePosixPath(self.path))
        return _state(Path(self.path).stat())


@dataclass(frozen=True)
class BatchFile:
    """A file with the digest of its bytes (and of what its folders say of them): the batch that it is."""

    path: PurePath
    name: str
    digest: str
    size: int
    modified_ns: int
    objects: Objects | None = field(default=None, compare=False, repr=False)
    partition: Values = ()
    """Value of each partition column; a part of the rows, and so of the digest."""


def stamps(source: Source, root: Path, secret: SecretReader | None = None) -> list[FileStamp]:
    """The files that match `source.paths` below `root` (at absolute paths, in a store), sorted by path, each once.

    Hidden and unfinished files are left out, and folders where a pattern matches them. Raises InputError E_MISSING
    where a path without wildcards does not exist, E_NOT_REGULAR for a link that leads out of the source's folder, a
    pipe or a device, E_NAME for a name that is unsafe to show or to reuse, E_STORE where a store refuses; `secret`
    reads the keys that `source.store` names.
    """
    found: dict[PurePath, FileStamp] = {}
    remote = [pattern for pattern in source.paths if pattern.startswith(SCHEME)]
    objects = open_store(source.store, secret) if remote else None
    for pattern in source.paths:
        if objects is not None and pattern in remote:
            found.update((stamp.path, stamp) for stamp in _in_store(pattern, objects))
            continue
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
    return [replace(found[path], partitions=tuple(source.partitions)) for path in sorted(found)]


def identify(stamp: FileStamp) -> BatchFile:
    """The file with its sha256; raises InputError E_UNSTABLE while it changes, E_MISSING, E_NOT_REGULAR or E_SIZE.

    Where folders name values, the digest is one over the file's and the values; raises what `partition_of` does.
    """
    partition = partition_of(stamp.path, stamp.partitions)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        before, data = _read_whole(stamp)
        with contextlib.suppress(FileNotFoundError):
            after = stamp.state()
            if before == after and len(data) == after.size:
                name, what = stamp.path.name, _digest(data, partition)
                return BatchFile(stamp.path, name, what, after.size, after.modified_ns, stamp.objects, partition)
    message = f"{stamp.path.name} changes while it is read; write it elsewhere and move it here when it is whole"
    raise InputError("E_UNSTABLE", message)


def read_identified(file: BatchFile) -> bytes:
    """The very bytes that were identified; raises InputError E_UNSTABLE where the file now holds others."""
    _, data = _read_whole(file)
    if _digest(data, file.partition) != file.digest:
        message = (
            f"{file.name} holds other bytes than when it was identified; it is read at the next run, once it rests"
        )
        raise InputError("E_UNSTABLE", message)
    return data


def _digest(data: bytes, partition: Values) -> str:
    content = digest_bytes(data)
    return digest([content, [list(pair) for pair in partition]]) if partition else content


def _in_store(pattern: str, objects: Objects) -> Iterator[FileStamp]:
    for path, size, modified_ns in objects.matching(pattern):
        if not glob.has_magic(pattern) or _is_wanted(path):
            refuse_odd_name(path.name)
            yield FileStamp(path, size, modified_ns, objects)


def _matching(pattern: str, root: Path) -> list[Path]:
    names = glob.iglob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [root / name for name in names]


def _is_wanted(path: PurePath) -> bool:
    return not path.name.startswith(".") and not path.name.endswith(UNFINISHED)


def _stamp(path: Path, root: Path, *, literal: bool) -> FileStamp | None:
    """Stat of a file; none for what vanished meanwhile and for a folder that a pattern matches."""
    try:
        if path.is_symlink():
            refuse_link_out(path, root)
        found = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode) and not literal:
        return None
    refuse_irregular(path, found)
    refuse_odd_name(path.name)
    return FileStamp(path, found.st_size, found.st_mtime_ns)


def _state(found: os.stat_result) -> State:
    return State(str(found.st_ino), found.st_size, found.st_mtime_ns)


def _read_whole(file: FileStamp | BatchFile) -> tuple[State, bytes]:
    """State from before reading, and all bytes."""
    if file.objects is not None:
        return file.objects.read(PurePosixPath(file.path), MAX_BYTES)
    found, data = _read(Path(file.path))
    return _state(found), data


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
        refuse_irregular(path, found)
        if found.st_size > MAX_BYTES:
            message = f"{path.name} has {found.st_size:,} bytes; a batch has at most {MAX_BYTES:,}: split the file"
            raise InputError("E_SIZE", message)
        with open(handle, "rb", closefd=False) as file:
            return found, file.read()
    finally:
        os.close(handle)
