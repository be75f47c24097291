"""A waiver speaks for its column alone, is shown with its reason, and is named where nothing needs it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.leakage.evidence import Leak
from training_assets.core.leakage.waivers import judged, used_waivers, with_idle
from training_assets.core.validation.findings import Finding

ONE = Leak("copy", ("one",), "'one' alone: copy", 1.0, strong=True)
PAIR = Leak("parts of a sum", ("one", "two"), "one + two is the label", 1.0, strong=True)
WEAK = Leak("near copy", ("near",), "'near' alone: nearly", 0.99, strong=False)


def finding(leaks: list[Leak], **waive: str) -> Finding:
    made = with_idle([judged("claim", leaks, waive, "clean")], leaks, waive)[0]
    assert Finding.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False))) == made
    return made


def test_strong_blocks_weak_warns_clean_passes() -> None:
    assert (finding([ONE, WEAK]).passed, finding([ONE, WEAK]).severity) == (False, "block")
    assert (finding([WEAK]).passed, finding([WEAK]).severity) == (False, "warn")
    assert (finding([]).passed, finding([]).text) == (True, "clean")


def test_a_waived_leak_passes_and_shows_its_reason() -> None:
    made = finding([ONE], one="known a week before")
    assert (made.passed, made.severity) == (True, "block")
    assert "known a week before" in made.text
    assert used_waivers([made]) == [
        {"column": "one", "kind": "copy", "evidence": ONE.text, "reason": "known a week before"}
    ]


def test_a_leak_of_two_columns_needs_a_waiver_of_each() -> None:
    assert not finding([PAIR], one="because").passed
    assert finding([PAIR], one="because", two="as well").passed


def test_an_idle_waiver_is_named() -> None:
    made = finding([WEAK], other="an old reason")
    assert "idle waivers: other" in made.text
    assert made.facts["idle_waivers"] == [{"column": "other", "reason": "an old reason"}]
    assert "idle_waivers" not in finding([WEAK], near="used").facts


@given(st.lists(st.sampled_from([ONE, PAIR, WEAK]), unique=True), st.sets(st.sampled_from(["one", "two", "near", "x"])))
def test_it_passes_just_where_every_leak_is_waived(leaks: list[Any], waived: set[str]) -> None:
    open_leaks = [leak for leak in leaks if not set(leak.columns) <= waived]
    made = finding(leaks, **dict.fromkeys(waived, "reason"))
    assert made.passed == (not open_leaks)
    assert (made.severity == "block") == (not open_leaks or any(leak.strong for leak in open_leaks))
