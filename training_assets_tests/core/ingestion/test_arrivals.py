"""A look at the files finds each new content once, waits for what is still written, and reads bytes only if needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.fingerprint import digest_bytes
from training_assets.core.ingestion.arrivals import SETTLED_NS, look, whole
from training_assets.core.ingestion.discovery import stamps
from training_assets.spec import Source

NOW = 2_000_000_000 * 10**9
LONG_AGO = NOW - 10 * SETTLED_NS
SOURCE = Source(path="*.csv", format="csv")


def put(folder: Path, name: str, content: str, modified_ns: int = LONG_AGO) -> str:
    (folder / name).write_text(content)
    os.utime(folder / name, ns=(modified_ns, modified_ns))
    return digest_bytes(content.encode())


def test_a_settled_file_is_new_at_the_first_look(tmp_path: Path) -> None:
    digest = put(tmp_path, "a.csv", "x\n1\n")
    found = look(stamps(SOURCE, tmp_path), {}, set(), NOW)
    assert (found.new, found.arriving, found.unreadable) == ([digest], [], [])


def test_a_young_file_waits_until_it_looks_the_same_twice(tmp_path: Path) -> None:
    digest = put(tmp_path, "a.csv", "x\n1\n", NOW - 1)
    first = look(stamps(SOURCE, tmp_path), {}, set(), NOW)
    assert (first.new, first.arriving) == ([], ["a.csv"])
    second = look(stamps(SOURCE, tmp_path), first.seen, set(), NOW + 1)
    assert (second.new, second.arriving) == ([digest], [])


def test_a_growing_file_keeps_waiting(tmp_path: Path) -> None:
    seen: dict[str, tuple[int, int, str | None]] = {}
    for step in range(4):
        put(tmp_path, "a.csv", "x\n" + "1\n" * step, NOW + step)
        found = look(stamps(SOURCE, tmp_path), seen, set(), NOW + step)
        assert found.new == []
        seen = found.seen


def test_what_was_dealt_with_is_not_new(tmp_path: Path) -> None:
    digest = put(tmp_path, "a.csv", "x\n1\n")
    assert look(stamps(SOURCE, tmp_path), {}, {digest}, NOW).new == []


def test_a_renamed_or_touched_file_is_not_new(tmp_path: Path) -> None:
    digest = put(tmp_path, "a.csv", "x\n1\n")
    seen = look(stamps(SOURCE, tmp_path), {}, {digest}, NOW).seen
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    os.utime(tmp_path / "b.csv", ns=(LONG_AGO + 5, LONG_AGO + 5))
    assert look(stamps(SOURCE, tmp_path), seen, {digest}, NOW).new == []


def test_other_bytes_under_the_same_name_are_new(tmp_path: Path) -> None:
    first = put(tmp_path, "a.csv", "x\n1\n")
    seen = look(stamps(SOURCE, tmp_path), {}, set(), NOW).seen
    second = put(tmp_path, "a.csv", "x\n2\n", LONG_AGO + 1)
    assert look(stamps(SOURCE, tmp_path), seen, {first}, NOW).new == [second]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    digest = put(tmp_path, "a.csv", "x\n1\n")
    files = stamps(SOURCE, tmp_path)
    seen = look(files, {}, set(), NOW).seen
    (tmp_path / "a.csv").unlink()
    assert look(files, seen, set(), NOW).new == [digest]


def test_a_file_that_vanished_is_said_and_tried_again(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "x\n1\n")
    files = stamps(SOURCE, tmp_path)
    (tmp_path / "a.csv").unlink()
    found = look(files, {}, set(), NOW)
    assert found.new == []
    assert len(found.unreadable) == 1
    digest = put(tmp_path, "a.csv", "x\n1\n")
    assert look(files, found.seen, set(), NOW).new == [digest]


@settings(max_examples=30, deadline=None)
@given(contents=st.lists(st.sampled_from(["x\n1\n", "x\n2\n", "x\n3\n"]), max_size=6))
def test_each_content_is_new_once(tmp_path_factory: pytest.TempPathFactory, contents: list[str]) -> None:
    folder = tmp_path_factory.mktemp("landing")
    digests = {put(folder, f"{number}.csv", content) for number, content in enumerate(contents)}
    found = look(stamps(SOURCE, folder), {}, set(), NOW)
    assert found.new == sorted(digests)
    assert look(stamps(SOURCE, folder), found.seen, digests, NOW).new == []


def test_old_files_are_whole_without_a_second_look(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "x\n1\n")
    files = stamps(SOURCE, tmp_path)
    pauses: list[float] = []
    assert whole(files, NOW, pauses.append) == (files, [])
    assert pauses == []


def test_a_young_file_that_changes_between_two_looks_is_arriving(tmp_path: Path) -> None:
    put(tmp_path, "still.csv", "x\n1\n", NOW)
    put(tmp_path, "done.csv", "x\n2\n", NOW)
    put(tmp_path, "gone.csv", "x\n3\n", NOW)
    files = stamps(SOURCE, tmp_path)

    def meanwhile(_: float) -> None:
        put(tmp_path, "still.csv", "x\n1\n2\n", NOW)
        (tmp_path / "gone.csv").unlink()

    sound, arriving = whole(files, NOW, meanwhile)
    assert [stamp.path.name for stamp in sound] == ["done.csv"]
    assert sorted(stamp.path.name for stamp in arriving) == ["gone.csv", "still.csv"]
