"""Which files a user means by a file, a folder or a pattern, and all of their rows, in one table."""

from __future__ import annotations

import glob
import os
from collections import Counter
from pathlib import Path, PurePath

from training_assets.core.errors import InputError
from training_assets.core.inference.column_types import Table
from training_assets.core.inference.notes import Notes
from training_assets.core.inference.tables import Raw, table_in
from training_assets.core.ingestion.discovery import FileStamp, identify, read_identified, stamps
from training_assets.core.ingestion.formats.partitions import names_in, partition_of
from training_assets.spec import Source

SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".data", ".jsonl", ".ndjson", ".arff"),
    *(".parquet", ".pq", ".arrow", ".arrows", ".ipc", ".feather", ".xlsx", ".xlsm"),
)
PACKED = (".gz", ".zip")
# More is not needed to know the types, and would not fit into memory several times.
MOST_BYTES = 1 << 30


def source_path(data: Path, root: Path) -> str:
    """What `source.path` says for a file, a folder or a pattern: relative to `root` where it lies inside.

    A folder of folders such as `year=2026` stands for the files in the innermost ones. Raises InputError E_MISSING for
    a folder without files of rows, E_FORMAT where they are of several kinds.
    """
    place = data if data.is_absolute() else _existing(data, root)
    if place.is_dir():
        place = _files_in(place)
    absolute = Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow links out of the root
    for base in (root.absolute(), root.resolve()):
        if absolute.is_relative_to(base):
            return absolute.relative_to(base).as_posix()
    return absolute.as_posix()


def table_of(path: str, root: Path, notes: Notes) -> tuple[Source, Table]:
    """Source and rows of all files that a `source.path` matches; raises InputError for the first that is not sound."""
    found = stamps(Source(path=path, format="csv"), root)
    if not found:
        message = f"no file matches {path}; name a file, a folder, or a pattern such as 'data/*.csv'"
        raise InputError("E_MISSING", message)
    files = _up_to_limit(found, notes)
    names = _partitions(path, files[0].path)
    if names:
        notes.assume(f"{', '.join(names)} are in the names of folders, and become columns")
    raws = [Raw(stamp.path.name, read_identified(identify(stamp)), partition_of(stamp.path, names)) for stamp in files]
    source, table = table_in(raws, notes)
    return Source(path=path, partitions=names, **source), table


def suffix_of(name: str) -> str:
    """How a file's name ends, `.csv.gz` where it is packed."""
    path = PurePath(name)
    inner = PurePath(path.stem).suffix if path.suffix.casefold() in PACKED else ""
    return (inner if inner.casefold() in SUFFIXES else "") + path.suffix


def _existing(data: Path, root: Path) -> Path:
    here = Path.cwd() / data
    return (
        here
        if os.path.lexists(here) or (glob.has_magic(str(data)) and list(Path.cwd().glob(str(data))))
        else root / data
    )


def _files_in(folder: Path) -> Path:
    """The pattern of a folder's files, through its partition folders where it has no file of rows itself."""
    pattern, at = folder, folder
    while not any(_is_of_rows(path) for path in at.iterdir()):
        inner = sorted(path for path in at.iterdir() if path.is_dir() and "=" in path.name)
        if not inner:
            break
        pattern, at = pattern / f"{glob.escape(inner[0].name.partition('=')[0])}=*", inner[0]
    return pattern / f"*{_suffix_in(at)}"


def _is_of_rows(path: Path) -> bool:
    endings = (*SUFFIXES, *PACKED)
    return path.is_file() and not path.name.startswith(".") and path.suffix.casefold() in endings


def _suffix_in(folder: Path) -> str:
    counts = Counter(suffix_of(path.name) for path in folder.iterdir() if _is_of_rows(path))
    if not counts:
        endings = ", ".join((*SUFFIXES, *PACKED))
        message = f"{folder.name} holds no file that ends in {endings}; name a file or a pattern"
        raise InputError("E_MISSING", message)
    if len(counts) > 1:
        kinds = ", ".join(f"{count} x {suffix}" for suffix, count in counts.most_common())
        pattern = f"'{folder.name}/*{counts.most_common(1)[0][0]}'"
        message = f"{folder.name} holds files of several kinds ({kinds}); which are the rows? Name a pattern: {pattern}"
        raise InputError("E_FORMAT", message)
    return next(iter(counts))


def _partitions(path: str, first: PurePath) -> list[str]:
    """The columns that folders name, where a pattern leaves one of these folders open."""
    return names_in(first) if any(glob.has_magic(part) for part in PurePath(path).parts[:-1]) else []


def _up_to_limit(found: list[FileStamp], notes: Notes) -> list[FileStamp]:
    taken: list[FileStamp] = []
    size = 0
    for stamp in found:
        size += stamp.size
        if taken and size > MOST_BYTES:
            notes.assume(f"types are those of the first {len(taken)} of {len(found)} files ({MOST_BYTES >> 30} GiB)")
            break
        taken.append(stamp)
    return taken
