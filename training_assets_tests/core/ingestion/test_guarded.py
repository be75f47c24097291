"""A file that breaks its reader breaks a child process; the parent reads on, and says which file it was."""

from __future__ import annotations

import gzip
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil
import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.frames import decoded, encoded
from training_assets.core.ingestion.guarded import COMMAND, GuardedReader, Limits, guarded_rows, needs_guard
from training_assets.core.ingestion.reading import read_rows
from training_assets.spec import ModelSpec
from training_assets_tests.conftest import ROOT
from training_assets_tests.core.ingestion.made_files import parquet_bytes, result_or_refusal

COLUMNS = {"age": {"type": "integer"}, "weight": {"type": "number"}, "label": {"type": "string"}}
ROWS = pl.DataFrame({"age": [30, None, 2], "weight": [0.1, 2.5, None], "label": ["a", "b", "é\n"]})


def spec(source: str, **more: Any) -> ModelSpec:
    given = {"path": "rows.*", "format": source, **more}
    return ModelSpec.model_validate(
        {"source": given, "columns": COLUMNS, "target": {"column": "label", "task": "binary"}}
    )


def csv_bytes() -> bytes:
    return ROWS.write_csv().encode()


def arrow_bytes() -> bytes:
    buffer = io.BytesIO()
    ROWS.write_ipc(buffer)
    return buffer.getvalue()


def excel_bytes() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    for line in [tuple(ROWS.columns), *ROWS.rows()]:
        book.active.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def large() -> bytes:
    """A file that takes a part of a second to read."""
    height = 1_500_000
    chance = np.random.default_rng(0)
    made = {"age": chance.integers(0, 99, height), "weight": chance.random(height), "label": ["a", "b"] * (height // 2)}
    return parquet_bytes(pl.DataFrame(made))


@pytest.fixture
def reader() -> Iterator[GuardedReader]:
    made = GuardedReader()
    yield made
    made.close()


def each_child(reader: GuardedReader, what: signal.Signals, most: int) -> Callable[[], None]:
    """Send a signal to so many children of the reader, each as soon as it is there; returns what ends that."""
    over = threading.Event()

    def strike() -> None:
        struck: set[int] = set()
        while not over.is_set() and len(struck) < most:
            process = reader.process
            if process is not None and process not in struck:
                os.kill(process, what)
                struck.add(process)
            time.sleep(0.001)

    thread = threading.Thread(target=strike)
    thread.start()

    def end() -> None:
        over.set()
        thread.join()

    return end


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("x", ["b", None, "a"], dtype=pl.Categorical),
        pl.Series("x", ["b", None, "a"], dtype=pl.Enum(["a", "b"])),
        pl.Series("x", [None, None, None], dtype=pl.Null),
        pl.Series("x", ["", None, "\0é"]),
        pl.Series("x", [1.5, float("nan"), float("-inf")]),
        pl.Series("x", [-(2**63), None, 2**63 - 1]),
        pl.Series("x", [2**100, None, -1], dtype=pl.Int128),
        pl.Series("x", [True, None, False]),
        pl.Series("x", [date(1, 1, 1), None, date(9999, 12, 31)]),
        pl.Series("x", [datetime(2026, 1, 1, tzinfo=UTC), None, None], dtype=pl.Datetime("ns", "UTC")),
        pl.Series("x", [Decimal("1.10"), None, Decimal("-2.00")]),
        pl.Series("x", [[1], None, []], dtype=pl.List(pl.Int8)),
    ],
    ids=lambda values: str(values.dtype),
)
def test_rows_come_out_of_the_pipe_as_they_went_in(values: pl.Series) -> None:
    rows = values.to_frame()
    back = decoded(bytes(encoded(rows)))
    assert back.schema == rows.schema
    assert back.equals(rows)


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (parquet_bytes(ROWS), spec("parquet")),
        (arrow_bytes(), spec("arrow")),
        (excel_bytes(), spec("excel")),
        (gzip.compress(csv_bytes()), spec("csv", compression="gzip")),
        (parquet_bytes(ROWS)[:-20], spec("parquet")),
        (parquet_bytes(ROWS.drop("age")), spec("parquet")),
        (b"PK\x03\x04 no workbook", spec("excel")),
        (gzip.compress(csv_bytes())[:-9], spec("csv", compression="gzip")),
        (gzip.compress(b"age,weight,label\n1,2\n"), spec("csv", compression="gzip")),
    ],
    ids=["parquet", "arrow", "excel", "gzip", "cut", "column missing", "no workbook", "cut gzip", "ragged"],
)
def test_the_child_reads_and_refuses_as_the_process_itself_does(data: bytes, model: ModelSpec) -> None:
    assert needs_guard(model.source)
    assert ModelSpec.model_validate(model.model_dump(mode="json")) == model
    here = result_or_refusal(lambda: read_rows(data, model, "rows", {}))
    there = result_or_refusal(lambda: guarded_rows(data, model, "rows", {}))
    if isinstance(here, InputError):
        assert isinstance(there, InputError)
        assert (there.code, str(there)) == (here.code, str(here))
    else:
        assert isinstance(there, pl.DataFrame)
        assert there.schema == here.schema
        assert there.equals(here)


