"""What was tampered with after it was decided goes nowhere, and an audit says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.governance.verifying import verify
from training_assets.resources.signing import PUBLIC_KEY
from training_assets_tests.resources.test_signing import keys
from training_assets_tests.test_releases import (
    EVALUATION,
    live,
    next_version,
    open_cases,
    promote,
    registry,
    released,
    rolled_back,
    said,
)
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, workplace


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


@pytest.mark.slow
def test_an_unsigned_version_moves_nowhere_where_signatures_are_asked_for(
    place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("model_signing", reason="the extra `signing` is not installed")
    monkeypatch.setenv(PUBLIC_KEY, str(keys(tmp_path, "ours")[1]))
    assert "E_SIGNATURE: the version carries no signature" in failures(promote(place))[0]
    with pytest.raises(InputError, match="E_SIGNATURE: the version carries no signature"):
        rolled_back(place)
    assert live(place) == "2"


def wrong(place: Workplace) -> dict[str, str]:
    """What an audit of version 1 finds that does not hold."""
    lines = verify(MODEL, place.places, registry(place), "1")
    assert lines[0]["what"] == "ledger"
    return {line["what"]: line["text"] for line in lines if not line["holds"]}


@contextmanager
def rewritten(place: Workplace, *statements: str) -> Iterator[None]:
    """The ledger's database with statements carried out in it, for a while."""
    file = place.places.home / "ledger.db"
    sound = file.read_bytes()
    with sqlite3.connect(file) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    try:
        yield
    finally:
        file.write_bytes(sound)


def test_what_nobody_tampered_with_holds(place: Workplace) -> None:
    assert wrong(place) == {}


def test_every_pointer_is_where_its_moves_lead(place: Workplace) -> None:
    forged = "UPDATE pointers SET value = '1' WHERE name IN ('staging', 'registered')"
    with rewritten(place, forged):
        found = wrong(place)
    assert set(found) == {"staging", "registered"}
    assert "gives 3, the pointer says 1" in found["staging"]


def test_a_ledger_that_lost_its_end_is_known_by_what_the_registry_keeps(place: Workplace) -> None:
    newest = place.places.ledger.events(MODEL, "staging_moved")[-1]
    lost, back = f"seq >= {newest.seq}", "UPDATE pointers SET value = '2' WHERE name = 'staging'"
    with rewritten(place, f"DELETE FROM events WHERE {lost}", back):  # noqa: S608 - the test's own words
        found = wrong(place)
    assert set(found) == {"end of the ledger"}
    assert newest.hash[:12] in found["end of the ledger"]


@pytest.mark.parametrize(
    ("change", "unreadable"),
    [
        (
            "data = replace(data, 'PASS', 'REJECT') WHERE kind = 'verdict'",
            "decision about version 1",
        ),
        ("data = '{' WHERE kind = 'case_opened'", "moves"),
    ],
)
def test_an_event_that_cannot_be_read_any_more_is_a_line(place: Workplace, change: str, unreadable: str) -> None:
    with rewritten(place, f"UPDATE events SET {change}"):  # noqa: S608 - the test's own words
        found = wrong(place)
    assert "is not what was written" in found["ledger"]
    assert "cannot be read" in found[unreadable]
