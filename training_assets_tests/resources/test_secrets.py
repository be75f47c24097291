"""A secret is read where its reference says, and is in nothing that is said of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.resources.secrets import LONGEST, Secrets

PLANTED = "hunter2-planted"


def refusal(secrets: Secrets, reference: str) -> InputError:
    with pytest.raises(InputError, match="E_SECRET") as caught:
        secrets(reference)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert PLANTED not in str(caught.value)
    return caught.value


def test_an_environment_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_URL", PLANTED)
    assert Secrets(tmp_path)("env:PLANTED_URL") == PLANTED


def test_a_file_is_read_below_the_root_or_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "url.txt").write_text(f"{PLANTED}\n")
    secrets = Secrets(tmp_path, {})
    assert secrets("file:url.txt") == PLANTED
    assert secrets(f"file:{tmp_path / 'url.txt'}") == PLANTED


def test_blanks_are_part_of_a_secret_and_line_ends_are_not(tmp_path: Path) -> None:
    (tmp_path / "url.txt").write_bytes(b" with blanks \r\n\n")
    assert Secrets(tmp_path, {"NAME": " a\n"})("file:url.txt") == " with blanks "
    assert Secrets(tmp_path, {"NAME": " a\n"})("env:NAME") == " a"


@pytest.mark.parametrize("reference", ["env:MISSING", "env:EMPTY", "file:missing", "file:empty", "file:.", "file:link"])
def test_what_is_not_there_is_named(tmp_path: Path, reference: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "link").symlink_to("missing")
    error = refusal(Secrets(tmp_path, {"EMPTY": ""}), reference)
    assert reference.partition(":")[2] in error.text


@pytest.mark.parametrize("data", [PLANTED.encode() + b"\xff", PLANTED.encode() * LONGEST])
def test_what_is_no_text_or_too_long_is_refused_without_a_piece_of_it(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "secret").write_bytes(data)
    refusal(Secrets(tmp_path, {}), "file:secret")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refusal(Secrets(tmp_path, {}), "file:pipe")


def test_a_literal_secret_is_not_repeated(tmp_path: Path) -> None:
    refusal(Secrets(tmp_path, {}), f"postgresql://user:{PLANTED}@host/database")


def test_the_environment_is_not_shown(tmp_path: Path) -> None:
    assert PLANTED not in repr(Secrets(tmp_path, {"PLANTED_URL": PLANTED}))
