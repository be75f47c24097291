"""One case of bad input: the bytes as they arrive, the spec that reads them, and what a user must get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training_assets.spec import ModelSpec

COLUMNS: dict[str, Any] = {
    "id": {"type": "string", "role": "key", "nullable": False},
    "age": {"type": "integer"},
    "income": {"type": "number"},
    "plan": {"type": "string"},
    "seen": {"type": "datetime"},
    "label": {"type": "string"},
}
HEADER = ",".join(COLUMNS)
ROWS = 40
SEED = [(f"c{at}", 20 + at, f"{1000 + at / 4}", "basic" if at % 3 else "pro", f"2026-01-{at % 28 + 1:02d}T10:00:00",
         "yes" if at % 2 else "no") for at in range(ROWS)]  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """The file is refused: with this code, and with these words in its message (the file's name always)."""

    code: str
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quarantined:
    """Rows are set aside, by `column: rule` with the rows of the file that they are; all other rows are kept."""

    rows: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Accepted:
    """All rows are kept, and the named columns begin with exactly these values."""

    begins: Mapping[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The rows are read; a check says so: it blocks or warns, with these words (or, where it `holds`, passes)."""

    claim: str
    severity: str
    says: tuple[str, ...] = ()
    holds: bool = False


Expectation = Refused | Quarantined | Accepted | Found
Place = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A case under its number in the table of a hundred, in the table's words.

    `instead` says why something else than the table's proposal is what a user gets.
    """

    number: int
    words: str
    data: bytes | Callable[[], bytes] | None
    expected: Expectation
    columns: Mapping[str, Any] = field(default_factory=lambda: COLUMNS)
    source: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, Any] = field(default_factory=dict)
    name: str = "rows.csv"
    place: Place | None = None
    instead: str = ""

    @property
    def title(self) -> str:
        """Number and words, as pytest shows them."""
        return f"{self.number}: {self.words}"

    @property
    def spec(self) -> ModelSpec:
        """The spec that the file is read with."""
        given = {"path": "in/*", "format": "csv", **self.source}
        target = {"column": "label", "task": "binary", **self.target}
        # A case breaks few rows of few: the limit on broken rows is a test of its own.
        limits = {"max_quarantined": 0.5, **self.validation}
        made = {"source": given, "columns": self.columns, "target": target, "validation": limits, **self.sections}
        return ModelSpec.model_validate(made)

    def put(self, folder: Path) -> None:
        """Write the file, or make the odd thing that lies there instead."""
        if self.place is not None:
            self.place(folder)
        if self.data is not None:
            (folder / self.name).write_bytes(self.data() if callable(self.data) else self.data)


def text(header: str = HEADER, end: str = "\n", **cells: str) -> str:
    """Sound rows, but for columns whose first cells are replaced (`age="x"`), under a header."""
    names = list(COLUMNS)
    lines = [[str(cell) for cell in row] for row in SEED]
    for name, cell in cells.items():
        lines[0][names.index(name)] = cell
    return end.join([header, *(",".join(line) for line in lines)]) + end


def cells(column: str, *values: str, quote: bool = False) -> bytes:
    """Sound rows of which the first have these cells in a column."""
    names = list(COLUMNS)
    lines = [[str(cell) for cell in row] for row in SEED]
    for at, value in enumerate(values):
        lines[at][names.index(column)] = f'"{value}"' if quote else value
    return ("\n".join([HEADER, *(",".join(line) for line in lines)]) + "\n").encode()


def sound() -> bytes:
    """The sound file."""
    return text().encode()


def with_line(position: int, line: str) -> bytes:
    """The sound file with a line put in after so many rows."""
    lines = text().splitlines()
    return ("\n".join([*lines[: position + 1], line, *lines[position + 1 :]]) + "\n").encode()


def without(*names: str) -> dict[str, Any]:
    """The columns without some."""
    return {name: rules for name, rules in COLUMNS.items() if name not in names}
