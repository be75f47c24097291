"""Columns whose values are in the names of folders, `year=2026/month=01/rows.parquet`, as Hive and Spark write them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.ingestion.header import sound_names
from training_assets.core.validation.casting import cast
from training_assets.spec import Column

NULL = "__HIVE_DEFAULT_PARTITION__"
LONGEST_VALUE = 200

Values = tuple[tuple[str, str | None], ...]
"""Name and value of each partition column, outermost folder first; none is null."""


def partition_of(path: PurePath, names: Sequence[str]) -> Values:
    """The values of the partition columns in a file's innermost folders, which are the columns, in this order.

    Raises InputError E_SCHEMA where the folders are others, E_NAME where a value is unsafe or no valid encoding.
    """
    if not names:
        return ()
    folders = path.parent.parts[-len(names) :]
    pairs = [_pair(folder, path.name) for folder in folders]
    found = [pair[0] if pair else None for pair in pairs]
    above = _pair(path.parent.parts[-len(names) - 1], path.name) if len(path.parent.parts) > len(names) else None
    if found != list(names) or above is not None:
        there = "/".join(folder for folder in path.parent.parts if "=" in folder) or "no folder named so"
        wanted = "/".join(f"{name}=…" for name in names)
        message = (
            f"{path.name} lies in {excerpt(there, 120)}, where source.partitions wants {excerpt(wanted, 120)} right "
            "above the file; move it, or mend source.partitions"
        )
        raise InputError("E_SCHEMA", message)
    return tuple(pair for pair in pairs if pair is not None)


def names_in(path: PurePath) -> list[str]:
    """The columns that a file's innermost folders name, outermost first; raises InputError as `partition_of` does."""
    names: list[str] = []
    for folder in reversed(path.parent.parts):
        pair = _pair(folder, path.name)
        if pair is None:
            break
        names.insert(0, pair[0])
    return sound_names(names, path.name) if names else []


def as_text(values: Mapping[str, str | None], height: int) -> list[pl.Series]:
    """Each partition value, as text, in every row (height)."""
    return [pl.Series(name, [value], dtype=pl.String).new_from_index(0, height) for name, value in values.items()]


def as_typed(
    values: Mapping[str, str | None], columns: Mapping[str, Column], height: int, where: str
) -> list[pl.Series]:
    """Each partition value, as its column's type, in every row; raises InputError E_TYPE where it is of another."""
    typed = []
    for name, value in values.items():
        done = cast(pl.Series(name, [value], dtype=pl.String), columns[name])
        if done.failures:
            message = (
                f"{where}: its folder says {excerpt(f'{name}={value}')}, which is no {columns[name].type}; rename the "
                f"folder, or set columns.{name}.type"
            )
            raise InputError("E_TYPE", message)
        typed.append(done.values.new_from_index(0, height))
    return typed


def refuse_in_file(names: Sequence[str], values: Mapping[str, str | None], where: str) -> None:
    """A partition column that is also in the file could say two things: refused (InputError E_SCHEMA)."""
    twice = [name for name in names if name in values]
    if twice:
        message = (
            f"{where} holds {listed(twice)}, which its folders name as well; leave it out of the file, or out of "
            "source.partitions"
        )
        raise InputError("E_SCHEMA", message)


def _pair(folder: str, file: str) -> tuple[str, str | None] | None:
    """Name and value that a folder's name says; none where it says none."""
    name, separator, value = folder.partition("=")
    if not separator or not name:
        return None
    name = sound_names([_decoded(name, folder, file)], f"the folder of {file}")[0]
    if value == NULL:
        return name, None
    text = _decoded(value, folder, file)
    unsafe = not text or not text.isprintable() or len(text) > LONGEST_VALUE or ".." in re.split(r"[/\\]", text)
    if unsafe:
        message = (
            f"{file}: the value in its folder {excerpt(folder)} is empty, longer than {LONGEST_VALUE} characters, does "
            "not print or climbs out of a folder; rename the folder"
        )
        raise InputError("E_NAME", message)
    return name, text


def _decoded(text: str, folder: str, file: str) -> str:
    """The text behind Hive's percent signs: each is followed by two hexadecimal digits, and all is UTF-8."""
    sound = re.search(r"%(?![0-9A-Fa-f]{2})", text) is None
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    try:
        whole = plain.decode() if sound else None
    except UnicodeDecodeError:
        whole = None
    if whole is None:
        message = f"{file}: its folder {excerpt(folder)} is not percent-encoded UTF-8, as Hive writes it; rename it"
        raise InputError("E_NAME", message)
    return whole
