"""Seeded damage to files of every format: refused, or read as an independent slow reader reads the same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import gzip
import io
import itertools
import json
import math
import random
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.reading import read_rows
from training_assets.spec import ModelSpec
from training_assets_tests.conftest import ROOT
from training_assets_tests.core.ingestion import slow_readers
from training_assets_tests.core.ingestion.made_files import result_or_refusal

SHARED = ROOT.parent / "shared" / "data" / "various"
WORDS = ["", "x", 'say "hi"', "a,b", "two\nlines", "it's", "50%", "naïve", "?", "-1.50", "1e5", " pad", "NA"]
LIMIT_SECONDS = 20.0
MANY, ALL = 300, 20_000


@dataclass(frozen=True)
class Form:
    """A format: sound files of it, how the spec says it, and the reader to be held against."""

    files: Callable[[], list[bytes]]
    source: dict[str, Any]
    slow: Callable[[bytes], slow_readers.Rows]
    types: dict[str, str]
    inside: str | None = None
    """Member of an archive that is damaged, too, where damage to the archive is always noticed."""
    strips: bool = False
    """Whether readers may differ on blanks around a text, as they do where a workbook does not say `xml:space`."""


def table(seed: int, words: Sequence[str] = WORDS, count: int = 12) -> list[list[str]]:
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    return [[str(at), f"{chance.uniform(-9, 9):.4f}", chance.choice(words), chance.choice("ab")] for at in range(count)]


NAMES = ["id", "x", "größe", "y"]
TEXTS = dict.fromkeys(NAMES, "string")
TYPED = {"id": "integer", "x": "number", "größe": "string", "at": "datetime", "y": "boolean"}
CELLS = {"id": "integer", "x": "number", "größe": "string", "on": "datetime", "y": "boolean"}


def csv_bytes(seed: int) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n" if seed % 2 else "\n").writerows([NAMES, *table(seed)])
    return buffer.getvalue().encode()


def tab_bytes(seed: int) -> bytes:
    words = [word for word in WORDS if "\n" not in word]
    return "".join("\t".join(row) + "\n" for row in [NAMES, *table(seed, words)]).encode()


def real_csv() -> list[bytes]:
    """The first lines of a real file under the names of these tests, where it is there."""
    path = SHARED / "penguins" / "penguins.csv"
    if not path.is_file():
        return []
    rows = [row[:4] for row in itertools.islice(csv.reader(path.read_text().splitlines()), 1, 30)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows([NAMES, *rows])
    return [buffer.getvalue().encode()]


def zip_bytes(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", data)
    return buffer.getvalue()


def jsonl_bytes(seed: int) -> bytes:
    lines = []
    for number, x, word, label in table(seed):
        cells = {"id": int(number), "x": float(x), "größe": word or None, "y": label == "a"}
        if seed % 2 and not word:
            del cells["größe"]
        lines.append(json.dumps(cells, ensure_ascii=bool(seed % 3)) + "\n")
    return "".join(lines).encode()


def arff_bytes(seed: int) -> bytes:
    head = "% made\n@relation 'made up'\n\n@attribute id integer\n@attribute x real\n@attribute größe string\n"
    lines = [head, "@attribute 'y' {a, b}\n@data\n% rows\n"]
    for number, x, word, label in table(seed):
        spelt = "?" if not word else "'" + word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
        plain = "?" if not word else "word"
        lines.append(f"{number}, {x},{spelt if seed % 3 else plain},{label}\n")
    return "".join(lines).encode()


def typed_frame(seed: int) -> pl.DataFrame:
    rows = table(seed, count=40)
    start = dt.datetime(2024, 1, 1)  # noqa: DTZ001 -- naive is UTC here
    return pl.DataFrame(
        {
            "id": [int(row[0]) for row in rows],
            "x": [float(row[1]) if row[2] else None for row in rows],
            "größe": [row[2] or None for row in rows],
            "at": [start + dt.timedelta(minutes=at) for at in range(len(rows))],
            "y": [row[3] == "a" for row in rows],
        },
        schema_overrides={"at": pl.Datetime("us"), "größe": pl.Categorical if seed % 2 else pl.String},
    )


def parquet_bytes(seed: int) -> bytes:
    buffer = io.BytesIO()
    typed_frame(seed).write_parquet(buffer, compression=("uncompressed", "zstd", "snappy")[seed % 3])
    return buffer.getvalue()


def arrow_bytes(seed: int) -> bytes:
    buffer = io.BytesIO()
    if seed % 2:
        typed_frame(seed).write_ipc(buffer, compression="zstd" if seed % 3 else "uncompressed")
    else:
        typed_frame(seed).write_ipc_stream(buffer)
    return buffer.getvalue()


def excel_bytes(seed: int) -> bytes:
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(CELLS))
    for at, row in enumerate(table(seed)):
        text = row[2].strip() or None
        sheet.append([int(row[0]), float(row[1]), text, dt.datetime(2024, 1, 1, at % 24, 30), row[3] == "a"])  # noqa: DTZ001
        # What looks like a number, an error or a formula is text here.
        sheet.cell(at + 2, 3).data_type = "s" if text is not None else "n"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def several(make: Callable[[int], bytes]) -> Callable[[], list[bytes]]:
    return functools.cache(lambda: [make(seed) for seed in range(6)])


FORMS = {
    "csv": Form(lambda: [*several(csv_bytes)(), *real_csv()], {"format": "csv"}, slow_readers.csv_rows, TEXTS),
    "tab": Form(
        several(tab_bytes),
        {"format": "csv", "csv": {"delimiter": "\t", "quote": None}},
        functools.partial(slow_readers.csv_rows, delimiter="\t", quote=None),
        TEXTS,
    ),
    "gzip": Form(
        several(lambda seed: gzip.compress(csv_bytes(seed), mtime=0)),
        {"format": "csv", "compression": "gzip"},
        slow_readers.gzip_rows,
        TEXTS,
    ),
    "zip": Form(
        several(lambda seed: zip_bytes(csv_bytes(seed))),
        {"format": "csv", "compression": "zip"},
        slow_readers.zip_rows,
        TEXTS,
    ),
    "jsonl": Form(
        several(jsonl_bytes), {"format": "jsonl"}, functools.partial(slow_readers.jsonl_rows, names=NAMES), TEXTS
    ),
    "arff": Form(several(arff_bytes), {"format": "arff"}, slow_readers.arff_rows, TEXTS),
    "parquet": Form(several(parquet_bytes), {"format": "parquet"}, slow_readers.parquet_rows, TYPED),
    "arrow": Form(several(arrow_bytes), {"format": "arrow"}, slow_readers.arrow_rows, TYPED),
    "excel": Form(
        several(excel_bytes),
        {"format": "excel"},
        slow_readers.excel_rows,
        CELLS,
        inside="xl/worksheets/sheet1.xml",
        strips=True,
    ),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one or two of: a bit flipped, a byte changed, cut off, cut out, doubled, swapped, inserted."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 3)):
        at, size = chance.randrange(len(changed)), chance.randrange(1, 30)
        match chance.choice(["flip", "byte", "truncate", "splice", "double", "swap", "insert"]):
            case "flip":
                changed[at] ^= 1 << chance.randrange(8)
            case "byte":
                changed[at] = chance.choice(b"\"',;\n\r\t\\{}%?0a \x00\xff")
            case "truncate":
                del changed[max(at, 1) :]
            case "splice":
                del changed[at : at + size]
            case "double":
                changed[at:at] = changed[at : at + size]
            case "swap":
                lines = changed.split(b"\n")
                one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
                lines[one], lines[other] = lines[other], lines[one]
                changed = bytearray(b"\n".join(lines))
            case _:
                changed[at:at] = bytes(chance.choices(b"\"',;\n\r\t\\{}%?0a \x00\xff", k=chance.randrange(1, 4)))
        if not changed:
            return b""
    return bytes(changed)


def damaged_inside(data: bytes, member: str, chance: random.Random) -> bytes:
    """The workbook packed anew, with the cells of a sheet damaged: its checksum holds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as anew:
        for name in archive.namelist():
            whole = archive.read(name)
            if name == member:
                before, begin, rest = whole.partition(b"<sheetData>")
                cells, end, after = rest.partition(b"</sheetData>")
                whole = before + begin + damaged(cells, chance) + end + after
            anew.writestr(name, whole)
    return buffer.getvalue()


