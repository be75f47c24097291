from __future__ import annotations

import json

from training_assets.core.fingerprint import canonical
from training_assets.core.search import Study, Trial

STUDY = Study(
    metric="roc_auc",
    direction="higher",
    trials=[
        Trial(0, "linear", {"l2": 1.0}, 0.81, "complete", 0.2, None),
        Trial(1, "catboost", {"depth": 6}, None, "failed", 0.1, None, "CatBoostError: constant"),
        Trial(2, "hist_gradient_boosting", {"categories": "native"}, 0.84, "stopped", 3.5, 17),
    ],
    best=2,
    seconds=4.0,
)


def test_json_brings_it_back_whole() -> None:
    assert Study.from_json(json.loads(canonical(STUDY.to_json()))) == STUDY


def test_a_trial_is_plain_json() -> None:
    assert STUDY.trials[1].to_json() == {
        "number": 1,
        "family": "catboost",
        "params": {"depth": 6},
        "score": None,
        "state": "failed",
        "seconds": 0.1,
        "best_iteration": None,
        "reason": "CatBoostError: constant",
    }


def test_the_best_trial_is_found_by_number() -> None:
    assert STUDY.best_trial.family == "hist_gradient_boosting"
