"""Enough people, the right ones, and a waiver that names what it overrides; nothing else is an approval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.release.approvals import Vote, lacking, may_vote
from training_assets.core.release.dates import moment
from training_assets.core.release.people import is_among, person
from training_assets.spec import Approvals

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ADA, BOB, EVE = "Ada <ada@x.org>", "Bob <bob@x.org>", "Eve"
TOMORROW = NOW + timedelta(days=1)


def missing(
    votes: list[Vote], launched_by: str | None = None, overridden: tuple[str, ...] = (), **asked: object
) -> str | None:
    spec = Approvals.model_validate(asked)
    return lacking(votes, spec, launched_by=launched_by, overridden=overridden, now=NOW)


def test_one_yes_of_anybody_is_enough_by_default() -> None:
    assert missing([Vote(EVE)]) is None
    assert missing([]) == "1 more of 1 approvals"


def test_the_same_person_counts_once_however_the_name_is_written() -> None:
    votes = [Vote("Ada <ada@x.org>"), Vote("A. Lovelace <ADA@x.org>")]
    assert missing(votes, count=2) == "1 more of 2 approvals"
    assert missing([*votes, Vote(BOB)], count=2) is None


def test_who_launched_the_run_does_not_count_where_four_eyes_are_asked_for() -> None:
    assert missing([Vote(ADA)], launched_by="ada <Ada@x.org>", four_eyes=True) == "1 more of 1 approvals"
    assert missing([Vote(BOB)], launched_by=ADA, four_eyes=True) is None
    assert missing([Vote(ADA)], launched_by=ADA) is None
    said = may_vote(Vote(ADA), Approvals(four_eyes=True), launched_by=ADA)
    assert said is not None
    assert "four_eyes" in said


def test_where_nobody_knows_who_launched_the_run_four_eyes_ask_for_one_more() -> None:
    said = missing([Vote(ADA)], four_eyes=True)
    assert said is not None
    assert said.startswith("1 more of 2 approvals (nobody knows who launched the training run")
    assert missing([Vote(ADA), Vote(ADA)], four_eyes=True) == said
    assert missing([Vote(ADA), Vote(BOB)], four_eyes=True) is None
    assert missing([Vote(ADA), Vote(BOB)], four_eyes=True, count=2) is not None


def test_only_listed_people_count_by_address_or_by_name() -> None:
    roles = {"approver": ["ada@x.org", "Bob"]}
    assert missing([Vote(EVE)], roles=roles) == "1 more of 1 approvals"
    assert missing([Vote(ADA)], roles=roles) is None
    assert missing([Vote("bob")], roles=roles) is None
    assert missing([Vote("Bob <bob@x.org>")], roles=roles) is None


def test_a_waiver_needs_the_role_risk_every_rule_and_an_end_that_has_not_come() -> None:
    failed, roles = ("value roc_auc", "slice f1"), {"risk": ["bob@x.org"], "approver": ["ada@x.org"]}
    assert missing([Vote(BOB, failed, TOMORROW)], overridden=failed, roles=roles) is None
    for vote in (
        Vote(BOB),
        Vote(BOB, failed[:1], TOMORROW),
        Vote(BOB, failed, None),
        Vote(BOB, failed, NOW),
        Vote(ADA, failed, TOMORROW),
    ):
        said = missing([vote], overridden=failed, roles=roles)
        assert said is not None
        assert "value roc_auc, slice f1" in said


def test_without_a_role_risk_nothing_goes_past_a_reject() -> None:
    assert missing([Vote(BOB, ("value roc_auc",), TOMORROW)], overridden=("value roc_auc",)) is not None


@given(
    people=st.lists(st.sampled_from([ADA, BOB, EVE, "Ada", "bob@x.org"]), max_size=6),
    count=st.integers(1, 3),
    four_eyes=st.booleans(),
    launcher=st.sampled_from([None, ADA, BOB]),
)
def test_an_approval_is_complete_exactly_with_enough_different_people(
    people: list[str], count: int, four_eyes: bool, launcher: str | None
) -> None:
    different = {person(each) for each in people}
    if four_eyes and launcher is not None:
        different -= {person(launcher)}
    needed = count + (four_eyes and launcher is None)
    complete = missing([Vote(each) for each in people], launcher, count=count, four_eyes=four_eyes) is None
    assert complete == (len(different) >= needed)


@pytest.mark.parametrize("listed", [[], [""], [" "], ["<>"], ["x@y"]])
def test_nobody_is_among_a_list_that_does_not_name_them(listed: list[str]) -> None:
    assert not is_among(ADA, listed)


def test_moments_are_utc_unless_they_say_otherwise() -> None:
    assert moment("2026-12-31") == datetime(2026, 12, 31, tzinfo=UTC)
    assert moment(" 2026-12-31T18:00+02:00 ").astimezone(UTC).hour == 16
    with pytest.raises(InputError, match="is no date"):
        moment("next week")
