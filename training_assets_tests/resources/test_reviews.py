"""One open case a subject, whoever asks; a decision has an actor and a reason, is final, and holds for its subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.resources.cases import Case
from training_assets.resources.ledger import Ledger
from training_assets.resources.reviews import ONE, Reviews
from training_assets.spec import Approvals

MODEL = "churn"


@pytest.fixture
def reviews(tmp_path: Path) -> Reviews:
    return Reviews(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"))


def opened(reviews: Reviews, subject: str = "a" * 64, kind: str = "schema", **facts: Any) -> Case:
    return reviews.open(MODEL, kind, subject, "what differs", facts, run_id="run", actor="validation")


def test_the_same_question_is_asked_once(reviews: Reviews) -> None:
    first, again = opened(reviews, seen=1), opened(reviews, seen=2)
    assert first == again
    assert (first.state, first.name, first.opened_in, dict(first.facts)) == (
        "OPEN",
        "schema-" + "a" * 12,
        "run",
        {"seen": 1},
    )
    assert len(reviews.cases(MODEL)) == 1
    assert reviews.cases("other") == []


def test_a_decision_is_final_and_is_not_asked_for_again(reviews: Reviews) -> None:
    case = opened(reviews)
    decided = reviews.decide(case, "APPROVED", actor="Ada", comment="as announced")
    assert (decided.state, decided.decided_by, decided.comment) == ("APPROVED", "Ada", "as announced")
    assert reviews.approved(MODEL, "schema", case.subject)
    assert not reviews.approved(MODEL, "drift", case.subject)
    assert opened(reviews).state == "APPROVED"
    with pytest.raises(InputError, match="is approved already, by Ada"):
        reviews.decide(case, "REJECTED", actor="Bob", comment="no")


@pytest.mark.parametrize(("actor", "comment"), [("", "why"), ("Ada", ""), ("Ada", "  ")])
def test_a_decision_needs_somebody_and_a_reason(reviews: Reviews, actor: str, comment: str) -> None:
    case = opened(reviews)
    with pytest.raises(InputError, match="say who decides, and why"):
        reviews.decide(case, "APPROVED", actor=actor, comment=comment)
    assert reviews.cases(MODEL)[0].state == "OPEN"


def test_a_superseded_case_opens_anew_for_the_same_subject(tmp_path: Path) -> None:
    # Within one tick of the clock, too.
    still = datetime(2026, 1, 1, tzinfo=UTC)
    reviews = Reviews(Ledger(f"sqlite:///{tmp_path / 'still.db'}", clock=lambda: still))
    first = reviews.decide(opened(reviews), "SUPERSEDED", actor="validation", comment="mended")
    second = opened(reviews)
    assert (first.state, second.state) == ("SUPERSEDED", "OPEN")
    assert [case.state for case in reviews.cases(MODEL)] == ["SUPERSEDED", "OPEN"]
    assert reviews.decide(second, "REJECTED", actor="Ada", comment="still bad").state == "REJECTED"


def test_a_case_that_was_never_opened_cannot_be_decided(reviews: Reviews) -> None:
    case = opened(reviews)
    ghost = Case(MODEL, "schema", "b" * 64, "", {}, case.opened_at, "run", 99)
    with pytest.raises(InputError, match="does not exist"):
        reviews.decide(ghost, "APPROVED", actor="Ada", comment="x")


def test_a_case_is_found_by_the_beginning_of_its_name(reviews: Reviews) -> None:
    one, other = opened(reviews, "a1" * 32), opened(reviews, "a2" * 32)
    assert reviews.named(MODEL, "schema-a1") == one
    with pytest.raises(InputError, match=f"2 cases of churn are named 'schema-a'; open: {one.name}, {other.name}"):
        reviews.named(MODEL, "schema-a")
    with pytest.raises(InputError, match="0 cases"):
        reviews.named(MODEL, "nope")


steps = st.lists(
    st.tuples(st.sampled_from(["open", "APPROVED", "REJECTED", "SUPERSEDED"]), st.sampled_from("ab")), max_size=12
)


@settings(max_examples=25)
@given(steps)
def test_whatever_happens_at_most_one_case_of_a_subject_is_open(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[Any, str]]
) -> None:
    reviews = Reviews(Ledger(f"sqlite:///{tmp_path_factory.mktemp('reviews') / 'ledger.db'}"))
    states: dict[str, str] = {}
    for step, subject in taken:
        if step == "open":
            expected = "OPEN" if states.get(subject) in {None, "SUPERSEDED"} else states[subject]
            states[subject] = expected
            assert opened(reviews, subject).state == expected
        elif states.get(subject) == "OPEN":
            case = reviews.case(MODEL, "schema", subject)
            assert case is not None
            states[subject] = step
            assert reviews.decide(case, step, actor="Ada", comment="why").state == step
        cases = reviews.cases(MODEL)
        assert all(sum(case.state == "OPEN" for case in cases if case.subject == each) <= 1 for each in "ab")
        newest = {case.subject: case.state for case in cases}
        assert newest == states


# Quorum, waivers, time

ADA, BOB = "Ada <ada@x.org>", "Bob <bob@x.org>"
TWO = Approvals(count=2)


def test_a_case_is_approved_by_the_yes_that_makes_the_approval_complete(reviews: Reviews) -> None:
    case = opened(reviews, kind="release")
    first = reviews.agree(case, TWO, actor=ADA, comment="fine")
    assert (first.state, first.lacks(TWO, reviews.ledger.now())) == ("OPEN", "1 more of 2 approvals")
    with pytest.raises(InputError, match="agreed to this already; it still needs 1 more of 2 approvals"):
        reviews.agree(case, TWO, actor=ADA, comment="still fine")
    second = reviews.agree(case, TWO, actor=BOB, comment="fine too")
    assert (second.state, second.decided_by, second.comment) == ("APPROVED", BOB, "fine too")
    assert [vote.actor for vote in second.votes] == [ADA, BOB]
    with pytest.raises(InputError, match="is approved already"):
        reviews.agree(case, TWO, actor="Eve", comment="me too")


def test_a_yes_said_again_finishes_what_its_process_did_not_live_to_do(reviews: Reviews) -> None:
    case = opened(reviews, kind="release")
    with pytest.raises(KeyboardInterrupt), patch.object(Reviews, "_close", side_effect=KeyboardInterrupt):
        reviews.agree(case, ONE, actor=ADA, comment="fine")
    again = reviews.agree(case, ONE, actor=ADA, comment="as I said")
    assert (again.state, again.approved_by, again.comment) == ("APPROVED", ADA, "fine")
    assert [vote.actor for vote in again.votes] == [ADA]


def test_a_changed_waiver_of_the_same_person_counts(reviews: Reviews) -> None:
    asked, until = Approvals(roles={"risk": ["bob@x.org"]}), datetime(2999, 1, 1, microsecond=5, tzinfo=UTC)
    case = opened(reviews, kind="verdict", overridden=["value f1", "value roc_auc"])
    for waives in [], ["value f1"]:
        assert reviews.agree(case, asked, actor=BOB, comment="known", waives=waives, until=until).state == "OPEN"
        with pytest.raises(InputError, match="agreed to this already"):
            reviews.agree(case, asked, actor=BOB, comment="known", waives=waives, until=until)
    both = reviews.agree(case, asked, actor=BOB, comment="known", waives=["value roc_auc", "value f1"], until=until)
    assert (both.state, len(both.votes)) == ("APPROVED", 3)


def test_an_approval_of_one_subject_frees_no_other(reviews: Reviews) -> None:
    reviews.agree(opened(reviews, "a" * 64, kind="release"), ONE, actor=ADA, comment="fine")
    opened(reviews, "b" * 64, kind="release")
    assert reviews.approval(MODEL, "release", "a" * 64, ONE) is not None
    assert reviews.approval(MODEL, "release", "b" * 64, ONE) is None
    assert reviews.approval(MODEL, "verdict", "a" * 64, ONE) is None


def test_an_approval_is_asked_again_by_the_rules_that_hold_when_it_counts(reviews: Reviews) -> None:
    reviews.agree(opened(reviews, kind="release"), ONE, actor=ADA, comment="fine")
    assert reviews.approval(MODEL, "release", "a" * 64, TWO) is None
    assert reviews.approval(MODEL, "release", "a" * 64, Approvals(roles={"approver": ["bob@x.org"]})) is None


def test_a_yes_that_does_not_count_is_refused_and_leaves_nothing(reviews: Reviews) -> None:
    case = opened(reviews, kind="release", launched_by=ADA)
    for asked, said in (
        (Approvals(four_eyes=True), "launched the run"),
        (Approvals(roles={"approver": ["bob@x.org"]}), "not among"),
    ):
        with pytest.raises(InputError, match=said):
            reviews.agree(case, asked, actor=ADA, comment="fine")
    assert reviews.cases(MODEL)[0].votes == ()


def test_time_never_approves(tmp_path: Path) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    reviews = Reviews(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=lambda: clock[0]))

    def ask() -> Case:
        by = {"run_id": "run", "actor": "staged_version"}
        return reviews.open(MODEL, "release", "a" * 64, "may it?", {}, due_days=14, **by)

    case = ask()
    clock[0] += timedelta(days=13)
    assert ask() == case
    clock[0] += timedelta(days=1)
    assert reviews.cases(MODEL)[0].state == "EXPIRED"
    with pytest.raises(InputError, match="is expired already"):
        reviews.agree(case, ONE, actor=ADA, comment="too late")
    anew = ask()
    assert (anew.state, anew.number > case.number) == ("OPEN", True)
    assert [each.state for each in reviews.cases(MODEL)] == ["EXPIRED", "OPEN"]


def test_a_waiver_names_only_rules_that_failed_and_ends(tmp_path: Path) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    reviews = Reviews(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=lambda: clock[0]))
    asked, until = Approvals(roles={"risk": ["bob@x.org"]}), clock[0] + timedelta(days=30)
    case = opened(reviews, kind="verdict", overridden=["value roc_auc"])
    with pytest.raises(InputError, match="no failed rule is named 'value f1'; those to waive: value roc_auc"):
        reviews.agree(case, asked, actor=BOB, comment="known", waives=["value f1"], until=until)
    approved = reviews.agree(case, asked, actor=BOB, comment="known", waives=["value roc_auc"], until=until)
    assert approved.state == "APPROVED"
    assert reviews.approval(MODEL, "verdict", case.subject, asked) is not None
    clock[0] = until
    assert reviews.approval(MODEL, "verdict", case.subject, asked) is None


def test_an_approval_that_has_ended_is_asked_anew_once_and_is_remembered(tmp_path: Path) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    reviews = Reviews(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=lambda: clock[0]))
    asked = Approvals(roles={"risk": ["bob@x.org"]})

    def ask() -> Case:
        facts, by = {"overridden": ["value roc_auc"]}, {"run_id": "run", "actor": "evaluation_report"}
        return reviews.open(MODEL, "verdict", "a" * 64, "may it?", facts, asked=asked, **by)

    def waived(case: Case) -> Case:
        until = clock[0] + timedelta(days=30)
        return reviews.agree(case, asked, actor=BOB, comment="known", waives=["value roc_auc"], until=until)

    first = waived(ask())
    assert ask() == first
    clock[0] += timedelta(days=30)
    second = ask()
    assert (second.state, second.votes, second.number > first.number) == ("OPEN", (), True)
    assert ask() == second
    ended = reviews.cases(MODEL)[0]
    assert (ended.state, ended.decided_by, ended.approved_by) == ("EXPIRED", "clock", BOB)
    assert "approved by Bob <bob@x.org>, and needs a waiver by the role risk" in (ended.comment or "")
    assert reviews.approval(MODEL, "verdict", "a" * 64, asked) is None
    third = waived(second)
    assert third.state == "APPROVED"
    assert reviews.approval(MODEL, "verdict", "a" * 64, asked) == third
    for moment, known in ((ended.approved_at, ended), (third.approved_at, third), ("2000-01-01", None)):
        assert reviews.approved_before(MODEL, "verdict", "a" * 64, str(moment)) == known


def test_open_cases_that_ask_about_what_is_no_more_are_closed(reviews: Reviews) -> None:
    for subject in ("a" * 64, "b" * 64):
        opened(reviews, subject, kind="release")
    opened(reviews, kind="schema")
    reviews.supersede(MODEL, "release", but="b" * 64, because="b asks now", run_id="run", actor="release")
    assert [(case.kind, case.state) for case in reviews.cases(MODEL)] == [
        ("release", "SUPERSEDED"),
        ("release", "OPEN"),
        ("schema", "OPEN"),
    ]
