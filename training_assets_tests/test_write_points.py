"""Killed at any of its writes, an append is whole or absent after the next run.

A kernel tracer (Debian's `strace`) kills the writer at one of its calls that change a file: nothing of the writer's own
runs any more, as in a power cut. Python and Rust code are treated alike.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from training_assets.resources.places import Places
from training_assets.resources.tables import Tables
from training_assets_tests.conftest import ROOT
from training_assets_tests.workplace import MODEL, customers

WRITES = "write,pwrite64,writev,rename,renameat,renameat2,link,linkat,unlink,mkdir,fsync,fdatasync,ftruncate"
APPEND = """
    import sys
    from pathlib import Path
    import polars as pl
    from training_assets.resources.tables import Tables
    print("ready", flush=True)
    rows = pl.DataFrame({"_batch": ["b"] * 500, "_row": range(1, 501), "x": ["text"] * 500})
    Tables(Path(sys.argv[1])).append("m", "raw", rows, "b", position="7")
"""
INGEST = """
    import sys
    from pathlib import Path
    import dagster as dg
    from training_assets_tests.workplace import Workplace
    with dg.DagsterInstance.from_config(sys.argv[1] + "/dagster") as instance:
        print("ready", flush=True)
        done = Workplace(Path(sys.argv[1]), instance).materialise("raw_data", "validated_data", "quarantined_rows")
        sys.exit(not done.success)
"""


def traces() -> bool:
    """Whether this machine has a tracer that may trace."""
    strace = shutil.which("strace")
    return (
        strace is not None and subprocess.run([strace, "-qq", "true"], capture_output=True, check=False).returncode == 0
    )


needs_strace = pytest.mark.skipif(not traces(), reason="needs Debian's strace, and a kernel that lets it trace")


def run(script: str, folder: Path, *tracer: str) -> int:
    """Run a script on a folder under a tracer, and give its exit status."""
    return _ran(script, folder, *tracer).returncode


def _ran(script: str, folder: Path, *tracer: str) -> subprocess.CompletedProcess[str]:
    command = [*tracer, sys.executable, "-c", textwrap.dedent(script), str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def points(script: str, folder: Path, log: Path, most: int) -> list[tuple[str, int]]:
    """The calls that change a file, as (kind, n-th of its kind in a thread), evenly thinned out to at most so many."""
    assert run(script, folder, "strace", "-f", "-qq", "-e", f"trace={WRITES}", "-o", str(log)) == 0
    calls = re.findall(r"^(\d+) +(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)
    counts = Counter(calls)
    found = sorted({(kind, number) for (_, kind), total in counts.items() for number in range(1, total + 1)})
    step = max(len(found) / most, 1.0)
    return [found[int(at * step)] for at in range(min(most, len(found)))]


def killed_at(point: tuple[str, int], script: str, folder: Path, *, may_fail: bool = False) -> bool:
    """Run the script and kill it where it is about to make a call; false where it came to its end before.

    Where the call is one of a process that the script started and waits for, the script itself `may_fail`.
    """
    kind, number = point
    kill = f"inject={kind}:signal=KILL:when={number}"
    done = _ran(script, folder, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={kind}", "-e", kill)
    expected = {0, -signal.SIGKILL, 128 + signal.SIGKILL, *([1] if may_fail else [])}
    assert done.returncode in expected, f"{point}: {done.returncode}, {done.stdout[-3000:]} {done.stderr[-3000:]}"
    return done.returncode != 0


def whole_or_absent(folder: Path) -> None:
    tables = Tables(folder)
    batches = tables.batches("m", "raw")
    assert batches in ([], ["b"])
    assert tables.rows("m", "raw") == 500 * len(batches)
    assert tables.position("m", "raw") == ("7" if batches else None)
    if batches:
        assert tables.read("m", "raw", batches).height == 500


@needs_strace
@pytest.mark.parametrize("most", [12, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_commit_killed_at_its_writes_is_whole_or_absent(tmp_path: Path, most: int) -> None:
    every = points(APPEND, tmp_path / "count", tmp_path / "log", most)
    killed = 0
    for at, point in enumerate(every):
        folder = tmp_path / str(at)
        killed += killed_at(point, APPEND, folder)
        whole_or_absent(folder)
        assert run(APPEND, folder) == 0
        assert Tables(folder).batches("m", "raw") == ["b"]
        whole_or_absent(folder)
    assert killed >= 0.5 * len(every)  # threads share the calls out anew in each run: a high number may not be reached


def ingested(root: Path) -> None:
    """Both batches whole and once in raw and validated rows, and a ledger without a break."""
    places = Places(root, root / "home")
    for table, rows in (("raw_data", 700), ("validated_data", 698)):
        (found,) = (places.home / "tables" / MODEL).glob(f"{table}-*")
        assert len(places.tables.batches(MODEL, found.name)) == 2
        keys = places.tables.read(MODEL, found.name, places.tables.batches(MODEL, found.name))["customer"]
        assert keys.len() == keys.n_unique() == rows, table
    assert places.ledger.first_broken() is None
    assert len(places.ledger.events(MODEL, "batch_ingested")) == 2
    assert sum(event.kind.startswith("validated/") for event in places.ledger.events(MODEL)) == 2


@needs_strace
@pytest.mark.slow
def test_an_ingestion_killed_at_its_writes_is_finished_once_by_the_next(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "landing").mkdir(parents=True)
    (source / "dagster").mkdir()
    (source / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    customers(400, seed=1).with_columns(age=pl.when(pl.int_range(pl.len()) < 2).then(999).otherwise("age")).write_csv(
        source / "landing" / "a.csv"
    )
    customers(300, seed=2).write_csv(source / "landing" / "b.csv")
    every = points(INGEST, Path(shutil.copytree(source, tmp_path / "count")), tmp_path / "log", 40)
    killed = 0
    for at, point in enumerate(every):
        root = Path(shutil.copytree(source, tmp_path / str(at)))
        killed += killed_at(point, INGEST, root)
        assert run(INGEST, root) == 0
        ingested(root)
        shutil.rmtree(root)
    assert killed >= 0.5 * len(every)
