"""Enough people, the right ones, and a waiver that names what it overrides; nothing else is an approval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.release.approvals import Vote, lacking, may_vote
from training_assets.core.release.dates import moment
from training_assets.core.release.people import is_among
from training_assets.spec import Approvals
from training_assets.spec.release import Release

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


def test_a_list_of_the_role_risk_alone_keeps_nobody_from_approving() -> None:
    roles = {"risk": [EVE]}
    assert missing([Vote(ADA)], roles=roles) is None
    assert missing([Vote(ADA), Vote(EVE)], roles=roles, count=2) is None
    assert missing([Vote(ADA, ("value f1",), TOMORROW)], roles=roles, overridden=("value f1",)) is not None
    assert missing([Vote(EVE, ("value f1",), TOMORROW)], roles=roles, overridden=("value f1",)) is None
    assert missing([Vote(EVE), Vote(ADA)], roles={**roles, "approver": [BOB]}, count=2) == "1 more of 2 approvals"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"count": 2, "roles": {"risk": ["eve"]}}, None),
        ({"count": 2, "roles": {"approver": ["ada"], "risk": ["eve"]}}, None),
        ({"count": 2, "roles": {"approver": ["ada"], "risk": ["Ada "]}}, "count is 2, but 1 people may approve"),
        ({"count": 1, "roles": {"approver": [" "]}}, "count is 1, but 0 people may approve"),
        ({"count": 2, "four_eyes": True, "roles": {"approver": ["ada", "bob"]}}, "asks for 3 people"),
        ({"count": 2, "four_eyes": True, "roles": {"approver": ["ada", "bob"], "risk": ["eve"]}}, None),
    ],
)
def test_a_spec_whose_people_can_never_be_enough_is_refused(asked: dict[str, object], said: str | None) -> None:
    if said is None:
        Release.model_validate({"approvals": asked})
    else:
        with pytest.raises(ValueError, match=said):
            Release.model_validate({"approvals": asked})


def test_without_a_role_risk_nothing_goes_past_a_reject() -> None:
    assert missing([Vote(BOB, ("value roc_auc",), TOMORROW)], overridden=("value roc_auc",)) is not None


@pytest.mark.parametrize("votes", [("Ada", ADA), (ADA, "ada"), ("Ada <1@x>", "Ada <2@x>"), ("Ada", "  ADA ")])
def test_an_entry_of_the_list_is_one_person_however_it_is_spelt(votes: tuple[str, str]) -> None:
    roles, cast = {"approver": ["Ada", "Bob"]}, [Vote(each) for each in votes]
    assert missing(cast, roles=roles, count=2) == "1 more of 2 approvals"
    assert missing([*cast, Vote(BOB)], roles=roles, count=2) is None


def test_who_is_listed_twice_is_one_person_where_a_vote_shows_it() -> None:
    roles = {"approver": ["Ada", "ada@x.org", "Bob"]}
    assert missing([Vote("Ada"), Vote(ADA)], roles=roles, count=2) == "1 more of 2 approvals"


def test_people_of_one_name_are_two_where_the_list_tells_them_apart() -> None:
    roles, cast = {"approver": ["1@x.org", "2@x.org"]}, [Vote("Kim <1@x.org>"), Vote("Kim <2@x.org>")]
    assert missing(cast, roles=roles, count=2) is None
    assert missing(cast[1:], "Kim <1@x.org>", roles=roles, four_eyes=True) is None
    assert missing(cast, count=2) == "1 more of 2 approvals"


@pytest.mark.parametrize("roles", [{}, {"approver": ["Ada", "Bob"]}])
@pytest.mark.parametrize(("launcher", "voter"), [(ADA, "Ada"), ("ada", ADA), ("Ada <1@x>", "Ada <2@x>")])
def test_who_launched_the_run_does_not_count_under_another_spelling(
    launcher: str, voter: str, roles: dict[str, list[str]]
) -> None:
    said = may_vote(Vote(voter), Approvals.model_validate({"four_eyes": True, "roles": roles}), launched_by=launcher)
    assert said is not None
    assert "launched the run" in said


def test_a_launcher_whom_the_list_does_not_know_is_known_by_name() -> None:
    asked = Approvals(four_eyes=True, roles={"approver": ["ada@x.org", "bob@x.org"]})
    assert may_vote(Vote(ADA), asked, launched_by="Ada") is not None
    assert may_vote(Vote(BOB), asked, launched_by="Ada") is None


SPELT = {
    "ada": ["Ada", "ADA ", "Ada <ada@x.org>", "Ada <other@y.org>"],
    "bob": ["bob@x.org", "Bob <bob@x.org>", "B. <BOB@x.org>"],
    "eve": ["Eve", "eve", "Eve <e@x.org>"],
}
LIST = ["Ada", "Bob's own words <bob@x.org>", "EVE"]
anybody = st.sampled_from([(who, spelling) for who, spellings in SPELT.items() for spelling in spellings])


@given(
    said=st.lists(anybody, max_size=6),
    count=st.integers(1, 3),
    four_eyes=st.booleans(),
    launched=st.none() | anybody,
    is_listed=st.booleans(),
)
def test_an_approval_is_complete_exactly_with_enough_different_people(
    said: list[tuple[str, str]], count: int, four_eyes: bool, launched: tuple[str, str] | None, is_listed: bool
) -> None:
    different = {who for who, _ in said}
    if four_eyes and launched is not None:
        different -= {launched[0]}
    needed = count + (four_eyes and launched is None)
    roles = {"approver": LIST} if is_listed else {}
    launcher, votes = None if launched is None else launched[1], [Vote(spelling) for _, spelling in said]
    complete = missing(votes, launcher, count=count, four_eyes=four_eyes, roles=roles) is None
    assert complete == (len(different) >= needed)


@pytest.mark.parametrize("listed", [[], [""], [" "], ["<>"], ["x@y"]])
def test_nobody_is_among_a_list_that_does_not_name_them(listed: list[str]) -> None:
    assert not is_among(ADA, listed)


def test_moments_are_utc_unless_they_say_otherwise() -> None:
    assert moment("2026-12-31") == datetime(2026, 12, 31, tzinfo=UTC)
    assert moment(" 2026-12-31T18:00+02:00 ").astimezone(UTC).hour == 16
    with pytest.raises(InputError, match="is no date"):
        moment("next week")
