"""Where things live, as the environment says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.definitions import places


@pytest.mark.parametrize("name", ["half%20done", "what?"])
def test_a_home_that_no_database_could_be_opened_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TRAINING_ASSETS_HOME", str(tmp_path / name))
    with pytest.raises(InputError, match=r"E_STORAGE: .*name another folder by TRAINING_ASSETS_HOME"):
        places()
    assert not list(tmp_path.iterdir())


def test_a_home_may_have_spaces_and_umlauts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_ASSETS_HOME", str(tmp_path / "für alle"))
    assert places().home == tmp_path / "für alle"
