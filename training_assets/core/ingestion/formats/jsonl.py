"""JSON lines: one object a line, read strictly; numbers keep the digits that they are written with."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.delimited.decoding import sound_utf8
from training_assets.core.ingestion.delimited.records import MAX_FIELD, MAX_LINE
from training_assets.core.ingestion.excerpt import excerpt, nearest
from training_assets.core.ingestion.header import MAX_WIDTH, sound_names

# Rows that are Python objects at one time.
AT_A_TIME = 20_000

Cell = str | None


class _RefusedError(ValueError):
    """What is wrong with a line, found while it is parsed."""

    def __init__(self, code: str, what: str) -> None:
        self.code = code
        super().__init__(what)


def open_jsonl(data: bytes, where: str, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Text cells (n_rows x n_names, String): `names`, or else every key of the file in the order of appearance.

    A null and a key that a line lacks are null; true, false and numbers are the text that they are written as, NaN and
    Infinity among them. Raises InputError with the line: E_JSON where it is not one object, E_DUP_COLUMN for a key
    twice, E_TYPE for a value that is a list or an object, E_SCHEMA for a key that is not in `names`, E_BLANK_LINE,
    E_LINE_SIZE, E_FIELD_SIZE, E_NUL, E_ENCODING, and a code of `sound_names`.
    """
    text = sound_utf8(data, where)
    if text.lstrip()[:1] == b"[":
        message = f"{where} is one JSON list; write one object a line (`orient='records', lines=True` in pandas)"
        raise InputError("E_JSON", message)
    known: dict[str, str] = {name: name for name in names or ()}
    columns: dict[str, list[Cell]] = {name: [] for name in known}
    parts: list[pl.DataFrame] = []
    height = 0
    for line, cells in _objects(text, where):
        for key, cell in cells.items():
            name = known.get(key) or _named(key, known, columns, names, f"{where}, line {line}")
            values = columns.setdefault(name, [None] * height)
            if len(values) > height:
                message = f"{where}, line {line}: the key {excerpt(name)} is there twice, in two spellings; keep one"
                raise InputError("E_DUP_COLUMN", message)
            values.append(cell)
        height += 1
        for values in columns.values():
            if len(values) < height:
                values.append(None)
        if height == AT_A_TIME:
            parts.append(_frame(columns))
            columns, height = {name: [] for name in columns}, 0
    if height:
        parts.append(_frame(columns))
    if names is None:
        sound_names(list(columns), where)
    return pl.concat(parts, how="diagonal").select(list(columns)) if columns else _without_keys(where)


def _frame(columns: Mapping[str, list[Cell]]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _without_keys(where: str) -> pl.DataFrame:
    message = f"{where}: its objects have no keys; deliver it again with rows"
    raise InputError("E_NO_ROWS", message)


def _named(key: str, known: dict[str, str], columns: Mapping[str, Any], names: Sequence[str] | None, place: str) -> str:
    """The column of a key that is seen first, in composed form."""
    name = unicodedata.normalize("NFC", key)
    if names is None:
        sound_names([name], place)
        if len(columns) >= MAX_WIDTH:
            sound_names([*columns, name], place)
    elif name not in columns:
        message = (
            f"{place}: the key {excerpt(key)} is not in the spec{nearest(key, names)}; mend the file, or change "
            "`columns` in the spec"
        )
        raise InputError("E_SCHEMA", message)
    known[key] = name
    return name


def _objects(text: bytes, where: str) -> Iterator[tuple[int, dict[str, Cell]]]:
    """Number and cells of each line."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_cells, parse_int=_Number, parse_float=_Number, parse_constant=_Number, strict=True
    )
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            message = f"{where}, line {number}: longer than {MAX_LINE:,} bytes; write one object a line"
            raise InputError("E_LINE_SIZE", message)
        if not line.strip():
            message = f"{where}, line {number}: the line is blank; remove it"
            raise InputError("E_BLANK_LINE", message)
        try:
            found = decoder.decode(line.decode())
        except _RefusedError as refused:
            message = f"{where}, line {number}: {refused}"
            raise InputError(refused.code, message) from refused
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
            message = f"{where}, line {number}: not one JSON object ({why}); write one object a line"
            raise InputError("E_JSON", message) from error
        if not isinstance(found, dict):
            message = f"{where}, line {number}: no JSON object; write one object a line, with the columns as keys"
            raise InputError("E_JSON", message)
        yield number, found


class _Number(str):
    """A number as it is written; told from a text, so that a bare number is no object and no key."""

    __slots__ = ()


def _cells(pairs: list[tuple[str, Any]]) -> dict[str, Cell]:
    """The cells of an object; also called for one inside, which then is refused as a value."""
    cells: dict[str, Cell] = {}
    for key, value in pairs:
        if key in cells:
            raise _RefusedError("E_DUP_COLUMN", f"the key {excerpt(key)} is there twice; keep one")
        if isinstance(value, bool):
            cells[key] = "true" if value else "false"
        elif value is None or isinstance(value, str):
            cells[key] = _sound(key, value)
        else:
            what = "a list" if isinstance(value, list) else "an object"
            raise _RefusedError("E_TYPE", f"the value of {excerpt(key)} is {what}; write one key for each value")
    return cells


def _sound(key: str, value: str | None) -> Cell:
    if value is None:
        return None
    if len(value) > MAX_FIELD:
        raise _RefusedError(
            "E_FIELD_SIZE", f"the value of {excerpt(key)} has more than {MAX_FIELD:,} characters; shorten it"
        )
    if "\0" in value:
        raise _RefusedError("E_NUL", f"the value of {excerpt(key)} holds a NUL character; remove it")
    if not value.isascii() and any("\ud800" <= mark <= "\udfff" for mark in value):
        raise _RefusedError(
            "E_ENCODING", f"the value of {excerpt(key)} holds half of a surrogate pair; write it in UTF-8"
        )
    return str(value)
