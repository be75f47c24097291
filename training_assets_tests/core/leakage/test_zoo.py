"""Every planted leak is found by its claim, and no clean set is blocked; both counts are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from training_assets_tests.conftest import ROOT
from training_assets_tests.core.leakage.dealing import blocked, dealt
from training_assets_tests.core.leakage.sets import REAL, made, real
from training_assets_tests.core.leakage.zoo import FROM_REAL, MADE, Planted

DATA = ROOT.parent / "shared" / "data"
IN_SHARED = pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data beside the project")
NEEDED = 10


def missed(planted: Planted, data: Path | None) -> str | None:
    """Why a leak counts as not found: another claim found it, or none."""
    said = blocked(planted.findings(data)).get(planted.claim)
    return None if said is not None and planted.says in said else f"{planted.name}: {planted.claim} says {said}"


@pytest.mark.parametrize("data", [None, pytest.param(DATA, marks=[pytest.mark.slow, IN_SHARED])])
def test_all_planted_leaks_are_found_and_no_clean_set_is_blocked(
    data: Path | None, capsys: pytest.CaptureFixture[str]
) -> None:
    zoo = [*MADE, *(FROM_REAL if data else [])]
    escaped = [said for planted in zoo if (said := missed(planted, data))]
    clean = [made("binary"), made("regression"), *([real(name, data) for name in REAL] if data else [])]
    stopped: dict[str, dict[str, str]] = {}
    for each in clean:
        done = dealt(each.raw, each.spec, each.root)
        stops = blocked([*done.about_splits(), *done.about_the_pipeline()])
        stopped |= {each.name: stops} if stops else {}
    with capsys.disabled():
        print(  # noqa: T201 - the counts are what this test is for
            f"\nplanted leaks found: {len(zoo) - len(escaped)} of {len(zoo)}; "
            f"clean sets blocked: {len(stopped)} of {len(clean)} ({len(clean) - 2} of them real)"
        )
    assert escaped == []
    assert stopped == {}
    assert data is None or len(clean) - 2 >= NEEDED
