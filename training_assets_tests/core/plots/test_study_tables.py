"""Tables of a study."""

from __future__ import annotations

from dataclasses import replace

from training_assets.core.plots.study_tables import MOST_TRIALS, TEXT, study_tables
from training_assets_tests.core.plots.studies import study_of


def test_members_are_listed_by_weight_with_their_own_scores() -> None:
    study = study_of(12)
    lines = study_tables(study)["final_model"]
    assert [(line["trial"], line["family"], line["weight"]) for line in lines] == [
        (11, "linear", 0.545),
        (0, "catboost", 0.273),
        (1, "lightgbm", 0.182),
    ]
    assert lines[0]["roc_auc"] == study.best_trial.score


def test_the_best_trials_are_listed_first_and_not_all() -> None:
    study = study_of(60)
    lines = study_tables(study)["best_trials"]
    scores = [line["roc_auc"] for line in lines]
    assert len(lines) == MOST_TRIALS
    assert scores == sorted(scores, reverse=True)
    assert lines[0]["trial"] == study.best
    parameters = study_tables(study)["best_parameters"]
    assert {line["parameter"]: line["value"] for line in parameters} == study.best_trial.params
    lower = study_tables(replace(study, direction="lower"))["best_trials"]
    assert lower[0]["roc_auc"] < scores[-1]


def test_a_family_says_how_it_fared_and_why_it_failed() -> None:
    lines = study_tables(study_of(40, broken=("lightgbm",)))["families"]
    assert sum(line["trials"] for line in lines) == 40
    last = lines[-1]
    assert (last["family"], last["failed"], last["trials"]) == ("lightgbm", 10, 10)
    assert last["best roc_auc"] is None
    assert last["why it failed"] == "ValueError: two lines of it"
    best = [line["best roc_auc"] for line in lines[:-1]]
    assert best == sorted(best, reverse=True)


def test_columns_are_the_same_in_all_lines_and_texts_are_short() -> None:
    study = study_of(30)
    best = {**study.best_trial.params, "layers": [99] * 99}
    changed = [
        replace(each, params=best, reason=999 * "x") if each.number == study.best else each for each in study.trials
    ]
    study = replace(study, trials=changed)
    for lines in study_tables(study).values():
        assert len({tuple(line) for line in lines}) == 1
        assert all(len(value) <= TEXT for line in lines for value in line.values() if isinstance(value, str))


def test_a_study_without_trials_has_empty_tables() -> None:
    empty = replace(study_of(3), trials=[], members=[])
    assert study_tables(empty) == {"final_model": [], "best_trials": [], "best_parameters": [], "families": []}


def test_without_a_failure_no_column_speaks_of_it() -> None:
    assert "why it failed" not in study_tables(study_of(8))["families"][0]
    assert "why it failed" in study_tables(study_of(9))["families"][0]
