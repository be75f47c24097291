"""Policy alone lets a version in only if nothing speaks against it; an approval says yes to what does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.evaluation.verdict import VerdictName
from training_assets.core.release.policy import Standing, open_way
from training_assets.spec import Release

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SOUND: dict[str, Any] = {
    "verdict": "PASS", "risk": "low", "is_first": False, "was_live": False, "retracted": 0, "frozen_until": None,
    "pulled": None, "is_approved": False, "now": NOW,
}  # fmt: skip
AUTO, ASK = Release(production="auto"), Release(production="approval")


def test_by_policy_where_nothing_speaks_against_it() -> None:
    assert open_way(AUTO, Standing(**SOUND)) == ("policy", ())


def test_an_approval_is_asked_for_by_default() -> None:
    assert Release().production == "approval"
    way, reasons = open_way(ASK, Standing(**SOUND))
    assert way is None
    assert reasons == ("release.production asks for an approval",)


def test_a_freeze_ends() -> None:
    frozen = {**SOUND, "frozen_until": NOW + timedelta(seconds=1)}
    assert open_way(AUTO, Standing(**frozen))[0] is None
    assert open_way(AUTO, Standing(**{**frozen, "now": NOW + timedelta(seconds=1)}))[0] == "policy"


@given(
    production=st.sampled_from(["auto", "approval"]),
    verdict=st.sampled_from(get_args(VerdictName)),
    risk=st.sampled_from(["low", "medium", "high"]),
    is_first=st.booleans(),
    was_live=st.booleans(),
    retracted=st.integers(0, 2),
    frozen=st.sampled_from([None, NOW - timedelta(1), NOW, NOW + timedelta(1)]),
    pulled=st.sampled_from([None, "it erred"]),
    is_approved=st.booleans(),
)
def test_the_way_follows_from_what_is_known(
    production: Any,
    verdict: Any,
    risk: Any,
    is_first: bool,
    was_live: bool,
    retracted: int,
    frozen: Any,
    pulled: Any,
    is_approved: bool,
) -> None:
    standing = Standing(verdict, risk, is_first, was_live, retracted, frozen, pulled, is_approved, NOW)
    way, reasons = open_way(Release(production=production), standing)
    free = (
        production == "auto" and verdict == "PASS" and risk == "low" and not is_first and not was_live
        and not retracted and pulled is None and (frozen is None or frozen <= NOW)
    )  # fmt: skip
    assert way == ("approval" if is_approved else "policy" if free else None)
    assert bool(reasons) == (not free)
