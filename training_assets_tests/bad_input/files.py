"""Cases 67, 68, 89 to 100: Parquet, and what lies where a file should lie."""

from __future__ import annotations

import io
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets_tests.bad_input.case import COLUMNS, Accepted, Case, Found, Place, Refused, sound

# So long that somebody else gets to write while it is read.
LONG_TO_READ = 8000
PARQUET = {"format": "parquet"}
FRAME = pl.read_csv(sound(), schema_overrides={"seen": pl.Datetime("us")})
FIRST: dict[str, list[Any]] = {"id": ["c0", "c1"], "age": [20, 21], "income": [1000.0, 1000.25]}


def parquet(frame: pl.DataFrame) -> bytes:
    """The frame as a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


WHOLE = parquet(FRAME)


def with_column(name: str, values: pl.Series) -> bytes:
    """The frame with other values in a column."""
    return parquet(FRAME.with_columns(values.alias(name)))


def parquet_case(number: int, words: str, data: bytes | Callable[[], bytes], expected: Any, **more: Any) -> Case:
    """A case that is a Parquet file."""
    return Case(
        number, words, data, expected, name="rows.parquet", source={**PARQUET, **more.pop("source", {})}, **more
    )


def bomb() -> bytes:
    """A small file of very many equal rows."""
    constant = pl.select(pl.repeat(7, 200_000_000, dtype=pl.Int8)).to_series()
    buffer = io.BytesIO()
    pl.DataFrame({"age": constant}).write_parquet(buffer, row_group_size=50_000_000, statistics=False)
    return buffer.getvalue()


def flipped() -> bytes:
    """A file whose pages have checksums, with one bit of a page another."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(FRAME.to_arrow(), buffer, write_page_checksum=True)
    data = bytearray(buffer.getvalue())
    data[data.index(b"c0") + 1] ^= 1
    return bytes(data)


def pandas_index() -> bytes:
    """What pandas writes with an index of its own and its metadata."""
    buffer = io.BytesIO()
    FRAME.to_pandas().set_index("id", drop=False).rename_axis("row").to_parquet(buffer)
    return buffer.getvalue()


def pandas_metadata() -> bytes:
    """What pandas writes of rows under a numbering that the metadata alone holds."""
    import pandas as pd

    buffer = io.BytesIO()
    frame = FRAME.to_pandas()
    frame.index = pd.RangeIndex(5, 5 + len(frame))
    frame.to_parquet(buffer)
    return buffer.getvalue()


def levels() -> bytes:
    """Rows with a text that is another one in each."""
    height = 50_000
    chance = np.random.default_rng(0)
    made = {
        "id": [f"c{at}" for at in range(height)],
        "plan": [f"p{at}" for at in chance.permutation(height)],
        "label": chance.choice(["no", "yes"], height),
    }
    return pl.DataFrame(made).write_csv().encode()


def linked(target: str) -> Place:
    """A link, under the name of the file, to something outside of the folder."""

    def make(folder: Path) -> None:
        outside = folder.parent.parent / "outside.csv"
        outside.write_bytes(sound())
        (folder / "rows.csv").symlink_to(outside if target == "file" else target)

    return make


def fifo(folder: Path) -> None:
    os.mkfifo(folder / "rows.csv")


def socketed(folder: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)  # the path of a socket is short
    listening.bind("rows.csv")
    os.fchdir(here)
    os.close(here)
    listening.close()


def hard_linked(folder: Path) -> None:
    outside = folder.parent / "outside.csv"
    outside.write_bytes(sound())
    (folder / "rows.csv").hardlink_to(outside)


def named(name: bytes) -> Place:
    """A sound file under a name of bytes."""

    def make(folder: Path) -> None:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123 - a name that is no text
            file.write(sound())

    return make


def restless(folder: Path) -> None:
    """A file that somebody writes to for as long as it is looked at."""
    path = folder / "rows.csv"
    path.write_bytes(sound() * LONG_TO_READ)

    def write() -> None:
        until = time.monotonic() + 2
        with path.open("ab", buffering=0) as file:
            while time.monotonic() < until:
                file.write(b"c9,1,1,pro,2026-01-01T00:00:00,no\n")

    threading.Thread(target=write, daemon=True).start()


