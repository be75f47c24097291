"""An artifact is whole or absent, written once, and verified when read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import polars as pl
import pytest

from training_assets.core import artifact_format, fingerprint
from training_assets.core.artifact_format import Artifact, Made
from training_assets.core.errors import InputError


def one(folder: Path, data: bytes = b"hello") -> Artifact:
    def make(folders: dict[str, Path]) -> dict[str, Made]:
        (folders["one"] / "data.bin").write_bytes(data)
        return {"one": Made({"rows": 1})}

    return artifact_format.write({"one": folder}, make)["one"]


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    written = one(tmp_path / "run" / "one")
    assert artifact_format.read(tmp_path / "run" / "one") == written
    assert written.read("data.bin") == b"hello"
    assert written.facts == {"rows": 1}
    assert written.verified_folder() == tmp_path / "run" / "one"


def test_digest_is_of_the_content_and_not_of_the_place(tmp_path: Path) -> None:
    assert one(tmp_path / "a").digest == one(tmp_path / "b").digest
    assert one(tmp_path / "a2", b"other").digest != one(tmp_path / "b2").digest


def test_a_maker_may_name_the_identity(tmp_path: Path) -> None:
    made = artifact_format.write({"x": tmp_path / "x"}, lambda _: {"x": Made({}, "abc")})
    assert made["x"].digest == "abc"


def test_an_artifact_is_written_once(tmp_path: Path) -> None:
    one(tmp_path / "one")
    with pytest.raises(FileExistsError, match="written once"):
        one(tmp_path / "one", b"again")
    assert artifact_format.read(tmp_path / "one").read("data.bin") == b"hello"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_folders_of_one_step_come_together_or_not_at_all(tmp_path: Path) -> None:
    def fails(folders: dict[str, Path]) -> dict[str, Made]:
        (folders["a"] / "data.bin").write_bytes(b"1")
        message = "no more"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="no more"):
        artifact_format.write({"a": tmp_path / "a", "b": tmp_path / "b"}, fails)
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    artifact = one(tmp_path / "one")
    path = tmp_path / "one" / "data.bin"
    for bit in range(len(b"hello") * 8):
        flipped = bytearray(b"hello")
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match="has changed since it was written"):
            artifact.read("data.bin")
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        artifact.read("data.bin")


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    artifact = one(tmp_path / "one")
    (tmp_path / "one" / "planted.bin").write_bytes(b"!")
    with pytest.raises(InputError, match="E_HASH"):
        artifact.read("planted.bin")


def test_frames_and_json_are_verified_too(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": [1, 2]})

    def make(folders: dict[str, Path]) -> dict[str, Made]:
        rows.write_parquet(folders["one"] / "rows.parquet")
        (folders["one"] / "facts.json").write_text(json.dumps({"a": 1}))
        return {"one": Made()}

    artifact = artifact_format.write({"one": tmp_path / "one"}, make)["one"]
    assert artifact.frame("rows.parquet").equals(rows)
    assert artifact.json("facts.json") == {"a": 1}
    (tmp_path / "one" / "facts.json").write_text(json.dumps({"a": 2}))
    with pytest.raises(InputError, match="E_HASH"):
        artifact.json("facts.json")


def test_write_file_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    artifact_format.write_file(path, b"1")
    artifact_format.write_file(path, b"2")
    assert path.read_bytes() == b"2"
    assert [each.name for each in path.parent.iterdir()] == ["file.json"]


def test_kill_9_in_the_middle_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from training_assets.core import artifact_format
        def make(folders):
            (folders["one"] / "half.bin").write_bytes(b"x" * 1000)
            print("writing", flush=True)
            time.sleep(60)
        artifact_format.write({"one": Path(sys.argv[1])}, make)
    """)
    writer = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "one")], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert not (tmp_path / "one").exists()
    assert one(tmp_path / "one").read("data.bin") == b"hello"


def abandoned(run: Path, *, age: float) -> Path:
    folder = run / f".one.{'0' * 32}"
    folder.mkdir(parents=True)
    (folder / "data.bin").write_bytes(b"half")
    then = time.time() - age
    os.utime(folder, (then, then))
    return folder


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    old, young = abandoned(tmp_path / "a", age=4000), abandoned(tmp_path / "b", age=60)
    kept = one(tmp_path / "a" / "one")
    artifact_format.remove_abandoned(tmp_path)
    assert not old.exists()
    assert young.exists()
    assert kept.read("data.bin") == b"hello"


def test_what_somebody_still_writes_is_left_however_old_it_is(tmp_path: Path) -> None:
    def slow(folders: dict[str, Path]) -> dict[str, Made]:
        (folders["one"] / "data.bin").write_bytes(b"slow")
        os.utime(folders["one"], (0, 0))
        artifact_format.remove_abandoned(tmp_path)
        return {"one": Made()}

    written = artifact_format.write({"one": tmp_path / "run" / "one"}, slow)["one"]
    assert written.read("data.bin") == b"slow"


def test_canonical_json_is_canonical() -> None:
    assert fingerprint.canonical({"b": 1, "a": [1.5, "ü"]}) == '{"a":[1.5,"ü"],"b":1}'.encode()
    assert fingerprint.digest({"a": 1, "b": 2}) == fingerprint.digest({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        fingerprint.canonical(float("nan"))


def test_file_digest_is_the_digest_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc" * 100_000)
    assert fingerprint.digest_file(tmp_path / "f") == fingerprint.digest_bytes(b"abc" * 100_000)


def test_a_sealed_object_is_read_back_and_no_other(tmp_path: Path) -> None:
    content = {"b": [1.5, "é", None], "a": {"seal of": "x"}}
    path = tmp_path / "a.json"
    sealed = artifact_format.sealed(content)
    path.write_bytes(sealed)
    assert artifact_format.unsealed(path) == content
    others = [sealed + b" ", sealed[:-1], b"", b"[]", b"{}", b"null", b"[" * 100_000, sealed.replace(b"1.5", b"1.4")]
    for other in [*others, *(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed)))]:
        path.write_bytes(other)
        with pytest.raises(InputError, match=r"E_HASH: .*a\.json has changed"):
            artifact_format.unsealed(path)
