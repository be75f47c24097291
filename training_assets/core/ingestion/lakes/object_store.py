"""Objects of an S3-compatible store as files: found by pattern, told apart by ETag, read whole; no secret is shown."""

from __future__ import annotations

import contextlib
import fnmatch
import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from training_assets.core.errors import InputError
from training_assets.core.ingestion.deliveries import SecretReader
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.lakes.store_access import NO_BUCKET, s3_filesystem, store_error
from training_assets.spec import ObjectStore

T = TypeVar("T")
SCHEME = "s3://"


class State(NamedTuple):
    """What tells one content of a file or an object from another without reading it."""

    mark: str
    """An object's ETag, a file's number."""
    size: int
    modified_ns: int


def open_store(store: ObjectStore | None, secret: SecretReader | None) -> Objects:
    """The store that a spec names (Amazon's own, with the environment's credentials, where it names none)."""
    return Objects(s3_filesystem(store or ObjectStore(), secret))


@dataclass(frozen=True)
class Objects:
    """An open store. Paths are `bucket/key`, without the scheme; errors are InputError E_STORE or E_MISSING."""

    filesystem: Any = field(repr=False)

    def matching(self, pattern: str) -> Iterator[tuple[PurePosixPath, int, int]]:
        """Path, bytes and time of change (ns) of each object that `s3://bucket/key` or a pattern of it names.

        `*` and `?` stay within a folder, `**` goes into folders; hidden names match only where the pattern has the dot.
        Raises E_MISSING where a path without wildcards does not exist.
        """
        from pyarrow import fs

        path = pattern.removeprefix(SCHEME)
        if not path or path.startswith("/"):
            message = f"{excerpt(pattern)} names no bucket; write {SCHEME}bucket/folder/*.csv"
            raise InputError("E_STORE", message)
        if not glob.has_magic(path):
            info = self._asked(pattern, lambda: self.filesystem.get_file_info(path))
            if info.type != fs.FileType.File:
                raise self._missing(pattern, path, is_folder=info.type == fs.FileType.Directory)
            yield PurePosixPath(path), info.size, info.mtime_ns
            return
        parts = PurePosixPath(path).parts
        fixed = next(at for at, part in enumerate(parts) if glob.has_magic(part))
        if not fixed:
            message = f"{excerpt(pattern)}: wildcards stand for objects, not for buckets; name the bucket"
            raise InputError("E_STORE", message)
        folder = fs.FileSelector("/".join(parts[:fixed]), recursive=len(parts) - fixed > 1 or parts[fixed] == "**")
        try:
            found = self._asked(pattern, lambda: self.filesystem.get_file_info(folder))
        except FileNotFoundError:
            return
        for info in found:
            if info.type == fs.FileType.File and _fits(PurePosixPath(info.path).parts[fixed:], parts[fixed:]):
                yield PurePosixPath(info.path), info.size, info.mtime_ns

    def has_folder(self, path: str) -> bool:
        """Whether there are objects below `s3://bucket/folder`; raises E_STORE where the bucket is missing."""
        from pyarrow import fs

        plain = path.removeprefix(SCHEME).rstrip("/")
        info = self._asked(path, lambda: self.filesystem.get_file_info(plain))
        if info.type == fs.FileType.NotFound:
            self._require_bucket(path, plain)
        return bool(info.type == fs.FileType.Directory)

    def state(self, path: PurePosixPath) -> State:
        """What an object is now; raises E_MISSING where it is gone."""
        return self._opened(path, _state)

    def read(self, path: PurePosixPath, most: int) -> tuple[State, bytes]:
        """An object's state and its bytes, by one request; raises E_SIZE above `most` bytes."""

        def whole(file: Any) -> tuple[State, bytes]:
            found = _state(file)
            if found.size > most:
                message = f"{path.name} has {found.size:,} bytes; a batch has at most {most:,}: split the object"
                raise InputError("E_SIZE", message)
            return found, bytes(file.read_at(found.size, 0))

        return self._opened(path, whole)

    def _opened(self, path: PurePosixPath, use: Callable[[Any], T]) -> T:
        def asked() -> T:
            with self.filesystem.open_input_file(str(path)) as file:
                return use(file)

        with contextlib.suppress(FileNotFoundError):
            return self._asked(f"{SCHEME}{path}", asked)
        message = f"{SCHEME}{path} is gone; put it back, or let the next run find what there is"
        raise InputError("E_MISSING", message)

    def _missing(self, pattern: str, path: str, *, is_folder: bool) -> InputError:
        bucket = path.partition("/")[0]
        if is_folder:
            message = f"{pattern} is a folder; name its objects, for example {SCHEME}{bucket}/folder/*.csv"
            return InputError("E_NOT_REGULAR", message)
        self._require_bucket(pattern, path)
        return InputError("E_MISSING", f"{pattern} does not exist; put the object there, or mend source.path")

    def _require_bucket(self, where: str, path: str) -> None:
        from pyarrow import fs

        info = self._asked(where, lambda: self.filesystem.get_file_info(path.partition("/")[0]))
        if info.type == fs.FileType.NotFound:
            raise InputError("E_STORE", f"{where}: {NO_BUCKET}")

    @staticmethod
    def _asked(where: str, ask: Callable[[], T]) -> T:
        """What the store answers; its own errors, which may quote the request, are told in our words alone."""
        import pyarrow as pa

        try:
            return ask()
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            refusal = store_error(where, str(error))
        raise refusal


def _state(file: Any) -> State:
    headers = file.metadata()
    seconds = int(datetime.fromisoformat(headers["Last-Modified"].decode()).timestamp())
    return State(headers["ETag"].decode(), file.size(), seconds * 10**9)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the folders and the name of an object are those of a pattern."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        inside = bool(parts) and not parts[0].startswith(".") and _fits(parts[1:], pattern)
        return inside or _fits(parts, pattern[1:])
    if not parts or (parts[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])