def partitioned(value: str) -> Place:
    """A sound file below a folder that names a value."""

    def make(folder: Path) -> None:
        below = folder / f"city={value}"
        below.mkdir()
        (below / "rows.csv").write_bytes(sound())

    return make


CITY: dict[str, Any] = {
    "columns": {**COLUMNS, "city": {"type": "string"}},
    "source": {"path": "in/*/*", "partitions": ["city"]},
}
LYING = WHOLE[:-8] + struct.pack("<I", 0x7FFFFFF0) + b"PAR1"
PARQUET_CASES = [
    *(
        parquet_case(89, f"parquet truncated at {share:.0%}", WHOLE[: int(len(WHOLE) * share)], Refused("E_CORRUPT"))
        for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    ),
    parquet_case(89, "parquet truncated in its last byte", WHOLE[:-1], Refused("E_CORRUPT")),
    parquet_case(90, "parquet 1-bit flip, page checksums", flipped, Refused("E_CORRUPT", ("CRC",))),
    parquet_case(91, "parquet RLE bomb", bomb, Refused("E_RATIO", ("200,000,000 rows",))),
    parquet_case(
        92, "decimals", with_column("income", pl.Series([Decimal("1.10")] * 40)), Refused("E_TYPE", ("'income'",))
    ),
    parquet_case(92, "lists", with_column("income", pl.Series([[1.0]] * 40)), Refused("E_TYPE", ("'income'", "List"))),
    parquet_case(
        92, "structs", with_column("plan", pl.Series([{"a": 1}] * 40)), Refused("E_TYPE", ("'plan'", "Struct"))
    ),
    parquet_case(92, "bytes", with_column("plan", pl.Series([b"a"] * 40)), Refused("E_TYPE", ("'plan'", "Binary"))),
    parquet_case(
        92, "durations", with_column("age", pl.Series([timedelta(1)] * 40)), Refused("E_TYPE", ("'age'", "Duration"))
    ),
    parquet_case(
        92,
        "unsigned integers beyond 2^63",
        with_column("age", pl.Series([2**64 - 1] * 40, dtype=pl.UInt64)),
        Refused("E_TYPE", ("'age'",)),
    ),
    parquet_case(
        43,
        "ids as floats > 2^53, parquet",
        with_column("age", pl.Series([2.0**53 + 2] * 40)),
        Refused("E_TYPE", ("'age'", "row 1")),
    ),
    parquet_case(
        43, "ids as floats, spec text", with_column("id", pl.Series([1.0] * 40)), Refused("E_TYPE", ("'id'",))
    ),
    parquet_case(93, "pandas metadata", pandas_metadata, Accepted(FIRST)),
    parquet_case(93, "pandas index column", pandas_index, Refused("E_SCHEMA", ("not in the spec: 'row'",))),
    parquet_case(94, "parquet encrypted (PARE)", b"PARE" + WHOLE[4:-4] + b"PARE", Refused("E_MAGIC")),
    parquet_case(94, "footer length lies", LYING, Refused("E_CORRUPT")),
    parquet_case(94, "footer length is nothing", WHOLE[:-8] + b"\0\0\0\0PAR1", Refused("E_CORRUPT")),
]
PLACE_CASES = [
    Case(
        67,
        "`../../etc/passwd` as partition name",
        None,
        Refused("E_NAME", ("folder",)),
        place=partitioned("..%2F..%2Fetc%2Fpasswd"),
        **CITY,
    ),
    Case(
        68,
        "SQL in partition name",
        None,
        Accepted({"city": ["x'; DROP TABLE rows; --"]}),
        place=partitioned("x'; DROP TABLE rows; --"),
        instead="a value is data, wherever it is written; no query is made of it",
        **CITY,
    ),
    Case(
        95,
        "categories: 50 000 distinct",
        levels,
        Found("no_column_gives_the_label_away", "block", ("plan",)),
        columns={"id": COLUMNS["id"], "plan": {"type": "string"}, "label": {"type": "string"}},
    ),
    Case(98, "file is a symlink out of the folder", None, Refused("E_NOT_REGULAR", ("link",)), place=linked("file")),
    Case(98, "file is a symlink to a device", None, Refused("E_NOT_REGULAR"), place=linked("/dev/zero")),
    Case(98, "file is a FIFO", None, Refused("E_NOT_REGULAR"), place=fifo),
    Case(98, "file is a socket", None, Refused("E_NOT_REGULAR"), place=socketed),
    Case(
        98,
        "file is a directory",
        None,
        Refused("E_NOT_REGULAR", ("folder",)),
        place=lambda folder: (folder / "rows.csv").mkdir(),
        source={"path": "in/rows.csv"},
    ),
    Case(
        98,
        "file is a hard link out of inbox",
        None,
        Accepted(FIRST),
        place=hard_linked,
        instead="a name like any other: nothing tells it from a file of a snapshot, and its bytes are read once",
    ),
    Case(99, "file name with newline", None, Refused("E_NAME"), place=named(b"ro\nws.csv")),
    Case(99, "file name of 255 bytes", None, Refused("E_NAME", ("200 bytes",)), place=named(b"r" * 251 + b".csv")),
    Case(99, "file name that is no UTF-8", None, Refused("E_NAME"), place=named(b"ro\xffws.csv")),
    Case(99, "file name with a leading -", None, Refused("E_NAME", ("'-'",)), place=named(b"-rows.csv")),
    Case(100, "file changes during read", None, Refused("E_UNSTABLE"), place=restless),
]


