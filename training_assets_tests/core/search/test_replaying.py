from __future__ import annotations

from dataclasses import replace

import pytest

from training_assets.core.families import FAMILIES
from training_assets.core.search.replaying import replay
from training_assets.core.search.study import Member, Study
from training_assets.spec import Search
from training_assets_tests.core.families.fits import splits, usual
from training_assets_tests.core.search.made_trials import trial

WHOLE = Member(trial=0, weight=1.0, iterations=4, seconds=1.0, refitted=True)


@pytest.mark.parametrize(
    ("member", "doubts"),
    [
        (WHOLE, []),
        (replace(WHOLE, refitted=False), ["member 0 (hist_gradient_boosting) stayed as its trial left it"]),
        (replace(WHOLE, reason="time was up"), ["member 0 (hist_gradient_boosting) was cut short: time was up"]),
    ],
)
def test_a_member_that_time_cut_short_may_differ_when_it_is_made_again(member: Member, doubts: list[str]) -> None:
    family = FAMILIES["hist_gradient_boosting"]
    tried = trial(family=family.name, params=family.default_params(), best_iteration=3, iterations=5)
    study = Study("roc_auc", "higher", [tried], 0, [member], 0.9, 1.0, 60.0)
    train, validation, _ = splits("binary")
    families = {family.name: family}
    _, found = replay(study, train, validation, Search(), usual("binary"), families, cores=1, say=lambda _: None)
    assert found == doubts
