from __future__ import annotations

from typing import Any

import pytest

from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Facts
from training_assets.core.search.sampling import STARTUP, Proposal, Proposals, proposals
from training_assets.spec import Search

FACTS = Facts(rows=1000, quantities=5, categories=2)
EVERY = list(FAMILIES)


def of(**settings: Any) -> Proposals:
    return proposals(Search(**settings), FACTS, "higher")


def asked(source: Proposals, count: int, *, lag: int = 1) -> list[Proposal]:
    """Proposals, each with the results of all but the last `lag - 1` before it."""
    found: list[Proposal] = []
    for number in range(count):
        if number >= lag:
            source.tell(number - lag, score=1 / (2 + number - lag))
        found.append(source.ask())
    return found


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_each_family_starts_with_its_default_cheapest_first(sampler: str) -> None:
    first = asked(of(sampler=sampler, families=["catboost", "linear", "hist_gradient_boosting"]), 3)
    assert [proposal.family for proposal in first] == ["linear", "hist_gradient_boosting", "catboost"]
    assert all(proposal.params == FAMILIES[proposal.family].default_params() for proposal in first)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_same_seed_and_results_give_the_same_proposals(sampler: str) -> None:
    first, again, other = (asked(of(sampler=sampler, seed=seed), 20) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_every_family_is_drawn() -> None:
    assert {proposal.family for proposal in asked(of(sampler="random"), 30)[3:]} == set(EVERY)


def test_a_single_family_is_the_only_one() -> None:
    assert {proposal.family for proposal in asked(of(families=["linear"]), 12)} == {"linear"}


def test_the_first_proposals_read_no_results() -> None:
    """So that they need not wait for any: `blind` says how many."""
    told, untold = of(seed=1), of(seed=1)
    assert told.blind == untold.blind == STARTUP
    assert asked(told, STARTUP) == [untold.ask() for _ in range(STARTUP)]


def test_later_proposals_read_results() -> None:
    rising, falling = of(seed=1), of(seed=1)
    for source, sign in ((rising, 1), (falling, -1)):
        for number in range(STARTUP):
            source.ask()
            source.tell(number, float(sign * number))
    assert [rising.ask() for _ in range(5)] != [falling.ask() for _ in range(5)]


def test_random_proposals_never_read_results() -> None:
    assert of(sampler="random").blind is None
    assert asked(of(sampler="random", seed=1), 15) == [
        proposal for source in [of(sampler="random", seed=1)] for proposal in [source.ask() for _ in range(15)]
    ]


def test_a_failed_trial_is_told_as_such() -> None:
    source = of(seed=1)
    for number in range(STARTUP + 4):
        source.ask()
        source.tell(number, None)
    assert source.ask().family in EVERY


def test_a_lower_score_may_be_the_better_one() -> None:
    """Told that small penalties score low, TPE stays near them where low is good, and leaves them where it is not."""
    means = {}
    for direction in ("lower", "higher"):
        source = proposals(Search(families=["linear"], seed=0), FACTS, direction)
        drawn = []
        for number in range(40):
            l2 = source.ask().params["l2"]
            source.tell(number, float(l2))
            drawn.append(l2)
        means[direction] = sum(drawn[20:]) / 20
    assert means["lower"] < means["higher"] / 5


# Grids

GRID = {"linear": {"l2": [0.1, 1.0, 10.0]}, "catboost": {"depth": [4, 6], "learning_rate": [0.1]}}


def test_a_grid_is_every_combination_with_families_taking_turns() -> None:
    source = of(sampler="grid", families=["linear", "catboost"], grid=GRID)
    assert source.total == 5
    assert source.blind is None
    points = [source.ask() for _ in range(5)]
    assert [point.family for point in points] == ["linear", "catboost", "linear", "catboost", "linear"]
    assert [point.params["l2"] for point in points if point.family == "linear"] == [0.1, 1.0, 10.0]
    assert [point.params["depth"] for point in points if point.family == "catboost"] == [4, 6]


def test_what_a_grid_does_not_name_stays_at_its_default() -> None:
    source = of(sampler="grid", families=["linear", "catboost"], grid=GRID)
    source.ask()
    defaults = FAMILIES["catboost"].default_params()
    assert source.ask().params == {**defaults, "depth": 4, "learning_rate": 0.1}


def test_an_empty_grid_of_a_family_is_its_default() -> None:
    source = of(sampler="grid", families=["linear"], grid={"linear": {}})
    assert source.total == 1
    assert source.ask().params == FAMILIES["linear"].default_params()


@pytest.mark.parametrize(
    ("values", "message"),
    [({"C": [1.0]}, "E_GRID: search.grid.linear names 'C'.*l2"), ({"l2": []}, "E_GRID: .*no value for 'l2'")],
)
def test_a_grid_that_cannot_be_is_refused(values: dict[str, list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        of(sampler="grid", families=["linear"], grid={"linear": values})