def several(*files: bytes) -> Place:
    """Batches, one file each, in their order."""

    def make(folder: Path) -> None:
        for at, data in enumerate(files):
            (folder / f"rows-{at}.csv").write_bytes(data)

    return make


def customers(rows: int, seed: int, **made: Callable[[np.random.Generator, int], Any]) -> bytes:
    """Rows whose label hangs loosely on the age."""
    chance = np.random.default_rng(seed)
    age = chance.integers(18, 80, rows)
    frame = pl.DataFrame(
        {
            "id": [f"c{seed}-{at}" for at in range(rows)],
            "age": age,
            "label": np.where(chance.random(rows) < (age - 10) / 80, "yes", "no"),
        }
    )
    return frame.with_columns(pl.Series(name, make(chance, rows)) for name, make in made.items()).write_csv().encode()


def with_copy(data: bytes) -> bytes:
    """The rows with another column that says what the label says."""
    return (
        pl.read_csv(data)
        .with_columns(pl.col("label").replace({"yes": "A", "no": "B"}).alias("code"))
        .write_csv()
        .encode()
    )


FEW = {name: COLUMNS[name] for name in ("id", "age", "label")}
MONTHS = [customers(2000, seed) for seed in range(4)]
HISTORY_CASES = [
    Case(
        96,
        "column equal to label",
        with_copy(customers(2000, 1)),
        Found("no_column_gives_the_label_away", "block", ("code",)),
        columns={**FEW, "code": {"type": "string"}},
    ),
    Case(
        96,
        "key in two splits",
        None,
        Found("splits_share_no_content", "block", holds=True),
        columns=FEW,
        place=several(MONTHS[0], MONTHS[0] + b"c9-9,30,no\n"),
        instead="it cannot be: what is dealt is the key, so all rows of a key share a split",
    ),
    Case(
        97,
        "target drift",
        None,
        Found("columns_have_not_drifted", "warn", ("label",)),
        columns=FEW,
        place=several(
            *MONTHS, customers(2000, 5, label=lambda chance, rows: chance.choice(["no", "yes"], rows, p=[0.9, 0.1]))
        ),
    ),
    Case(
        97,
        "target drift, for review",
        None,
        Found("columns_have_not_drifted", "block", ("label",)),
        columns=FEW,
        validation={"drift": {"severity": "review"}},
        place=several(
            *MONTHS, customers(2000, 5, label=lambda chance, rows: chance.choice(["no", "yes"], rows, p=[0.9, 0.1]))
        ),
    ),
    Case(
        97,
        "90 % of rows gone",
        None,
        Found("batches_have_their_usual_size", "warn", ("rows-4.csv", "200 rows")),
        columns=FEW,
        place=several(*MONTHS, customers(200, 5)),
    ),
    Case(
        97,
        "10 times the rows",
        None,
        Found("batches_have_their_usual_size", "warn", ("rows-4.csv", "20,000 rows")),
        columns=FEW,
        place=several(*MONTHS, customers(20_000, 5)),
    ),
]
FILES = [*PARQUET_CASES, *PLACE_CASES, *HISTORY_CASES]
