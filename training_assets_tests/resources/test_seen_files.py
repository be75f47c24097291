"""A file that rests is known by its size and time; whatever is doubtful is read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from training_assets.core.ingestion.discovery import FileStamp, identify
from training_assets.resources.seen_files import SeenFiles

LONG_AGO = 1_600_000_000
NOW_NS = (LONG_AGO + 3600) * 10**9


def stamp(path: Path, text: str, *, at: int = LONG_AGO, partitions: tuple[str, ...] = ()) -> FileStamp:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    os.utime(path, (at, at))
    return FileStamp(path, len(text), at * 10**9, partitions=partitions)


def looked_at(folder: Path, *stamps: FileStamp, now_ns: int = NOW_NS) -> list[str | None]:
    """What was known of each file before it was read; then all are noted."""
    seen = SeenFiles.open(folder / "files.json")
    known = [seen.batch_of(each) for each in stamps]
    for each, batch in zip(stamps, known, strict=True):
        if batch is None:
            seen.note(each, identify(each), now_ns)
    seen.save()
    return known


def test_a_file_that_rests_is_known_at_the_next_look(tmp_path: Path) -> None:
    one, other = stamp(tmp_path / "a.csv", "x\n1\n"), stamp(tmp_path / "b.csv", "x\n2\n")
    assert looked_at(tmp_path, one, other) == [None, None]
    assert looked_at(tmp_path, one, other) == [identify(one).digest, identify(other).digest]
    assert looked_at(tmp_path, other) == [identify(other).digest]
    assert looked_at(tmp_path, one) == [None], "what was gone is forgotten"


def test_another_size_or_time_or_place_is_read_again(tmp_path: Path) -> None:
    looked_at(tmp_path, stamp(tmp_path / "a.csv", "x\n1\n"))
    assert looked_at(tmp_path, stamp(tmp_path / "a.csv", "x\n2\n", at=LONG_AGO + 1)) == [None]
    assert looked_at(tmp_path, stamp(tmp_path / "a.csv", "x\n22\n", at=LONG_AGO + 1)) == [None]
    assert looked_at(tmp_path, stamp(tmp_path / "b.csv", "x\n22\n", at=LONG_AGO + 1)) == [None]


def test_folders_whose_values_become_part_of_the_batch_make_it_another(tmp_path: Path) -> None:
    place = tmp_path / "year=2026" / "a.csv"
    assert looked_at(tmp_path, stamp(place, "x\n1\n")) == [None]
    assert looked_at(tmp_path, stamp(place, "x\n1\n", partitions=("year",))) == [None]


def test_a_young_file_is_read_again(tmp_path: Path) -> None:
    young = stamp(tmp_path / "a.csv", "x\n1\n")
    assert looked_at(tmp_path, young, now_ns=(LONG_AGO + 1) * 10**9) == [None]
    assert looked_at(tmp_path, young) == [None]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"files": {"a": 1}, "digest": ""}'])
def test_a_damaged_note_costs_time_alone(tmp_path: Path, content: bytes) -> None:
    file = stamp(tmp_path / "a.csv", "x\n1\n")
    looked_at(tmp_path, file)
    note = tmp_path / "files.json"
    sound = note.read_bytes()
    note.write_bytes(content)
    assert looked_at(tmp_path, file) == [None]
    for at in range(len(sound)):
        note.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        assert SeenFiles.open(note).batch_of(file) in {None, identify(file).digest}