def test_plain_text_needs_no_child() -> None:
    assert not needs_guard(spec("csv").source)


def test_values_of_folders_reach_the_rows() -> None:
    model = spec("parquet", partitions=["age"])
    rows = guarded_rows(parquet_bytes(ROWS.drop("age")), model, "rows.parquet", {"age": "7"})
    assert rows["age"].to_list() == [7, 7, 7]


def test_one_child_reads_many_files_and_starts_fast(reader: GuardedReader) -> None:
    children = set()
    for _ in range(5):
        reader.rows(parquet_bytes(ROWS), spec("parquet"), "rows.parquet")
        children.add(reader.process)
    assert len(children) == 1


def test_the_child_imports_neither_dagster_nor_pandera() -> None:
    code = (
        "import os, sys, json\nfrom training_assets.core.ingestion import reading_process\nreading_process._warm()\n"
        "loaded = [name for name in ('dagster', 'pandera', 'sklearn', 'pandas') if name in sys.modules]\n"
        "print(json.dumps(loaded), flush=True)\nos._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_a_file_that_takes_all_memory_is_refused_and_the_next_one_is_read() -> None:
    bomb = parquet_bytes(pl.DataFrame({"age": pl.repeat(1, 8_000_000, dtype=pl.Int64, eager=True)}).select(
        "age", pl.lit(1.0).alias("weight"), pl.lit("a").alias("label")
    ))  # fmt: skip
    assert len(bomb) < 100_000
    reader = GuardedReader(Limits(memory=100 << 20))
    before = psutil.Process().memory_info().rss
    with pytest.raises(InputError, match=r"E_MEMORY: bomb\.parquet takes more than \d+ MiB"):
        reader.rows(bomb, spec("parquet"), "bomb.parquet")
    assert psutil.Process().memory_info().rss - before < 50 << 20
    assert reader.rows(parquet_bytes(ROWS), spec("parquet"), "rows.parquet").height == 3
    reader.close()


def test_a_workbook_that_unpacks_to_much_more_is_refused(reader: GuardedReader) -> None:
    import zipfile

    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(excel_bytes())) as sound,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in sound.namelist():
            content = sound.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"</sheetData>", b" " * (400 << 20) + b"</sheetData>")
            bomb.writestr(name, content)
    started = time.monotonic()
    with pytest.raises(InputError, match=r"bomb\.xlsx") as caught:
        reader.rows(buffer.getvalue(), spec("excel"), "bomb.xlsx")
    assert caught.value.code in {"E_RATIO", "E_MEMORY"}
    assert time.monotonic() - started < 10


