"""An audit of moves: each has to have been allowed by what had happened before it; and how a history tells it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from training_assets.core.errors import InputError
from training_assets.core.evaluation.verdict import RuleResult, Verdict
from training_assets.governance.history import history, history_table, who_was_live
from training_assets.governance.moving import Line, moves
from training_assets.governance.production import RELEASE_CASE
from training_assets.resources.ledger import Event
from training_assets.resources.places import Places
from training_assets.resources.releases import Releases
from training_assets.resources.retractions import Batch, restore, retract
from training_assets.spec.release import Approvals

BY = {"run_id": "run", "actor": "mallory"}
TWO = Approvals(count=2, four_eyes=True)


class Place:
    """Versions 1 to 3, registered and proved, with a verdict each: the third one's is a REJECT."""

    def __init__(self, root: Path) -> None:
        self.places = Places(root, root / "home")
        self.ledger, self.releases = self.places.ledger, Releases(self.places.ledger, "churn")
        self.verdicts: dict[str, str] = {}
        for number in ("1", "2", "3"):
            candidate = f"{int(number):064d}"
            passed = number != "3"
            rule = RuleResult({"kind": "card"}, "PASS" if passed else "FAIL", None, None, "reject", "a card")
            verdict = Verdict("PASS" if passed else "REJECT", (rule,), candidate, "report", "policy", "a verdict")
            self.ledger.record("churn", "verdict", verdict.digest, verdict.to_json(), **BY)
            facts = {"version": number, "dataset_version": "v1"}
            self.ledger.record("churn", "registered", candidate, facts, **BY)
            proof = {"version": number, "largest_difference": 0.0}
            self.ledger.record("churn", "parity", candidate, proof, **BY)
            self.verdicts[number] = verdict.digest

    def move(self, to: str, way: str, **data: Any) -> Event:
        """Write a move as somebody does who may write to the ledger, and asks nobody."""
        registered, now = self.releases.version(to), self.ledger.pointer("churn", "production")
        said = {"way": way, "candidate": registered.subject, "registration": registered.hash, "reason": "so", **data}
        return self.ledger.move("churn", "production", expected=now, to=to, data=said, **BY)

    def approve(self, number: str, *by: str, about: str | None = None) -> str:
        """The subject of a case about a version to which these people said yes; what is asked for is one of them."""
        facts = {"version": about or number, "candidate": self.releases.version(about or number).subject}
        case = self.places.reviews.open(
            "churn", RELEASE_CASE, f"{number}{len(self.ledger.events('churn')):063d}", "may it?",
            {**facts, "launched_by": "bob"}, **BY,
        )  # fmt: skip
        asked = Approvals(count=max(len(by), 1))
        for person in by:
            case = self.places.reviews.agree(case, asked, actor=person, comment="fine")
        if not by:
            self.places.reviews.decide(case, "APPROVED", actor="mallory", comment="I decide")
        return case.subject

    def seen(self) -> Line:
        """What an audit says of the newest move."""
        return moves(self.places, self.releases)[-1]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.move("1", "approval", case=made.approve("1", "ada"))
    return made


def test_what_was_allowed_holds(place: Place) -> None:
    place.move("2", "policy", verdict=place.verdicts["2"])
    place.move("1", "rollback", frozen_until=place.ledger.now().isoformat())
    place.move("3", "approval", case=place.approve("3", "ada", "eve"), asked=TWO.model_dump(mode="json"))
    lines = moves(place.places, place.releases)
    assert [line.what for line in lines] == [f"move to version {number}" for number in ("1", "2", "1", "3")]
    assert all(line.holds for line in lines), lines


def test_policy_lets_only_what_passed_through(place: Place) -> None:
    place.move("2", "policy")
    assert (place.seen().holds, place.seen().text) == (False, "there is no verdict about it that policy could go by")
    place.move("3", "policy", verdict=place.verdicts["2"])
    assert (place.seen().holds, place.seen().text) == (False, "there is no verdict about it that policy could go by")
    place.move("1", "policy", verdict=place.verdicts["1"])
    assert place.seen().holds
    place.move("3", "policy", verdict=place.verdicts["3"])
    assert (place.seen().holds, place.seen().text) == (False, "policy does not let REJECT through")


def test_policy_lets_neither_the_first_version_nor_a_pulled_one_through_nor_anything_in_a_freeze(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path)
    place.move("1", "policy", verdict=place.verdicts["1"])
    assert (place.seen().holds, place.seen().text) == (False, "policy does not let the first version through")
    place.move("2", "policy", verdict=place.verdicts["2"])
    over = place.ledger.now() - timedelta(seconds=1)
    place.move("1", "rollback", frozen_until=over.isoformat())
    place.move("2", "policy", verdict=place.verdicts["2"])
    assert (place.seen().holds, place.seen().text) == (
        False, "policy does not let a version through that was rolled back",
    )  # fmt: skip
    place.move("3", "approval", case=place.approve("3", "ada"))
    place.move("2", "rollback", frozen_until=(place.ledger.now() + timedelta(days=1)).isoformat())
    place.move("1", "policy", verdict=place.verdicts["1"])
    assert not place.seen().holds
    assert "policy was frozen until" in place.seen().text


def test_an_approval_is_complete_and_about_this_very_version(place: Place) -> None:
    place.move("2", "approval", case="c" * 64)
    assert (place.seen().holds, place.seen().text) == (False, "no approved case")
    place.move("3", "approval", case=place.approve("3", "ada", about="2"))
    assert "is about another version" in place.seen().text
    asked = TWO.model_dump(mode="json")
    place.move("2", "approval", case=place.approve("2", "ada", "bob"), asked=asked)  # bob launched the run
    assert "lacks 1 more of 2 approvals" in place.seen().text
    place.move("3", "approval", case=place.approve("3"), asked=asked)
    assert "lacks 2 more of 2 approvals" in place.seen().text
    assert not place.seen().holds


def test_a_rollback_goes_back(place: Place) -> None:
    place.move("2", "rollback", frozen_until=place.ledger.now().isoformat())
    assert "goes to a version that was live before" in place.seen().text
    place.move("1", "rollback", frozen_until=place.ledger.now().isoformat())
    assert "not rolled back itself" in place.seen().text
    assert not place.seen().holds


def test_a_move_names_its_registration_and_follows_its_proof(place: Place) -> None:
    place.move("2", "policy", verdict=place.verdicts["2"], registration="0" * 64)
    assert (place.seen().holds, place.seen().text) == (False, "it names no registration of such a version")
    place.move("3", "backdoor")
    assert (place.seen().holds, place.seen().text) == (False, "no way to production is called 'backdoor'")
    place.ledger.record("churn", "registered", "4" * 64, {"version": "4"}, **BY)
    place.move("4", "policy")
    assert (place.seen().holds, place.seen().text) == (False, "the version was not proved before")


def test_a_history_tells_of_batches_that_were_taken_back(place: Place) -> None:
    batch = Batch("b" * 64, "may.csv")
    retract(place.ledger, "churn", batch, {}, because="sent twice", actor="ada")
    restore(place.ledger, "churn", batch, because="it was not", actor="eve")
    said = history_table(history(place.ledger, "churn"))
    assert "batch retracted: may.csv, ada: sent twice" in said
    assert "batch restored: may.csv, eve: it was not" in said


def test_nobody_knows_what_will_be_live(place: Place) -> None:
    assert who_was_live(place.ledger, "churn", None)["version"] == "1"
    with pytest.raises(InputError, match="E_TIME: 2099-01-01 00:00 is still to come"):
        who_was_live(place.ledger, "churn", place.ledger.now().replace(2099, 1, 1, 0, 0))
