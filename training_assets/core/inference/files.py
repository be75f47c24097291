"""Which files a user means by a file, a folder or a pattern, and all of their rows, in one table."""

from __future__ import annotations

import glob
import os
from collections import Counter
from pathlib import Path

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.inference.column_types import Table, types_of_parquet, types_of_text
from training_assets.core.inference.notes import Notes
from training_assets.core.ingestion.decoding import decoded
from training_assets.core.ingestion.dialect import sniff
from training_assets.core.ingestion.discovery import FileStamp, identify, read_identified, stamps
from training_assets.core.ingestion.header import sound_names
from training_assets.core.ingestion.magic import is_parquet
from training_assets.core.ingestion.parquet import open_parquet
from training_assets.core.ingestion.reading import same_columns
from training_assets.core.ingestion.text import CsvText
from training_assets.spec import Csv, Source

SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".parquet", ".pq")
# More is not needed to know the types, and would not fit into memory several times.
MOST_BYTES = 1 << 30


def source_path(data: Path, root: Path) -> str:
    """What `source.path` says for a file, a folder or a pattern: relative to `root` where it lies inside.

    Raises InputError E_MISSING for a folder without files of rows, E_FORMAT where they are of several kinds.
    """
    place = data if data.is_absolute() else _existing(data, root)
    if place.is_dir():
        place /= f"*{_suffix_in(place)}"
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
    first = read_identified(identify(files[0]))
    if is_parquet(first):
        parts = [_parquet(stamp) for stamp in files]
        for stamp, part in zip(files, parts, strict=True):
            same_columns(part.columns, parts[0].columns, stamp.path.name)
        table = types_of_parquet(_stacked([part.select(parts[0].columns) for part in parts]), files[0].path.name, notes)
        return Source(path=path, format="parquet"), table
    rows, dialect = _text(files, first)
    table = types_of_text(rows, dialect, notes)
    return Source(path=path, format="csv", csv=None if table.dialect == Csv() else table.dialect), table


def _existing(data: Path, root: Path) -> Path:
    here = Path.cwd() / data
    return (
        here
        if os.path.lexists(here) or (glob.has_magic(str(data)) and list(Path.cwd().glob(str(data))))
        else root / data
    )


def _suffix_in(folder: Path) -> str:
    names = [path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    counts = Counter(Path(name).suffix for name in names if Path(name).suffix.casefold() in SUFFIXES)
    if not counts:
        message = f"{folder.name} holds no file that ends in {', '.join(SUFFIXES)}; name a file or a pattern"
        raise InputError("E_MISSING", message)
    if len(counts) > 1:
        kinds = ", ".join(f"{count} x {suffix}" for suffix, count in counts.most_common())
        pattern = f"'{folder.name}/*{counts.most_common(1)[0][0]}'"
        message = f"{folder.name} holds files of several kinds ({kinds}); which are the rows? Name a pattern: {pattern}"
        raise InputError("E_FORMAT", message)
    return next(iter(counts))


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


def _parquet(stamp: FileStamp) -> pl.DataFrame:
    rows = open_parquet(read_identified(identify(stamp)), stamp.path.name)
    rows.columns = sound_names(rows.columns, stamp.path.name)
    return rows


def _stacked(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The parts below each other; files may differ in the width of their numbers."""
    try:
        return pl.concat(parts, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        message = f"the files have columns of different types ({str(error).splitlines()[0][:200]}); write them alike"
        raise InputError("E_SCHEMA", message) from error


def _text(files: list[FileStamp], first: bytes) -> tuple[pl.DataFrame, Csv]:
    """Rows of all files, and the one dialect in which each of them is sound."""
    found = sniff(first, files[0].path.name)
    parts, dialect = [found.rows], found.dialect
    for stamp in files[1:]:
        where = stamp.path.name
        data = read_identified(identify(stamp))
        other = sniff(data, where).dialect
        dialect = dialect.model_copy(
            update={
                key: "skip"
                for key in ("blank_lines", "trailing")
                if "skip" in (getattr(dialect, key), getattr(other, key))
            }
        )
        text = CsvText(decoded(data, dialect.encoding, where), dialect.model_copy(update={"null_values": []}), where)
        names = sound_names(text.first(), where) if dialect.header else found.names
        same_columns(names, found.names, where)
        parts.append(text.rows(names).select(found.names))
    return pl.concat(parts), dialect
