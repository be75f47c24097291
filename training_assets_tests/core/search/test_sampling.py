from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Facts
from training_assets.core.search.sampling import Proposal, Proposals, proposals
from training_assets.core.search.study import State, Trial
from training_assets.spec import Search

FACTS = Facts(rows=1000, quantities=5, categories=2)
SOME = ["linear", "hist_gradient_boosting", "catboost"]


def of(families: list[str] | None = None, direction: Any = "higher", warm: Any = (), **settings: Any) -> Proposals:
    chosen = {name: FAMILIES[name] for name in families or SOME}
    return proposals(Search(families=families or SOME, **settings), chosen, FACTS, direction, warm)


def tell(
    source: Proposals, proposal: Proposal, score: float | None, state: State = "complete", best: int = 100
) -> None:
    """That its trial made a hundred iterations, the best of which gave the score."""
    family, params, origin = proposal.family, proposal.params, proposal.origin
    source.tell(proposal, Trial(0, family, params, origin, score, state, 1.0, 0.0, best, 100))


def asked(source: Proposals, count: int) -> list[Proposal]:
    """Proposals, each with the results of all before it."""
    found: list[Proposal] = []
    for number in range(count):
        proposal = source.ask()
        assert proposal is not None
        tell(source, proposal, 1 / (2 + number))
        found.append(proposal)
    return found


def drawn(source: Proposals, count: int) -> list[Proposal]:
    """The first draws, after what is known to be good."""
    found: list[Proposal] = []
    while len(found) < count:
        found += [proposal for proposal in asked(source, 1) if proposal.origin == "sampler"]
    return found


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_each_kind_of_model_has_its_best_setting_tried_before_more_of_the_same(sampler: str) -> None:
    settings = {name: FAMILIES[name].portfolio(FACTS) for name in SOME}
    known = [proposal for proposal in asked(of(sampler=sampler), 40) if proposal.origin == "portfolio"]
    assert [proposal.family for proposal in known[:2]] == ["linear", "catboost"]  # trees of another make come later
    assert [proposal.params for proposal in known[:2]] == [settings["linear"][0], settings["catboost"][0]]
    assert {proposal.identity for proposal in known} == {
        Proposal(name, params, "portfolio").identity for name, each in settings.items() for params in each
    }


def test_after_the_first_turns_the_best_family_goes_on_with_its_other_settings() -> None:
    source = of()
    scores = {"linear": 0.5, "hist_gradient_boosting": 0.6, "catboost": 0.7}
    found = []
    for _ in range(4):
        proposal = source.ask()
        assert proposal is not None
        found.append((proposal.family, proposal.origin))
        tell(source, proposal, scores[proposal.family])
    assert found[2] == ("catboost", "portfolio")


def cut_off(scores: dict[str, float], best: int = 100) -> Proposals:
    """Proposals after the first turns, each of which the clock ended."""
    source = of()
    for _ in range(2):
        proposal = source.ask()
        assert proposal is not None
        tell(source, proposal, scores[proposal.family], "stopped", best)
    return source


def test_what_the_clock_cut_off_is_tried_for_longer_once_where_it_was_best() -> None:
    source = cut_off({"linear": 0.5, "catboost": 0.7})
    again = source.ask()
    assert again is not None
    assert (again.family, again.origin) == ("catboost", "longer")
    assert again.params == FAMILIES["catboost"].portfolio(FACTS)[0]
    assert again.identity != Proposal("catboost", again.params, "portfolio").identity
    tell(source, again, 0.75, "stopped")
    assert "longer" not in {proposal.origin for proposal in asked(source, 20)}


def test_what_gained_no_more_when_the_clock_cut_it_off_is_left() -> None:
    source = cut_off({"linear": 0.5, "catboost": 0.7}, best=80)
    assert "longer" not in {proposal.origin for proposal in asked(source, 20)}


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("rows", [100, 10_000, 1_000_000])
@pytest.mark.parametrize("categories", [0, 3])
@pytest.mark.parametrize("outputs", [1, 26])
def test_every_portfolio_lies_in_the_space_that_its_family_is_searched_in(
    family: str, rows: int, categories: int, outputs: int
) -> None:
    """So that Optuna learns from it: what is told of a point outside would be refused with a warning."""
    facts = Facts(rows=rows, quantities=5, categories=categories, outputs=outputs)
    known = FAMILIES[family].portfolio(facts)
    assert known
    for place, params in enumerate(known):
        source = proposals(Search(families=[family]), {family: FAMILIES[family]}, facts, "higher")
        for _ in range(place + 1):
            proposal = source.ask()
            assert proposal is not None
        assert proposal.params == params
        tell(source, proposal, 0.5)


