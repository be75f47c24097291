"""Which files are batches, and that a batch is its bytes."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion import discovery
from training_assets.core.ingestion.discovery import BatchFile, FileStamp, identify, read_identified, stamps
from training_assets.spec import Source
from training_assets_tests.core.ingestion.made_files import result_or_refusal


def source(*paths: str) -> Source:
    return Source(path=list(paths), format="csv")


def put(path: Path, text: str = "a,b\n1,2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(found: list[FileStamp]) -> list[str]:
    return [stamp.path.name for stamp in found]


def code_of(source_: Source, root: Path) -> str:
    with pytest.raises(InputError) as caught:
        stamps(source_, root)
    return caught.value.code


def test_files_come_sorted_each_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        put(tmp_path / "in" / name)
    found = stamps(source("in/*.csv", "in/a.csv", "in/?.csv"), tmp_path)
    assert names(found) == ["a.csv", "b.csv"]
    assert found[0].size == 8
    assert found[0].modified_ns == (tmp_path / "in" / "a.csv").stat().st_mtime_ns


def test_two_stars_go_into_folders(tmp_path: Path) -> None:
    put(tmp_path / "in" / "2024" / "01" / "a.csv")
    put(tmp_path / "in" / "b.csv")
    assert names(stamps(source("in/**/*.csv"), tmp_path)) == ["a.csv", "b.csv"]


def test_an_absolute_pattern_ignores_the_root(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.csv")
    assert names(stamps(source(str(tmp_path / "elsewhere" / "*.csv")), tmp_path / "root")) == ["a.csv"]


def test_a_root_with_brackets_is_no_pattern(tmp_path: Path) -> None:
    root = tmp_path / "run[1]"
    put(root / "a.csv")
    assert names(stamps(source("*.csv"), root)) == ["a.csv"]


def test_a_file_with_brackets_in_its_name_is_found_by_it(tmp_path: Path) -> None:
    put(tmp_path / "a[1].csv")
    assert names(stamps(source("a[1].csv"), tmp_path)) == ["a[1].csv"]


def test_unfinished_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    for name in (".a.csv", "a.csv.tmp", "a.csv.part", "a.csv.crdownload", "a.csv~", "b.csv"):
        put(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    assert names(stamps(source("*"), tmp_path)) == ["b.csv"]


def test_a_pattern_without_files_is_empty_and_a_missing_path_is_an_error(tmp_path: Path) -> None:
    assert stamps(source("in/*.csv"), tmp_path) == []
    assert code_of(source("in/a.csv"), tmp_path) == "E_MISSING"


def test_links_inside_the_root_are_followed_and_others_refused(tmp_path: Path) -> None:
    outside = put(tmp_path / "secret.csv")
    root = tmp_path / "root"
    put(root / "data" / "a.csv")
    (root / "latest.csv").symlink_to(root / "data" / "a.csv")
    assert names(stamps(source("*.csv"), root)) == ["latest.csv"]
    assert identify(stamps(source("latest.csv"), root)[0]).name == "latest.csv"
    (root / "out.csv").symlink_to(outside)
    assert code_of(source("*.csv"), root) == "E_NOT_REGULAR"


def test_a_dangling_link_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing.csv")
    assert stamps(source("*.csv"), tmp_path) == []


def test_pipes_devices_and_folders_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert code_of(source("*.csv"), tmp_path) == "E_NOT_REGULAR"
    assert code_of(source("/dev/null"), tmp_path) == "E_NOT_REGULAR"
    (tmp_path / "folder").mkdir()
    assert code_of(source("folder"), tmp_path) == "E_NOT_REGULAR"


@pytest.mark.parametrize("name", ["a\nb.csv", "-rf.csv", "a\x1b[31m.csv", "\u202ecsv.a", "x" * 220 + ".csv"])
def test_names_that_are_unsafe_to_show_are_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert code_of(source("*"), tmp_path) == "E_NAME"


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")))
    assert code_of(source("*.csv"), tmp_path) == "E_NAME"


def test_a_batch_is_its_bytes(tmp_path: Path) -> None:
    first = identify(stamps(source(str(put(tmp_path / "a.csv"))), tmp_path)[0])
    again = identify(stamps(source(str(put(tmp_path / "renamed.csv"))), tmp_path)[0])
    assert first.digest == again.digest == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert (first.name, again.name, first.size) == ("a.csv", "renamed.csv", 8)
    assert read_identified(first) == b"a,b\n1,2\n"


def test_other_bytes_than_identified_are_not_read(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    file = identify(stamps(source("a.csv"), tmp_path)[0])
    path.write_text("a,b\n9,9\n")
    with pytest.raises(InputError, match="E_UNSTABLE"):
        read_identified(file)


def test_a_file_that_grows_is_identified_once_it_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.csv")
    stamp = stamps(source("a.csv"), tmp_path)[0]
    left = [2]
    monkeypatch.setattr(discovery, "PAUSE_SECONDS", 0.001)
    read = discovery._read

    def read_while_it_grows(path_: Path) -> tuple[os.stat_result, bytes]:
        found = read(path_)
        if left[0]:
            left[0] -= 1
            path.write_text(path.read_text() + "3,4\n")
        return found

    monkeypatch.setattr(discovery, "_read", read_while_it_grows)
    assert identify(stamp).digest == hashlib.sha256(b"a,b\n1,2\n3,4\n3,4\n").hexdigest()
    left[0] = 3
    with pytest.raises(InputError, match="E_UNSTABLE"):
        identify(stamp)


def test_what_vanished_or_cannot_be_opened_is_said(tmp_path: Path) -> None:
    gone = FileStamp(tmp_path / "a.csv", 1, 1)
    with pytest.raises(InputError, match="E_MISSING"):
        identify(gone)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="E_NOT_REGULAR"):
        identify(FileStamp(tmp_path / "pipe.csv", 1, 1))
    file = BatchFile(tmp_path, "folder", "0" * 64, 1, 1)
    with pytest.raises(InputError, match="E_NOT_REGULAR"):
        read_identified(file)


def test_a_file_above_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_BYTES", 4)
    put(tmp_path / "a.csv")
    with pytest.raises(InputError, match="E_SIZE"):
        identify(stamps(source("a.csv"), tmp_path)[0])


def test_a_writer_that_never_rests_gives_no_torn_batch(tmp_path: Path) -> None:
    """Whatever is identified while another thread rewrites the file is one of the contents that were written whole."""
    path = put(tmp_path / "a.csv", "a,b\n" + "1,2\n" * 2000)
    contents = [("a,b\n" + f"{i},2\n" * 2000).encode() for i in range(10)]
    allowed = {hashlib.sha256(each).hexdigest() for each in [*contents, path.read_bytes()]}
    stop = threading.Event()

    def rewrite() -> None:
        while not stop.is_set():
            for each in contents:
                fresh = path.with_suffix(".tmp")
                fresh.write_bytes(each)
                fresh.replace(path)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(10):
            done = result_or_refusal(lambda: identify(stamps(source("a.csv"), tmp_path)[0]))
            assert done.code == "E_UNSTABLE" if isinstance(done, InputError) else done.digest in allowed
    finally:
        stop.set()
        writer.join()
