"""A rollback that is carried out again pulls nothing more, and finishes what its first attempt did not live to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from training_assets.cli import releasing
from training_assets.cli.project import Project
from training_assets.core.errors import InputError
from training_assets.governance.rollback import moved_before, told_of
from training_assets.resources.aliases import Aliases
from training_assets.resources.ledger import Event, Ledger
from training_assets.resources.releases import Releases
from training_assets_tests.resources.test_releases import register
from training_assets_tests.test_releases import (
    ADA,
    EVALUATION,
    live,
    open_cases,
    promote,
    registry,
    released,
    rolled_back,
    said,
)
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

WORDS = {"reason": "calls doubled", "actor": "Ada"}


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Versions 1, 2 and 3 went live one after the other."""
    found = Releases(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), MODEL)
    for number in (1, 2, 3):
        register(found.ledger, number)
        found.promote(str(number), "approval", {}, reason="better", after=found.live(), run_id="run", actor="Bob")
    return found


def pulled(releases: Releases, *, run_id: str = "first", **asked: Any) -> Event:
    """The move of a rollback, as `roll_back` makes or finds it."""
    live = releases.live()
    assert live is not None
    said = {"of": None, "to": None, **WORDS, "run_id": run_id, **asked}
    moved = moved_before(releases, live, **said)
    if moved is not None:
        return moved
    by = {"run_id": run_id, "actor": said["actor"]}
    target = releases.rollback_target(said["to"])
    return releases.roll_back(target, reason=said["reason"], freeze=timedelta(hours=1), after=live, **by)


def test_a_run_pulls_once_whatever_happened_since(releases: Releases) -> None:
    first = pulled(releases)
    assert pulled(releases, reason="other words") == first
    releases.promote("3", "approval", {}, reason="mended", after=releases.live(), run_id="run", actor="Bob")
    assert pulled(releases) == first
    assert releases.states() == {"1": "SUPERSEDED", "2": "SUPERSEDED", "3": "LIVE"}


def test_the_same_words_by_the_same_person_pull_once(releases: Releases) -> None:
    first = pulled(releases)
    again = pulled(releases, run_id="second")
    assert again == first
    said = told_of(again, "second")
    assert said.startswith("version 3 is not live any more: it was pulled at 20")
    assert "name it (--of VERSION)" in said
    assert told_of(first, "first") == "production is back at version 2; version 3 is in quarantine"
    assert releases.states() == {"1": "SUPERSEDED", "2": "LIVE", "3": "ROLLED_BACK"}


@pytest.mark.parametrize("more", [{"reason": "it errs too"}, {"actor": "Bob"}, {"of": "2"}, {"to": "1"}])
def test_other_words_or_a_named_version_pull_the_next(releases: Releases, more: dict[str, str]) -> None:
    pulled(releases)
    pulled(releases, run_id="second", **more)
    assert releases.states() == {"1": "LIVE", "2": "ROLLED_BACK", "3": "ROLLED_BACK"}


def test_a_named_version_is_pulled_once(releases: Releases) -> None:
    first = pulled(releases, of="3")
    assert pulled(releases, run_id="second", of="3", reason="other words") == first
    with pytest.raises(InputError, match="version 1 is not live any more, version 2 is; nothing is pulled"):
        pulled(releases, run_id="third", of="1")
    with pytest.raises(InputError, match="has no version 9"):
        pulled(releases, run_id="third", of="9")
    assert releases.states() == {"1": "SUPERSEDED", "2": "LIVE", "3": "ROLLED_BACK"}


def test_what_went_live_since_it_was_asked_is_not_pulled_unnamed(releases: Releases) -> None:
    """As where the first attempt died before its move, and a promotion was faster than the second."""
    moves = [datetime.fromisoformat(move.at) for move in releases.moves()]
    with pytest.raises(InputError, match="version 3 went live after this was asked; name the version to pull"):
        pulled(releases, asked_at=moves[1])
    assert pulled(releases, asked_at=moves[2]).data["from"] == "3"


