from __future__ import annotations

import json

from training_assets.core.fingerprint import canonical
from training_assets.core.search import Member, Study
from training_assets_tests.core.search.made_trials import trial

STUDY = Study(
    metric="roc_auc",
    direction="higher",
    trials=[
        trial(0, score=0.81),
        trial(1, family="catboost", score=None, state="failed", curve=[], reason="CatBoostError: constant"),
        trial(2, family="lightgbm", score=0.84, state="stopped", best_iteration=17, iterations=40),
    ],
    best=2,
    members=[Member(0, 0.25, None, 1.0, refitted=True), Member(2, 0.75, 19, 4.0, refitted=True)],
    score=0.85,
    seconds=4.0,
    budget_seconds=60.0,
)


def test_json_brings_it_back_whole() -> None:
    assert Study.from_json(json.loads(canonical(STUDY.to_json()))) == STUDY


def test_the_best_trial_is_found_by_number() -> None:
    assert STUDY.best_trial.family == "lightgbm"
