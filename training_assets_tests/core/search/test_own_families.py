"""Searches of estimators of the user's own, with and without a space, alone and beside other families."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from training_assets.core.families import FAMILIES, Family, named
from training_assets.core.search import Tuned, search
from training_assets.core.search.memory import Folder
from training_assets.core.search.sampling import proposals
from training_assets.core.search.scores import metric
from training_assets.spec import Search
from training_assets_tests.core.families.fits import splits, usual
from training_assets_tests.core.search.made_trials import trial

SOURCE = """
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier


def plain():
    return LogisticRegression()


def few():
    return LogisticRegression(max_iter=51)


def few_space(trial):
    return {"max_iter": trial.suggest_int("max_iter", 51, 53)}


def tree():
    return DecisionTreeClassifier()


def tree_space(trial):
    return {"max_depth": trial.suggest_int("max_depth", 2, 12)}


def gradient():
    return SGDClassifier(loss="log_loss", learning_rate="optimal", random_state=0)


def gradient_space(trial):
    return {"alpha": trial.suggest_float("alpha", 1e-5, 1e-1, log=True)}


def piped():
    return make_pipeline(LogisticRegression(C=100.0, max_iter=50))


def piped_space(trial):
    return {"logisticregression__C": trial.suggest_float("C", 1e-3, 1e3, log=True)}
"""
NUMBERS = itertools.count()


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A module of a name of its own below the root, since what was imported once stays."""
    name = f"own_families_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    return name


def run(root: Path, names: list[str], memory: Folder | None = None, **settings: Any) -> Tuned:
    families: dict[str, Family] = {name: FAMILIES.get(name) or named(name, root) for name in names}
    chosen = {"trials": 20, "max_iterations": 10, "patience": 5, "parallel": 1, "budget_seconds": 300, **settings}
    train, validation, _ = splits("binary")
    return search(
        train,
        validation,
        Search(families=names, **chosen),
        usual("binary"),
        metric(None, "binary"),
        families=families,
        cores=2,
        memory=memory,
        say=lambda _: None,
    )


def tried(tuned: Tuned, family: str) -> list[Any]:
    return [trial.params["max_iter"] for trial in tuned.study.trials if trial.family == family]


def test_a_learning_rate_may_be_a_word(tmp_path: Path, module: str) -> None:
    tuned = run(tmp_path, [f"{module}:gradient"], trials=7)  # enough for some to be held against earlier ones
    assert [trial.state for trial in tuned.study.trials] == 7 * ["complete"], tuned.study.trials[0].reason


# A space that comes to an end


@pytest.mark.parametrize("parallel", [1, 2])
def test_an_estimator_without_a_space_is_tried_once(tmp_path: Path, module: str, parallel: int) -> None:
    name = f"{module}:plain"
    assert tried(run(tmp_path, [name], parallel=parallel), name) == [100]


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_space_of_few_points_is_searched_whole_and_no_more(tmp_path: Path, module: str, parallel: int) -> None:
    name = f"{module}:few"
    found = tried(run(tmp_path, [name], parallel=parallel), name)
    assert found[0] == 51
    assert sorted(found) == [51, 52, 53]


def test_other_families_are_searched_on_after_one_has_nothing_left(tmp_path: Path, module: str) -> None:
    names = [f"{module}:plain", f"{module}:few", "linear"]
    tuned = run(tmp_path, names)
    assert len(tuned.study.trials) == 20
    assert len(tried(tuned, names[0])) == 1
    assert len(tried(tuned, names[1])) <= 3
    assert [trial.origin for trial in tuned.study.trials if trial.family == "linear"].count("sampler") >= 10


# What Optuna is told


@pytest.mark.parametrize("factory", ["tree", "piped"])
def test_optuna_is_told_what_it_drew_and_nothing_else(tmp_path: Path, module: str, factory: str) -> None:
    """The tree's own depth is None, which no space of integers has; the pipeline's space gives C another name."""
    name, facts = f"{module}:{factory}", splits("binary")[0].facts
    own = named(name, tmp_path)
    source = proposals(Search(families=[name]), {name: own}, facts, "higher", [(name, own.default_params())])
    scores = {}
    for number in range(12):
        proposal = source.ask()
        assert proposal is not None
        said = trial(family=name, params=proposal.params, score=number / 12)
        source.tell(proposal, said)
        if proposal.ticket is not None:
            drawn = proposal.params["max_depth" if factory == "tree" else "logisticregression__C"]
            scores[proposal.ticket.number] = (drawn, said.score)
            told = {each.number: (*each.params.values(), each.value) for each in proposal.ticket.study.trials}
    assert len(told) >= 10
    assert told == scores


def test_a_resumed_search_goes_on_as_if_it_had_not_ended(tmp_path: Path, module: str) -> None:
    """However many trials there were: what it draws again is not taken for the end of a space."""
    name = f"{module}:piped"
    run(tmp_path, [name], Folder(tmp_path / "kept"), trials=26)
    resumed, whole = run(tmp_path, [name], Folder(tmp_path / "kept"), trials=30), run(tmp_path, [name], trials=30)
    assert [trial.params for trial in resumed.study.trials] == [trial.params for trial in whole.study.trials]
