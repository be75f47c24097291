"""Aliases follow the last move, whoever is late; what somebody moved by hand is asked about, each time it is done."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from training_assets.resources.aliases import ALIAS_CASE, Aliases
from training_assets.resources.cases import Case
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets_tests.resources.test_releases import BY, MODEL, promote, register


class Aliased:
    """A registry that keeps aliases, and the newest move, alone; versions are there until they are deleted."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}
        self.newest = ""
        self.deleted: set[str] = set()

    def has(self, _model: str, version: str) -> bool:
        return version not in self.deleted

    def aliases(self, _model: str) -> dict[str, str]:
        return dict(self.there)

    def alias(self, _model: str, alias: str, version: str | None) -> None:
        if version is None:
            self.there.pop(alias, None)
        else:
            self.there[alias] = version

    def anchor(self, _model: str, move: str) -> None:
        self.newest = move


@pytest.fixture
def registry() -> Aliased:
    return Aliased()


@pytest.fixture
def aliases(tmp_path: Path, registry: Aliased) -> Aliases:
    places = Places(tmp_path, tmp_path / "home")
    for number in (1, 2, 3):
        register(places.ledger, number)
    return Aliases(places, cast("Registry", registry), MODEL)


def released(aliases: Aliases, number: str) -> None:
    promote(Releases(aliases.places.ledger, MODEL), number)
    aliases.mirror(**BY)


def states(aliases: Aliases) -> list[str]:
    return [case.state for case in aliases.places.reviews.cases(MODEL) if case.kind == ALIAS_CASE]


def decided(aliases: Aliases, case: Case | None, state: Any) -> None:
    assert case is not None
    aliases.places.reviews.decide(case, state, actor="eve", comment="so it is")


def test_an_alias_before_any_move_is_asked_about(aliases: Aliases, registry: Aliased) -> None:
    assert aliases.watch() is None
    registry.there["champion"] = "1"
    case = aliases.watch()
    assert case is not None
    assert "'champion' names version 1 and should name nothing" in case.text
    aliases.places.ledger.move(MODEL, "staging", expected=None, to="1", data={}, **BY)
    aliases.mirror(**BY)
    assert registry.there == {"challenger": "1"}
    assert aliases.watch() is None
    assert states(aliases) == ["SUPERSEDED"]


def test_what_a_release_overwrites_is_asked_about_first(aliases: Aliases, registry: Aliased) -> None:
    released(aliases, "1")
    registry.there["champion"] = "3"
    released(aliases, "2")
    (case,) = aliases.places.reviews.cases(MODEL)
    assert "'champion' names version 3 and should name version 1" in case.text
    assert registry.there == {"champion": "2", "previous": "1"}


@pytest.mark.parametrize("state", ["REJECTED", "APPROVED"])
def test_the_same_thing_done_once_more_is_asked_once_more(aliases: Aliases, registry: Aliased, state: str) -> None:
    released(aliases, "1")
    for _ in range(3):
        registry.there["champion"] = "2"
        decided(aliases, aliases.watch(), state)
        registry.there["champion"] = "1"
        assert aliases.watch() is None
    assert states(aliases) == [state] * 3


def test_what_a_person_leaves_as_it_is_asks_no_more(aliases: Aliases, registry: Aliased) -> None:
    released(aliases, "1")
    registry.there["champion"] = "2"
    decided(aliases, aliases.watch(), "REJECTED")
    for _ in range(2):
        case = aliases.watch()
        assert case is not None
        assert case.state == "REJECTED"
    registry.there["champion"] = "3"
    aliases.watch()
    assert states(aliases) == ["REJECTED", "OPEN"]


def test_what_a_killed_run_had_set_was_not_moved_by_hand(aliases: Aliases, registry: Aliased) -> None:
    released(aliases, "1")
    promote(Releases(aliases.places.ledger, MODEL), "2")
    for alias in ({}, {"champion": "2"}, {"champion": "2", "previous": "1"}):
        registry.there |= alias
        assert aliases.watch() is None
    aliases.mirror(**BY)
    assert aliases.watch() is None
    assert states(aliases) == []


def test_who_mirrors_late_leaves_the_last_move(
    aliases: Aliases, registry: Aliased, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promotion reads what is wanted; before it sets the aliases, a rollback moves and mirrors."""
    releases, others = Releases(aliases.places.ledger, MODEL), list[threading.Thread]()
    released(aliases, "1")
    promote(releases, "2")
    reads = Aliases.wanted

    def wanted(self: Aliases) -> dict[str, str | None]:
        found = reads(self)
        live = releases.live()
        if live is not None and live.data["to"] == "2" and not others:
            releases.roll_back("1", reason="it errs", freeze=timedelta(hours=1), after=live, **BY)
            others.append(threading.Thread(target=lambda: Aliases(aliases.places, self.registry, MODEL).mirror(**BY)))
            others[0].start()
            others[0].join(0.5)  # it waits, or is done
        return found

    monkeypatch.setattr(Aliases, "wanted", wanted)
    aliases.mirror(**BY)
    others[0].join()
    assert registry.there == {"champion": "1"}
    assert aliases.watch() is None
    assert states(aliases) == []


def test_an_alias_that_went_with_its_version_was_not_moved_by_hand(aliases: Aliases, registry: Aliased) -> None:
    released(aliases, "1")
    registry.deleted.add("1")
    registry.there.clear()
    assert aliases.watch() is None
    assert set(aliases.gone().values()) == {"1"}
