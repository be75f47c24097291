"""Versions and production: a state machine of registrations, promotions and rollbacks, against a plain model of it."""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event, Ledger, PointerMovedError
from training_assets.resources.releases import PRODUCTION, Releases
from training_assets_tests.postgres_server import PostgresServer

MODEL = "churn"
BY = {"run_id": "run", "actor": "ada"}
DAY = timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def register(ledger: Ledger, number: int, *, proved: bool = True) -> None:
    candidate = f"{number:064d}"
    ledger.record(MODEL, "registered", candidate, {"version": str(number)}, **BY)
    if proved:
        ledger.record(MODEL, "parity", candidate, {"version": str(number)}, **BY)


def promote(releases: Releases, number: str, way: Any = "approval", *, after: Event | None = None) -> Event:
    return releases.promote(number, way, {}, reason="better", after=after or releases.live(), **BY)


def roll_back(releases: Releases, to: str | None = None, *, reason: str = "it errs", freeze: timedelta = DAY) -> Event:
    live = releases.live()
    assert live is not None
    return releases.roll_back(releases.rollback_target(to), reason=reason, freeze=freeze, after=live, **BY)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    found = Releases(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=Clock()), MODEL)
    for number in (1, 2, 3):
        register(found.ledger, number)
    return found


def test_what_was_never_registered_or_proved_is_not_promoted(releases: Releases) -> None:
    with pytest.raises(InputError, match="E_VERSION: churn has no version 9; known: 1, 2, 3"):
        promote(releases, "9")
    register(releases.ledger, 4, proved=False)
    with pytest.raises(InputError, match="never proved in staging"):
        promote(releases, "4")
    assert releases.live() is None


def test_a_number_stays_its_first_candidates(releases: Releases) -> None:
    """Whatever else comes under it, production's version is the one that was decided about."""
    moved = promote(releases, "1")
    releases.ledger.record(MODEL, "registered", "f" * 64, {"version": "1"}, **BY)
    assert releases.version("1").hash == moved.data["registration"]
    assert list(releases.versions()) == ["1", "2", "3"]


def test_a_promotion_says_why_and_is_no_rollback(releases: Releases) -> None:
    with pytest.raises(InputError, match="says why"):
        releases.promote("1", "policy", {}, reason=" ", after=None, **BY)
    with pytest.raises(InputError, match="by policy or approval"):
        promote(releases, "1", "rollback")


def test_a_rollback_pulls_and_freezes_in_one_event(releases: Releases) -> None:
    promote(releases, "1")
    promote(releases, "2")
    moved = roll_back(releases)
    assert (moved.data["from"], moved.data["to"], moved.data["way"]) == ("2", "1", "rollback")
    assert releases.states() == {"1": "LIVE", "2": "ROLLED_BACK", "3": "REGISTERED"}
    assert list(releases.pulled()) == ["2"]
    with pytest.raises(InputError, match="was live before"):
        promote(releases, "2", "policy")
    with pytest.raises(InputError, match="frozen"):
        promote(releases, "3", "policy")
    promote(releases, "2")  # people may say yes to it
    assert releases.pulled() == {}


def test_policy_goes_forward_alone(releases: Releases) -> None:
    promote(releases, "1")
    promote(releases, "2", "policy")
    with pytest.raises(InputError, match="was live before"):
        promote(releases, "1", "policy")
    assert promote(releases, "1").data["way"] == "approval"
    with pytest.raises(InputError, match="was live before"):
        promote(releases, "2", "policy")


def test_a_freeze_of_no_time_freezes_nothing(releases: Releases) -> None:
    promote(releases, "1")
    promote(releases, "2")
    roll_back(releases, freeze=timedelta(0))
    assert promote(releases, "3", "policy").data["way"] == "policy"


@pytest.mark.parametrize(("to", "why"), [("3", "was never live"), ("2", "is live now"), ("9", "has no version 9")])
def test_a_rollback_goes_to_a_version_that_was_live(releases: Releases, to: str, why: str) -> None:
    promote(releases, "1")
    promote(releases, "2")
    with pytest.raises(InputError, match=why):
        roll_back(releases, to)


def test_a_rollback_never_goes_to_a_pulled_version(releases: Releases) -> None:
    for number in ("1", "2", "3"):
        promote(releases, number)
    roll_back(releases, "1")
    with pytest.raises(InputError, match="was rolled back itself"):
        roll_back(releases, "3")
    assert releases.rollback_target() == "2"
    roll_back(releases)
    with pytest.raises(InputError, match="no earlier sound version than 2"):
        releases.rollback_target()


def test_nothing_to_roll_back(releases: Releases) -> None:
    with pytest.raises(InputError, match="nothing in production"):
        releases.rollback_target()


def test_of_two_promotions_one_wins(releases: Releases) -> None:
    promote(releases, "1")
    seen = releases.live()
    promote(releases, "2")
    with pytest.raises(PointerMovedError, match="is at 2, not at 1"):
        promote(releases, "3", after=seen)
    assert [span.version for span in releases.spans()] == ["1", "2"]