def spec(form: Form) -> ModelSpec:
    columns = {name: {"type": kind} for name, kind in form.types.items()}
    target = {"column": "y", "task": "binary"}
    return ModelSpec.model_validate({"source": {"path": "rows.*", **form.source}, "columns": columns, "target": target})


def same(cell: Any, slow: Any, *, strips: bool) -> bool:
    """Whether two readers say the same of a cell; numbers of a workbook are text here, and numbers there."""
    if isinstance(cell, str) and isinstance(slow, int | float) and not isinstance(slow, bool):
        return float(cell) == float(slow)
    if strips and isinstance(slow, str) and (cell or "") == slow.strip():
        return True
    if slow == "#VALUE!" and isinstance(cell, str) and cell.startswith(("+", "-")):
        return True  # a day beyond the calendar, which is no date for either
    both_nan = isinstance(cell, float) and isinstance(slow, float) and math.isnan(cell) and math.isnan(slow)
    return both_nan or (cell == slow and (cell is None) == (slow is None))


def hold_against(form: Form, data: bytes, model: ModelSpec) -> bool:
    """Read a file; whether it was accepted, after comparing it with what the slow reader reads."""
    started = time.monotonic()
    read = result_or_refusal(lambda: read_rows(data, model, "rows.bin", {}))
    assert time.monotonic() - started < LIMIT_SECONDS
    if isinstance(read, InputError):
        assert "rows.bin" in str(read)
        assert len(str(read)) < 2000
        return False
    slow = form.slow(data)
    read = read.with_columns(pl.col(pl.Datetime).dt.timestamp("us"))
    assert read.height == len(slow)
    for row, other in zip(read.iter_rows(named=True), slow, strict=True):
        assert set(row) == set(other)
        assert all(same(cell, other[name], strips=form.strips) for name, cell in row.items()), (row, other)
    return True


def accepted_of(name: str, count: int) -> int:
    form = FORMS[name]
    model, files, accepted = spec(form), form.files(), 0
    for seed in range(count):
        chance = random.Random(f"{name} {seed}")  # noqa: S311 -- not for secrets
        data = files[seed % len(files)]
        hurt = (
            damaged_inside(data, form.inside, chance) if form.inside is not None and seed % 2 else damaged(data, chance)
        )
        try:
            accepted += hold_against(form, hurt, model)
        except Exception as error:
            error.add_note(f"{name}, seed {seed}")
            raise
    return accepted


@pytest.mark.parametrize("name", FORMS)
def test_sound_files_are_read_as_the_slow_reader_reads_them(name: str) -> None:
    form = FORMS[name]
    assert all(hold_against(form, data, spec(form)) for data in form.files())


@pytest.mark.parametrize("name", FORMS)
def test_damaged_files_are_refused_or_read_as_the_slow_reader_reads_them(name: str) -> None:
    accepted = accepted_of(name, MANY)
    assert accepted < MANY


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_twenty_thousand_damaged_files(name: str) -> None:
    count = ALL // len(FORMS) + 1
    assert accepted_of(name, count) < count