def test_what_was_best_last_time_comes_early_and_strangers_are_left_out() -> None:
    best = {**FAMILIES["linear"].default_params(), "l2": 7.25}
    warm = [("linear", best), ("linear", {"no_such": 1}), ("gone:family", {})]
    found = asked(of(warm=warm), 8)
    assert [proposal.params for proposal in found if proposal.origin == "warm start"] == [best]
    assert found[1].origin == "warm start"


def test_what_was_best_of_a_grid_may_lie_outside_the_space() -> None:
    best = {**FAMILIES["mlp"].default_params(), "batch_size": 512}
    found = asked(of(["mlp"], warm=[("mlp", best)]), 12)
    assert found[1].params == best
    assert found[-1].origin == "sampler"


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_same_seed_and_results_give_the_same_proposals(sampler: str) -> None:
    first, again, other = (asked(of(sampler=sampler, seed=seed), 25) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_better_families_are_drawn_more_often_and_none_never() -> None:
    source = of()
    counts = dict.fromkeys(SOME, 0)
    for _ in range(80):
        proposal = source.ask()
        assert proposal is not None
        counts[proposal.family] += proposal.origin == "sampler"
        tell(source, proposal, {"linear": 0.5, "hist_gradient_boosting": 0.9, "catboost": 0.7}[proposal.family])
    assert counts["hist_gradient_boosting"] > counts["catboost"] > counts["linear"] > 0


def test_a_family_that_only_fails_is_drawn_no_more() -> None:
    source = of()
    late = []
    for number in range(40):
        proposal = source.ask()
        assert proposal is not None
        late += [proposal.family] if number >= 15 else []
        tell(source, proposal, None if proposal.family == "catboost" else 0.5)
    assert "catboost" not in late


def test_where_every_family_fails_there_is_an_end() -> None:
    source = of()
    number = 0
    while (proposal := source.ask()) is not None:
        tell(source, proposal, None)
        number += 1
    assert number == len(SOME)


def test_results_may_come_in_any_order() -> None:
    source = of()
    waiting = [source.ask() for _ in range(20)]
    for number, proposal in enumerate(reversed(waiting)):
        assert proposal is not None
        tell(source, proposal, float(number))
    assert source.ask() is not None


def test_a_lower_score_may_be_the_better_one() -> None:
    """Told that small penalties score low, TPE stays near them where low is good, and leaves them where it is not."""
    means = {}
    for direction in ("lower", "higher"):
        source = of(["linear"], direction)
        found = []
        for _ in range(40):
            proposal = source.ask()
            assert proposal is not None
            tell(source, proposal, float(proposal.params["l2"]))
            found.append(float(proposal.params["l2"]))
        means[direction] = sum(found[20:]) / 20
    assert means["lower"] < means["higher"] / 5


# Grids

GRID = {"linear": {"l2": [0.1, 1.0, 10.0]}, "catboost": {"depth": [4, 6], "learning_rate": [0.1]}}


def points(source: Proposals) -> list[Proposal]:
    found = []
    while (proposal := source.ask()) is not None:
        found.append(proposal)
    return found


def test_a_grid_is_every_combination_with_families_taking_turns() -> None:
    found = points(of(["linear", "catboost"], sampler="grid", grid=GRID))
    assert [point.family for point in found] == ["linear", "catboost", "linear", "catboost", "linear"]
    assert [point.params["l2"] for point in found if point.family == "linear"] == [0.1, 1.0, 10.0]
    assert [point.params["depth"] for point in found if point.family == "catboost"] == [4, 6]


def test_what_a_grid_does_not_name_stays_at_its_default() -> None:
    found = points(of(["linear", "catboost"], sampler="grid", grid=GRID))
    assert found[1].params == {**FAMILIES["catboost"].default_params(), "depth": 4, "learning_rate": 0.1}


def test_an_empty_grid_of_a_family_is_its_default() -> None:
    found = points(of(["linear"], sampler="grid", grid={"linear": {}}))
    assert [point.params for point in found] == [FAMILIES["linear"].default_params()]


@pytest.mark.parametrize(
    ("values", "message"),
    [({"C": [1.0]}, "E_GRID: search.grid.linear names 'C'.*l2"), ({"l2": []}, "E_GRID: .*no value for 'l2'")],
)
def test_a_grid_that_cannot_be_is_refused(values: dict[str, list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        of(["linear"], sampler="grid", grid={"linear": values})


def test_a_grid_without_a_family_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValidationError, match="grid names no family"):
        Search(sampler="grid", grid={})