class KilledError(BaseException):
    """A process that ends here."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(600, seed=1))
        place = made.with_spec(evaluation=EVALUATION)
        released(place, "2026-02.csv", 2)
        released(place, "2026-03.csv", 3)
        yield place


def killed_after_its_move(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_args: Any, **_more: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Aliases, "mirror", die)
        with pytest.raises(KilledError):
            rolled_back(place)
    assert live(place) == "1"
    assert registry(place).aliases(MODEL)["champion"] == "2"


def commanded(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands work on this place."""
    definitions = place.definitions()
    outside = definitions.resources or {}
    project = Project(definitions, outside["models"], outside["artifacts"], place.places, place.instance)
    monkeypatch.setattr(releasing, "open_project", lambda: nullcontext(project))


def shown_version(place: Workplace) -> int:
    event = place.instance.get_latest_materialization_event(dg.AssetKey([MODEL, "live_version"]))
    assert event is not None
    assert event.asset_materialization is not None
    found = event.asset_materialization.metadata["version"].value
    assert isinstance(found, int)
    return found


@pytest.mark.slow
def test_the_sensor_finishes_what_a_killed_rollback_left(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_after_its_move(place, monkeypatch)
    assert shown_version(place) == 2
    for _ in range(2):
        assert place.tick("aliases").skip_message == "the registry's aliases are as the ledger says"
    assert registry(place).aliases(MODEL) == {"challenger": "2", "champion": "1"}
    assert shown_version(place) == 1
    told = place.instance.fetch_materializations(dg.AssetKey([MODEL, "live_version"]), limit=10).records
    assert len(told) == 3  # two promotions, one rollback
    rolled_back(place)
    assert live(place) == "1"


@pytest.mark.slow
def test_the_command_finishes_what_a_killed_release_left(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_after_its_move(place, monkeypatch)
    commanded(place, monkeypatch)
    assert releasing.promote(MODEL, "1", by=ADA, say=print)["exit_status"] == 0
    assert registry(place).aliases(MODEL) == {"challenger": "2", "champion": "1"}
    assert shown_version(place) == 1
    moved = releasing.rollback(MODEL, None, None, reason="it errs", by=ADA)
    assert (moved["from"], moved["to"]) == ("2", "1")
    assert "nothing more is pulled" in moved["said"]


@pytest.mark.slow
def test_a_retry_of_a_killed_run_finishes_it(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_after_its_move(place, monkeypatch)  # in the run "command"
    job = place.definitions().resolve_job_def(f"{MODEL}_rollback")
    form = {"reason": "calls doubled", "by": ADA}  # the run is what counts, not its words
    again = place.instance.create_run_for_job(
        job, run_config={"ops": {f"{MODEL}_pull": {"config": form}}}, parent_run_id="command", root_run_id="command"
    )
    done = execute_run(InMemoryJob(job), again, place.instance)
    assert done.success, failures(done)  # type: ignore[arg-type] # it is an ExecutionResult with the same events
    assert [move.data["to"] for move in Releases(place.places.ledger, MODEL).moves()] == ["1", "2", "1"]
    assert registry(place).aliases(MODEL) == {"challenger": "2", "champion": "1"}
    assert shown_version(place) == 1


@pytest.mark.slow
def test_a_version_pulled_for_one_that_it_was_never_held_against_comes_back_by_approval(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(place, "2026-04.csv", 4)
    rolled_back(place, "1")
    refused = promote(place, "3")
    trained_in = Releases(place.places.ledger, MODEL).version("3").data["trained_in"]
    assert "version 3 was never judged against version 1, which is live now" in failures(refused)[0]
    assert f"{MODEL}_evaluate with the tag training_assets/of_run={trained_in}" in failures(refused)[0]
    commanded(place, monkeypatch)
    waiting = place.places.reviews.open(MODEL, "verdict", "f" * 64, "may it?", {}, run_id="", actor="test")
    held = releasing.promote(MODEL, "3", by=ADA, say=print)
    assert held["exit_status"] == 3, held
    (case,) = open_cases(place)
    assert "it was rolled back: it errs" in case.text
    assert open_cases(place, "verdict") == [waiting]  # of a newer candidate, as it may be
    said(place, case)
    assert releasing.promote(MODEL, "3", by=ADA, say=print)["exit_status"] == 0
    assert live(place) == "3"
