"""One open case a subject, whoever asks; a decision has an actor and a reason, is final, and holds for its subject."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.resources.ledger import Ledger
from training_assets.resources.reviews import Case, Reviews

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
