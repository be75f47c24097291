"""How an artifact lies on disk: a folder written once, whole, with a manifest that pins every byte."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.core import fingerprint
from training_assets.core.errors import InputError

MANIFEST = "manifest.json"
SEAL = "seal"
"""Key of a JSON object under which it carries its own digest."""
UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}")
"""Folders that are being written."""
ABANDONED_SECONDS = 3600


@dataclass(frozen=True)
class Made:
    """What a maker says about the files it wrote: facts for readers, and the identity of the content."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    digest: str | None = None
    """Identity; default: the digest of the files' digests."""


@dataclass(frozen=True)
class Artifact:
    """A whole, immutable result; its bytes are verified against the manifest whenever they are read."""

    folder: Path
    digest: str
    facts: Mapping[str, Any]
    files: Mapping[str, str]
    """File name → sha256."""

    def read(self, name: str) -> bytes:
        """Bytes of a file, verified; raises `InputError` (`E_HASH`) where they are not what was written."""
        try:
            data = (self.folder / name).read_bytes()
        except FileNotFoundError as error:
            message = f"{self.folder / name} is gone; restore it, or train anew with force"
            raise InputError("E_HASH", message) from error
        if fingerprint.digest_bytes(data) != self.files.get(name):
            message = f"{self.folder / name} has changed since it was written; restore it, or train anew with force"
            raise InputError("E_HASH", message)
        return data

    def frame(self, name: str) -> pl.DataFrame:
        """Rows of a Parquet file, verified."""
        return pl.read_parquet(io.BytesIO(self.read(name)))

    def json(self, name: str) -> Any:
        """Content of a JSON file, verified."""
        return json.loads(self.read(name))

    def verified_folder(self) -> Path:
        """The folder, after every file in it was verified."""
        for name in self.files:
            self.read(name)
        return self.folder


def write(folders: Mapping[str, Path], make: Callable[[Mapping[str, Path]], Mapping[str, Made]]) -> dict[str, Artifact]:
    """Create the folders of one step, each whole or not at all: made beside its place, flushed, then renamed.

    `make` gets an empty folder a name, fills all of them, and says what it made of each. Raises `FileExistsError` where
    a folder is already there: an artifact is never overwritten.
    """
    unfinished: dict[str, Path] = {}
    with ExitStack() as locks:
        try:
            for name, folder in folders.items():
                if folder.exists():
                    message = f"{folder} exists; an artifact is written once"
                    raise FileExistsError(message)
                unfinished[name] = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
                unfinished[name].mkdir(parents=True)
                locks.enter_context(_locked(unfinished[name]))
            made = make(unfinished)
            sealed = {name: _seal(unfinished[name], made[name]) for name in folders}
            for name, folder in folders.items():
                unfinished[name].rename(folder)
                flush(folder.parent)
        finally:
            for folder in unfinished.values():
                shutil.rmtree(folder, ignore_errors=True)
    return {name: Artifact(folders[name], **sealed[name]) for name in folders}


def remove_abandoned(runs: Path) -> None:
    """Remove what killed writers left in the folders of runs: an hour old at least, and nobody holds its lock."""
    for folder in runs.glob("*/.*"):
        if not UNFINISHED.fullmatch(folder.name) or not folder.is_dir():
            continue
        try:
            if time.time() - folder.stat().st_mtime < ABANDONED_SECONDS:
                continue
            with _locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # it is being written, or somebody else removed it just now


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the kernel frees however its holder ends; `BlockingIOError` where somebody does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _seal(folder: Path, made: Made) -> dict[str, Any]:
    """Write the manifest, and wait until everything is on the disk."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {name: fingerprint.digest_file(folder / name) for name in names}
    content = {"digest": made.digest or fingerprint.digest(files), "facts": dict(made.facts), "files": files}
    (folder / MANIFEST).write_bytes(sealed(content))
    for name in [*names, MANIFEST]:
        flush(folder / name)
    return content


def read(folder: Path) -> Artifact:
    """The artifact in a folder; raises `FileNotFoundError` where there is none, `InputError` as `unsealed` does."""
    content = unsealed(folder / MANIFEST)
    return Artifact(folder, content["digest"], content["facts"], content["files"])


def sealed(content: Mapping[str, Any]) -> bytes:
    """A JSON object that carries its own digest."""
    return fingerprint.canonical({**content, SEAL: fingerprint.digest(dict(content))})


def unsealed(path: Path) -> dict[str, Any]:
    """The object in a file; raises `InputError` (`E_HASH`) where a byte is not what `sealed` gave."""
    data = path.read_bytes()
    try:
        content: dict[str, Any] = {name: value for name, value in json.loads(data).items() if name != SEAL}
        whole = sealed(content) == data
    except (ValueError, AttributeError, RecursionError):
        whole = False
    if not whole:
        message = f"{path} has changed since it was written; restore it, or train anew with force"
        raise InputError("E_HASH", message)
    return content


def write_file(path: Path, data: bytes) -> None:
    """Replace a file in one step: readers see the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f".{path.name}.{uuid.uuid4().hex}"
    try:
        unfinished.write_bytes(data)
        flush(unfinished)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    flush(path.parent)


def flush(path: Path) -> None:
    """Wait until a file or folder has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
