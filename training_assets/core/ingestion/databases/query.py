"""A query of a spec: one SELECT, read word by word; its `:name` parameters are bound, never pasted in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed, nearest

Value = str | int | float | bool
# What a 64-bit driver binds.
SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1
FIRST_WORDS = ("SELECT", "WITH")
_PART = r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<text>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$)
  | (?P<quoted>"(?:[^"]|"")*"%(quoted)s)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<cast>::|:=)
  | (?P<parameter>:[^\W\d]\w*)
  | (?P<native>%(native)s)
  | (?P<sign>(?!/\*)[^'"$%(opening)s])
"""
# Brackets and backticks name things in SQLite alone; elsewhere brackets are lists. `?` is an operator in Postgres.
_PARTS = {
    engine: re.compile(_PART % own, re.VERBOSE | re.DOTALL)
    for engine, own in {
        "postgres": {"quoted": "", "native": r"\$\w+", "opening": ""},
        "duckdb": {"quoted": "", "native": r"\$\w+|\?\d*", "opening": ""},
        "sqlite": {"quoted": r"|`[^`]*`|\[[^\]]*\]", "native": r"[$@#]\w+|\?\d*", "opening": r"\[`"},
    }.items()
}


@dataclass(frozen=True)
class Query:
    """One SELECT with numbered placeholders, and the values that they stand for, in order."""

    sql: str
    values: tuple[Value, ...]
    mark: str

    @property
    def table(self) -> str:
        """The query as a table named q."""
        return f"({self.sql}) AS q"

    def placeholder(self, place: int = 1) -> str:
        """The placeholder of a value behind the query's own ones; the first is 1."""
        return f"{self.mark}{len(self.values) + place}"


def read_query(text: str, parameters: Mapping[str, Value], engine: str) -> Query:
    """The query with every `:name` outside of strings, names in quotes, comments and `::casts` as a placeholder.

    Raises InputError E_QUERY: for several statements or none, for what does not begin with SELECT or WITH, for a
    string, comment or bracket that is not closed, for placeholders of the driver's own, and for parameters that are
    missing, unused or too large to be bound.
    """
    parts = list(_parts(text, engine))
    _refuse_other_than_one_select(parts)
    names = list(dict.fromkeys(part[1:] for kind, part in parts if kind == "parameter"))
    _refuse_other_parameters(names, parameters)
    mark = "?" if engine == "sqlite" else "$"
    sql = "".join(f"{mark}{names.index(part[1:]) + 1}" if kind == "parameter" else part for kind, part in parts)
    return Query(sql.strip().removesuffix(";").strip(), tuple(parameters[name] for name in names), mark)


def quoted(name: str) -> str:
    """A column's name in quotes, as all engines read it."""
    return '"' + name.replace('"', '""') + '"'


def _parts(text: str, engine: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each part; comments are blanks, so that nothing that is sent hides in one."""
    place = 0
    while place < len(text):
        match = _PARTS[engine].match(text, place)
        if match is None:
            what = f"opens a string, a name in quotes or a comment at character {place + 1} and never closes it"
            raise _wrong(what)
        kind = next(name for name, part in match.groupdict().items() if part is not None)
        if kind == "native":
            what = f"has {excerpt(match.group())} at character {place + 1}; parameters are written :name"
            raise _wrong(what)
        hidden = kind == "space" and not match.group().isspace()
        yield kind, " " if hidden else match.group()
        place = match.end()


def _refuse_other_than_one_select(parts: list[tuple[str, str]]) -> None:
    said = [part for kind, part in parts if kind != "space"]
    first = next((part for part in said if part != "("), "")
    if first.upper() not in FIRST_WORDS:
        what = f"begins with {excerpt(first)}; rows come from one SELECT (or WITH … SELECT)"
        raise _wrong(what)
    if ";" in said[:-1]:
        raise _wrong("is several statements; give one SELECT, and nothing behind its ';'")
    depth = 0
    for part in said:
        depth += (part == "(") - (part == ")")
        if depth < 0:
            raise _wrong("closes a bracket that it did not open")
    if depth:
        what = f"leaves {depth} bracket(s) open"
        raise _wrong(what)


def _refuse_other_parameters(names: list[str], parameters: Mapping[str, Value]) -> None:
    missing = [name for name in names if name not in parameters]
    if missing:
        hint = nearest(missing[0], list(parameters))
        message = (
            f"source.database.query names {listed(':' + name for name in missing)}{hint}, without a value; give it "
            "under source.database.parameters (a slice such as a[i:j] needs blanks around its colon)"
        )
        raise InputError("E_QUERY", message)
    unused = [name for name in parameters if name not in names]
    if unused:
        message = (
            f"source.database.parameters gives {listed(unused)}, which the query does not name; write "
            f"':{unused[0][:40]}' where the value belongs, outside of quotes, or remove it"
        )
        raise InputError("E_QUERY", message)
    for name in names:
        value = parameters[name]
        if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
            message = f"source.database.parameters.{name} is beyond 64 bits; write it as text, and cast it in the query"
            raise InputError("E_QUERY", message)


def _wrong(what: str) -> InputError:
    return InputError("E_QUERY", f"source.database.query {what}")
