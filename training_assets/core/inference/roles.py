"""Which columns the model may read: identifiers, constants, free text and groups are told apart from features."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.spec import Column

ID_WORDS = {"id", "ids", "uuid", "guid", "key", "rowid"}
# They end the names of identifiers, where values are unique, and of counts, where they repeat.
NUMBER_WORDS = {"nr", "no", "num", "number"}
COUNTER_NAMES = {"rownames", "rowname", "row", "index", "idx", "instant", "unnamed", "rn", "obs", "sno"}
# Sequences that mean something: each row is the next year, not the next row.
CLOCK_NAMES = {"year", "yr", "month", "day", "week", "time", "t", "date", "hour", "age"}
MEMBERS = {
    *(
        "subject",
        "patient",
        "participant",
        "person",
        "user",
        "customer",
        "client",
        "member",
        "household",
        "family",
        "donor",
    ),
    *("speaker", "writer", "animal", "mouse", "session", "student", "employee", "rider", "driver", "player"),
}
# Fewer are kinds (of customers, say) rather than somebody each.
LEAST_MEMBERS = 5
# Fewer rows prove nothing: any measurement is unique in them.
LEAST_ROWS = 20
TEXT_LENGTH = 40
TEXT_DISTINCT = 0.5
CODE = r"^[A-Za-z0-9_\-:./#]*[0-9][A-Za-z0-9_\-:./#]*$"
CODE_NAMES = {"port", "zip", "zipcode", "postcode", "postal", "code"}


@dataclass(frozen=True)
class _Facts:
    """What is known of a column's values and its name."""

    rows: int
    distinct: int
    nulls: int
    words: tuple[str, ...]

    @property
    def unique(self) -> bool:
        return self.distinct == self.rows - self.nulls and self.rows >= LEAST_ROWS and self.nulls * 2 < self.rows

    @property
    def repeated(self) -> bool:
        return 1 < self.distinct * 2 <= self.rows


def with_roles(columns: dict[str, Column], rows: pl.DataFrame, label: str, notes: Notes) -> dict[str, Column]:
    """The columns with their roles, as far as a column says it by itself; dates and leaks are judged elsewhere."""
    given: dict[str, Column] = {}
    for name, column in columns.items():
        if name == label or column.type in {"date", "datetime"}:
            given[name] = column
            continue
        values = rows[name]
        facts = _Facts(values.len(), values.drop_nulls().n_unique(), values.null_count(), words_of(name))
        has_key = any(each.role == "key" for each in given.values())
        changes = _role(name, column, values, facts, notes, has_key=has_key)
        given[name] = column.model_copy(update=changes)
    return given


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `customerID`, `customer_id` and `Customer Id` are (customer, id)."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(word.casefold() for word in re.findall(r"[^\W_\d]+", split))


def member_of(name: str) -> str | None:
    """The word for somebody that a name consists of, `patient` for `PatientID`; None for other names."""
    core = [word for word in words_of(name) if word not in {*ID_WORDS, *NUMBER_WORDS}]
    return core[0] if core and all(word in MEMBERS for word in core) else None


def names_things(name: str) -> bool:
    """Whether a name says that its values are identifiers."""
    return any(word in ID_WORDS for word in words_of(name)[-1:])


def _role(
    name: str, column: Column, values: pl.Series, facts: _Facts, notes: Notes, *, has_key: bool
) -> dict[str, str | bool]:
    if facts.distinct == 0:
        return ignored("no value in any row")
    if facts.distinct == 1 and not facts.nulls:
        return ignored("constant: one value in every row")
    if column.type == "string" and is_free_text(values, facts.distinct):
        notes.ask(
            f"columns.{name}.role",
            f"'{name}' is free text. Is it written before the outcome is known?",
            "feature, read by its words (`method: embedded`); `role: leaking` where it is written afterwards",
        )
        return ignored("free text")
    named_id = names_things(name)
    if facts.unique and column.type in {"integer", "string"}:
        numbered = named_id or (bool(facts.words) and facts.words[-1] in NUMBER_WORDS)
        changes = _identifier(name, column, values, facts, named_id=numbered, has_key=has_key)
        if changes:
            what = "identifies a row" if changes["role"] == "key" else f"is left out ({changes['because']})"
            notes.assume(f"'{name}' {what}")
            return changes
    if facts.repeated and column.type in {"integer", "string"}:
        return _member(name, column, facts, notes, named_id=named_id)
    return {}


def _identifier(
    name: str, column: Column, values: pl.Series, facts: _Facts, *, named_id: bool, has_key: bool
) -> dict[str, str | bool]:
    """Role of a column with another value in every row."""
    if column.type == "integer":
        counts = not facts.nulls and bool((values.sort().diff().drop_nulls() == 1).all())
        if counts and name.casefold() not in CLOCK_NAMES:
            return ignored("identifier: it counts the rows")
        if facts.words and facts.words[0] in COUNTER_NAMES:
            return ignored("identifier: a row's number")
        code = named_id
    else:
        code = named_id or bool(values.drop_nulls().str.contains(CODE).all())
        if not code:
            return ignored("identifier: every value is unique")
    if code and not facts.nulls and not has_key:
        return {"role": "key"}
    return ignored("identifier: every value is unique") if code else {}


def _member(name: str, column: Column, facts: _Facts, notes: Notes, *, named_id: bool) -> dict[str, str | bool]:
    """Role of a column whose values repeat, where its name says that they are somebody, something, or a code."""
    member = member_of(name)
    if member is not None and facts.distinct >= LEAST_MEMBERS:
        notes.ask(
            f"columns.{name}.role",
            f"'{name}' has {facts.distinct:,} values in {facts.rows:,} rows: rows of one {member} belong "
            "together, and a split that parts them flatters the model. Are they a group?",
            "ignored; `role: group` with `split.method: group` keeps a group's rows in one split",
        )
        return ignored(f"identifies a {member}; the model must hold for others")
    if named_id:
        notes.ask(
            f"columns.{name}.role",
            f"'{name}' names {facts.distinct:,} things in {facts.rows:,} rows; must the model hold for new ones?",
            "feature (a category); `role: group` with `split.method: group` measures how it does on new ones",
        )
        return {"categorical": True} if column.type == "integer" else {}
    if column.type == "integer" and facts.distinct > 2 and facts.words and facts.words[-1] in CODE_NAMES:
        notes.ask(
            f"columns.{name}.categorical",
            f"'{name}' sounds like a code; are its numbers names rather than quantities?",
            "a quantity; `categorical: true` reads them as names",
        )
    return {}


def is_free_text(values: pl.Series, distinct: int) -> bool:
    """Whether texts are sentences: long, and mostly unlike each other."""
    length = values.str.len_chars().mean()
    return isinstance(length, float) and length > TEXT_LENGTH and distinct > TEXT_DISTINCT * values.len()


def ignored(because: str) -> dict[str, str | bool]:
    """The change that leaves a column out of the model."""
    return {"role": "ignored", "because": because}