def test_a_rollback_in_between_voids_what_was_decided_before_it(releases: Releases) -> None:
    promote(releases, "1")
    decided = releases.live()
    promote(releases, "2")
    roll_back(releases, "1")  # production is where it was, and yet it is not the same
    with pytest.raises(PointerMovedError, match="is at 1 again, and was moved meanwhile"):
        promote(releases, "3", after=decided)


def test_a_rollback_takes_no_other_move_to_its_target_for_its_own(releases: Releases) -> None:
    promote(releases, "1")
    seen = promote(releases, "2")
    promote(releases, "1")  # an approved return, faster than the rollback
    with pytest.raises(PointerMovedError, match="is at 1, not at 2"):
        releases._move(  # its target was looked up before
            releases.version("1"), "rollback", {"reason": "it errs"}, after=seen, **BY
        )
    assert releases.pulled() == {}
    assert [span.way for span in releases.spans()] == ["approval"] * 3


def test_who_was_live(releases: Releases) -> None:
    first, second = promote(releases, "1"), promote(releases, "2")
    ends = [datetime.fromisoformat(move.at) for move in (first, second)]
    assert releases.live_at(ends[0] - timedelta(microseconds=1)) is None
    spans = [releases.live_at(each) for each in (ends[0], ends[1] - timedelta(microseconds=1), ends[1], ends[1] + DAY)]
    assert [span and span.version for span in spans] == ["1", "1", "2", "2"]


class Machine(RuleBasedStateMachine):
    """Whatever is tried, in whatever order: production is where the accepted moves say, and every guard holds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.ledger = Ledger(self.new_ledger(), clock=self.clock)
        self.releases = Releases(self.ledger, MODEL)
        self.registered: list[str] = []
        self.proved: set[str] = set()
        self.been: list[str] = []
        self.pulled: set[str] = set()
        self.frozen_until: datetime | None = None
        self.stale: Event | None = None

    def new_ledger(self) -> str:
        return f"sqlite:///{self.folder.name}/ledger.db"

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(proved=st.booleans())
    def register(self, proved: bool) -> None:
        number = str(len(self.registered) + 1)
        register(self.ledger, int(number), proved=proved)
        self.registered.append(number)
        if proved:
            self.proved.add(number)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.clock.now += timedelta(hours=hours)

    @precondition(lambda self: self.been)
    @rule()
    def look(self) -> None:
        self.stale = self.releases.live()

    @precondition(lambda self: self.registered)
    @rule(data=st.data(), way=st.sampled_from(["policy", "approval", "rollback"]), from_before=st.booleans())
    def promote(self, data: st.DataObject, way: Any, from_before: bool) -> None:
        number = data.draw(st.sampled_from(self.registered))
        live = self.releases.live()
        after = self.stale if from_before and self.stale is not None else live
        is_live = bool(self.been) and self.been[-1] == number
        frozen = self.frozen_until is not None and self.clock.now < self.frozen_until
        refused = (
            way == "rollback" or number not in self.proved or (way == "policy" and (number in self.been or frozen))
        )
        overtaken = live is not None and after is not None and after.hash != live.hash
        try:
            self.releases.promote(number, way, {}, reason="better", after=after, **BY)
        except InputError:
            assert refused
        except PointerMovedError:
            assert overtaken or is_live
        else:
            assert not refused
            assert not overtaken
            assert not is_live
            self.been.append(number)
            self.pulled.discard(number)

    @precondition(lambda self: self.been)
    @rule(data=st.data(), named=st.booleans())
    def roll_back(self, data: st.DataObject, named: bool) -> None:
        to = data.draw(st.sampled_from(self.registered)) if named else None
        sound = [each for each in self.been if each != self.been[-1] and each not in self.pulled]
        before = self.been[-1]
        try:
            moved = roll_back(self.releases, to)
        except InputError:
            assert not sound if to is None else to not in sound
        else:
            assert moved.data["to"] in sound
            assert moved.data["to"] == (to or sound[-1])
            self.been.append(str(moved.data["to"]))
            self.pulled.add(before)
            self.frozen_until = datetime.fromisoformat(moved.data["frozen_until"])

    @invariant()
    def replaying_the_ledger_gives_the_pointer(self) -> None:
        pointer = self.ledger.pointer(MODEL, PRODUCTION)
        assert pointer == (self.been[-1] if self.been else None)
        assert [span.version for span in self.releases.spans()] == self.been

    @invariant()
    def at_most_one_is_live_and_spans_follow_one_another(self) -> None:
        states = list(self.releases.states().values())
        assert states.count("LIVE") == (1 if self.been else 0)
        spans = self.releases.spans()
        assert all(one.until == two.since for one, two in itertools.pairwise(spans))
        assert set(self.releases.pulled()) == self.pulled

    @invariant()
    def the_chain_is_whole(self) -> None:
        assert self.ledger.first_broken() is None


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@pytest.mark.slow
def test_the_same_holds_in_postgresql(postgres: PostgresServer) -> None:
    class InPostgres(Machine):
        def new_ledger(self) -> str:
            return postgres.url(database=postgres.database())

    few = settings(max_examples=15, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(InPostgres, settings=few)  # type: ignore[no-untyped-call] # hypothesis has no annotation