def test_a_child_that_is_killed_once_is_replaced(reader: GuardedReader) -> None:
    data = large()
    end = each_child(reader, signal.SIGKILL, most=1)
    rows = reader.rows(data, spec("parquet"), "rows.parquet")
    end()
    assert rows.height == 1_500_000


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        (signal.SIGKILL, "E_MEMORY", "SIGKILL"),
        (signal.SIGABRT, "E_CORRUPT", "SIGABRT"),
        (signal.SIGSEGV, "E_CORRUPT", "SIGSEGV"),
    ],
)
def test_a_file_whose_child_dies_twice_is_refused(
    reader: GuardedReader, what: signal.Signals, code: str, said: str
) -> None:
    data = large()
    end = each_child(reader, what, most=2)
    with pytest.raises(InputError, match=said) as caught:
        reader.rows(data, spec("parquet"), "rows.parquet")
    end()
    assert caught.value.code == code
    assert "rows.parquet" in str(caught.value)
    assert reader.rows(parquet_bytes(ROWS), spec("parquet"), "rows.parquet").height == 3


def test_a_child_that_hangs_is_ended_in_time() -> None:
    reader = GuardedReader(Limits(seconds=0.5))
    end = each_child(reader, signal.SIGSTOP, most=1)
    started = time.monotonic()
    with pytest.raises(InputError, match=r"E_TIMEOUT: rows\.parquet was not read"):
        reader.rows(parquet_bytes(ROWS), spec("parquet"), "rows.parquet")
    end()
    assert time.monotonic() - started < 5
    assert reader.process is None


def test_a_child_that_died_while_nobody_asked_is_replaced(reader: GuardedReader) -> None:
    reader.rows(parquet_bytes(ROWS), spec("parquet"), "rows.parquet")
    first = reader.process
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert reader.rows(parquet_bytes(ROWS), spec("parquet"), "rows.parquet").height == 3
    assert reader.process != first


def test_threads_share_one_child(reader: GuardedReader) -> None:
    read: list[int] = []

    def work(height: int) -> None:
        rows = ROWS.head(height)
        read.append(reader.rows(parquet_bytes(rows), spec("parquet"), "rows.parquet").height - height)

    threads = [threading.Thread(target=work, args=(at % 3 + 1,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [0] * 12


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(parquet_bytes(ROWS))
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from training_assets.core.ingestion.guarded import GuardedReader\n"
        "from training_assets_tests.core.ingestion.test_guarded import spec\n"
        "reader = GuardedReader()\n"
        f"reader.rows(Path({str(tmp_path / 'rows.parquet')!r}).read_bytes(), spec('parquet'), 'rows.parquet')\n"
        "print(reader.process, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert list(COMMAND[1:]) == child.cmdline()[1:]
    parent.kill()
    parent.communicate()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_mutated_file_with_checksums_is_refused_or_read_as_it_was_written() -> None:
    import pyarrow.parquet as pq

    height = 500
    chance = random.Random(0)  # noqa: S311 - not for secrets
    cells = {
        "age": [chance.randrange(99) for _ in range(height)],
        "weight": [chance.random() for _ in range(height)],
        "label": [chance.choice("ab") for _ in range(height)],
    }
    rows, buffer = pl.DataFrame(cells), io.BytesIO()
    pq.write_table(rows.to_arrow(), buffer, write_page_checksum=True)
    whole, refused = buffer.getvalue(), 0
    for _ in range(300):
        data = bytearray(whole)
        at = chance.randrange(len(data))
        match chance.choice(["flip", "flip", "cut", "insert", "double"]):
            case "flip":
                data[at] ^= 1 << chance.randrange(8)
            case "cut":
                del data[at : at + chance.randrange(1, 50)]
            case "insert":
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
            case _:
                data[at:at] = data[at : at + 30]
        found = result_or_refusal(lambda: guarded_rows(bytes(data), spec("parquet"), "rows.parquet", {}))  # noqa: B023
        if isinstance(found, InputError):
            refused += 1
            assert "rows.parquet" in found.text
            assert len(str(found)) < 2000
        else:
            assert found.equals(rows)
    assert refused > 200
