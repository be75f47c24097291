"""Whether the people who agreed are enough and the right ones; asked when they agree, and again when it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from training_assets.core.release.people import different, entries, is_among, names, person
from training_assets.spec.release import Approvals


@dataclass(frozen=True)
class Vote:
    """Somebody's yes: with the rules that it overrides by name, and until when, where it is a waiver.

    Whatever the comment, the same yes of the same person is equal.
    """

    actor: str
    waives: tuple[str, ...] = ()
    expires: datetime | None = None
    comment: str = field(default="", compare=False)


def may_vote(vote: Vote, asked: Approvals, *, launched_by: str | None) -> str | None:
    """Why somebody's yes does not count; none where it does."""
    if asked.voters and not _known_as(vote.actor, asked):
        return f"{vote.actor} is not among release.approvals.roles"
    if asked.four_eyes and launched_by is not None and _may_be_the_same(launched_by, vote.actor, asked):
        return f"{vote.actor} launched the run; release.approvals.four_eyes asks for somebody else"
    return None


def asks_one_more(asked: Approvals, launched_by: str | None) -> str:
    """Why one approval more than `count` is asked for, as a sentence; empty where it is not.

    Where nobody knows who launched the run, any of those who agree may have: with one more, enough others agree.
    """
    if not asked.four_eyes or launched_by is not None:
        return ""
    return (
        f"Nobody knows who launched the training run, so that four_eyes asks for {asked.count + 1} approvals, "
        f"one more than release.approvals.count"
    )


def lacking(
    votes: Sequence[Vote], asked: Approvals, *, launched_by: str | None, overridden: Sequence[str], now: datetime
) -> str | None:
    """What is missing before the votes are a complete approval; none where they are one.

    `overridden` are rules that a verdict of REJECT failed: only a waiver of the role `risk` that lists each of them,
    and has not expired, goes past them.
    """
    counted = [vote for vote in votes if may_vote(vote, asked, launched_by=launched_by) is None]
    if overridden and not any(_covers(vote, asked, overridden, now) for vote in counted):
        return (
            f"a waiver by the role risk that is still valid and lists {', '.join(overridden)}: "
            "--waive RULE for each, and --until DATE"
        )
    people = different(_known_as(vote.actor, asked) for vote in counted)
    one_more = asks_one_more(asked, launched_by)
    needed = asked.count + bool(one_more)
    short = needed - people
    why = f" ({one_more[:1].lower()}{one_more[1:]})" if one_more else ""
    return f"{short} more of {needed} approvals{why}" if short > 0 else None


def _known_as(actor: str, asked: Approvals) -> frozenset[str]:
    """Who somebody is: the entries of the list that name them, or what they call themselves where there is none."""
    return entries(actor, asked.voters) if asked.voters else names(actor)


def _may_be_the_same(one: str, other: str, asked: Approvals) -> bool:
    """Whether two may be one person; where the list does not know both, a name that they share is enough."""
    known, too = _known_as(one, asked), _known_as(other, asked)
    same = known & too if known and too else names(one) & names(other)
    return bool(same) or person(one) == person(other)


def _covers(vote: Vote, asked: Approvals, overridden: Sequence[str], now: datetime) -> bool:
    return (
        is_among(vote.actor, asked.roles.get("risk", []))
        and set(overridden) <= set(vote.waives)
        and vote.expires is not None
        and now < vote.expires
    )
