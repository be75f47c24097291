"""What was tampered with after it was decided goes nowhere, and an audit says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.resources.signing import PUBLIC_KEY
from training_assets_tests.resources.test_signing import keys
from training_assets_tests.test_releases import (
    EVALUATION,
    live,
    next_version,
    open_cases,
    promote,
    released,
    rolled_back,
    said,
)
from training_assets_tests.workplace import SPEC, Workplace, customers, failures, workplace


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Versions 1 and then 2 in production, and version 3 in staging, approved."""
    with workplace(tmp_path_factory.mktemp("place")) as made:
        search = {**SPEC["search"], "families": ["linear"], "trials": 1}
        place = made.with_spec(evaluation=EVALUATION, search=search)
        place.land("2026-01.csv", customers(600, seed=1))
        released(place, "2026-02.csv", 2)
        released(place, "2026-03.csv", 3)
        next_version(place, "2026-04.csv", 4)
        said(place, open_cases(place)[-1])
        yield place


@contextmanager
def changed(path: Path) -> Iterator[None]:
    """The file with one byte more, for a while."""
    sound = path.read_bytes()
    path.write_bytes(sound + b" ")
    try:
        yield
    finally:
        path.write_bytes(sound)


def files_named(place: Workplace, name: str) -> list[Path]:
    """That file of each version, oldest first."""
    found = (place.root / "home" / "mlflow").rglob(name)
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def test_a_version_that_changed_after_staging_is_not_promoted(place: Workplace) -> None:
    for name in ("MLmodel", "model.json"):
        with changed(files_named(place, name)[-1]):
            refused = promote(place)
        assert "E_HASH: the files of version 3 have changed since it was registered" in failures(refused)[0]
        assert live(place) == "2"


def test_an_unsigned_version_moves_nowhere_where_signatures_are_asked_for(
    place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("model_signing", reason="the extra `signing` is not installed")
    monkeypatch.setenv(PUBLIC_KEY, str(keys(tmp_path, "ours")[1]))
    assert "E_SIGNATURE: the version carries no signature" in failures(promote(place))[0]
    with pytest.raises(InputError, match="E_SIGNATURE: the version carries no signature"):
        rolled_back(place)
    assert live(place) == "2"
