"""A batch is appended whole and exactly once, whoever appends it, in whatever order, however often."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.commits import COMMIT, SEAL, Commit
from training_assets.resources.tables import Tables


def batch(digest: str, rows: int = 3) -> pl.DataFrame:
    return pl.DataFrame(
        {"_batch": [digest] * rows, "_row": list(range(1, rows + 1)), "x": [f"{digest}{row}" for row in range(rows)]}
    )


def test_a_table_before_its_first_batch(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    assert tables.open("m", "raw") is None
    assert tables.version("m", "raw") == -1
    assert tables.batches("m", "raw") == []
    assert tables.rows("m", "raw") == 0


def test_rows_come_back_in_the_order_of_batches_and_rows(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for digest in ("zz", "aa", "mm"):
        assert tables.append("m", "raw", batch(digest), digest)
    assert tables.batches("m", "raw") == ["zz", "aa", "mm"]
    assert tables.read("m", "raw", ["zz", "mm"])["x"].to_list() == ["zz0", "zz1", "zz2", "mm0", "mm1", "mm2"]
    assert tables.rows("m", "raw") == 9
    assert tables.version("m", "raw") == 3  # the first commit makes the table


def test_a_position_is_committed_with_its_batch_and_moves_on_without_one(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    assert tables.position("m", "raw") is None
    tables.append("m", "raw", batch("a"), "a", position="1")
    tables.append("m", "raw", batch("b"), "b")
    assert tables.position("m", "raw") == "1"
    assert not tables.append("m", "raw", batch("a"), "a", position="2")
    assert tables.position("m", "raw") == "1"
    tables.move_on("m", "raw", "2")
    version = tables.version("m", "raw")
    tables.move_on("m", "raw", "2")
    assert (tables.position("m", "raw"), tables.version("m", "raw")) == ("2", version)
    assert (tables.batches("m", "raw"), tables.rows("m", "raw")) == (["a", "b"], 6)


def test_a_commit_keeps_what_its_batch_arrived_with_and_one_of_an_earlier_release_reads_without(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.append("m", "raw", batch("a"), "a", "1", "a.csv", 7)
    assert [(each.name, each.size) for each in tables.present("m", "raw").values()] == [("a.csv", 7)]
    text = '{"batch":"a","erased":false,"file":"f","position":null,"rows":3}'
    assert Commit.unsealed({COMMIT: text, SEAL: fingerprint.digest(text)}) == Commit("a", "f", 3)


def test_an_erased_batch_is_gone_for_good(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for digest in "ab":
        tables.append("m", "raw", batch(digest), digest)
    assert tables.erase("m", "raw", "a") == 3
    assert tables.erase("m", "raw", "a") == 0
    assert not list(tmp_path.glob("m/raw/_batch=a/*.parquet"))
    assert not tables.append("m", "raw", batch("a"), "a")
    assert (tables.batches("m", "raw"), tables.read("m", "raw", ["a", "b"])["x"].to_list()) == (
        ["b"],
        ["b0", "b1", "b2"],
    )


def test_an_erasure_that_was_stopped_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = Tables(tmp_path)
    for digest in "ab":
        tables.append("m", "raw", batch(digest), digest)
    folder = tmp_path / "m" / "raw" / "_batch=a"
    (folder / f"{'0' * 64}.parquet").write_bytes(b"of an append that was stopped before its commit")

    def dies(path: Path, **_: bool) -> None:
        raise KeyboardInterrupt(path)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            tables.erase("m", "raw", "a")
    assert tables.batches("m", "raw") == ["b"]
    assert len(list(folder.iterdir())) == 2
    assert [tables.erase("m", "raw", "a") for _ in range(2)] == [3, 0]
    assert not list(folder.iterdir())
    assert tables.read("m", "raw", ["a", "b"])["x"].to_list() == ["b0", "b1", "b2"]


def test_a_flipped_bit_in_rows_or_a_lost_file_is_refused_by_name(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.append("m", "raw", batch("a"), "a")
    (file,) = tmp_path.glob("m/raw/_batch=a/*.parquet")
    sound = file.read_bytes()
    for at in range(0, len(sound), 37):
        file.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        with pytest.raises(InputError, match=file.name) as refused:
            tables.read("m", "raw", ["a"])
        assert refused.value.code == "E_HASH"
    file.unlink()
    with pytest.raises(InputError, match=file.name):
        tables.read("m", "raw", ["a"])


def test_a_flipped_bit_in_the_log_is_refused_by_name_or_changes_nothing(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for digest in "ab":
        tables.append("m", "raw", batch(digest), digest, position=f"after {digest}")

    def said() -> object:
        present = tables.batches("m", "raw")
        return (
            present,
            tables.position("m", "raw"),
            tables.rows("m", "raw"),
            tables.read("m", "raw", present).to_dicts(),
        )

    before, refused = said(), 0
    for file in sorted(tmp_path.glob("m/raw/_delta_log/*.json")):
        sound = file.read_bytes()
        for at in range(0, len(sound), 9):
            file.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
            try:
                now = said()
            except InputError as error:
                now = before if error.code == "E_HASH" and "m/raw" in str(error) else error
                refused += 1
            assert now == before
        file.write_bytes(sound)
    assert said() == before
    assert refused > 100


def test_many_may_make_the_table_at_once(tmp_path: Path) -> None:
    work = [f"batch{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda digest: Tables(tmp_path).append("m", "raw", batch(digest), digest), work))
    assert sum(done) == 6
    assert sorted(Tables(tmp_path).batches("m", "raw")) == work


def test_models_and_tables_are_apart(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.append("m", "raw", batch("a"), "a")
    assert tables.batches("n", "raw") == tables.batches("m", "other") == []


@settings(max_examples=15, deadline=None)
@given(arrivals=st.lists(st.sampled_from("abcd"), max_size=10))
def test_exactly_once_whatever_arrives_how_often(tmp_path_factory: pytest.TempPathFactory, arrivals: list[str]) -> None:
    tables = Tables(tmp_path_factory.mktemp("tables"))
    appended = [digest for digest in arrivals if tables.append("m", "raw", batch(digest), digest)]
    assert appended == list(dict.fromkeys(arrivals))
    assert tables.batches("m", "raw") == appended
    assert tables.rows("m", "raw") == 3 * len(appended)


def test_exactly_once_for_many_writers_at_a_time(tmp_path: Path) -> None:
    Tables(tmp_path).append("m", "raw", batch("first"), "first")
    work = [f"batch{number % 4}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda digest: Tables(tmp_path).append("m", "raw", batch(digest), digest), work))
    assert sum(done) == 4
    assert Tables(tmp_path).rows("m", "raw") == 15


def test_kill_9_while_appending_leaves_whole_batches_only(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        import polars as pl
        from training_assets.resources.tables import Tables
        tables = Tables(Path(sys.argv[1]))
        for number in range(10_000):
            digest = f"b{number:05}"
            rows = pl.DataFrame({"_batch": [digest] * 500, "_row": range(1, 501), "x": ["text"] * 500})
            tables.append("m", "raw", rows, digest)
            if number == 0:
                print("ready", flush=True)
    """)
    for delay in (0.05, 0.13, 0.31):
        writer = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    tables = Tables(tmp_path)
    batches = tables.batches("m", "raw")
    assert batches == [f"b{number:05}" for number in range(len(batches))]
    counts = tables.read("m", "raw", batches)["_batch"].value_counts()
    assert counts["count"].unique().to_list() in ([], [500])
    fresh = batch("next").with_columns(pl.col("_row").cast(pl.Int64))
    assert tables.append("m", "raw", fresh, "next")
