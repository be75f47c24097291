"""Who proposes the next trial: what was best last time, each family's strong settings, then Optuna or a grid.

Where the best family's best trial was cut off by the clock while it still gained, it is proposed once more, for longer.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.core.families import Facts, Family
from training_assets.core.search.study import Origin, Trial
from training_assets.spec.search import Search

# Much like lightgbm and extra_trees: they have no turn before the others, and begin at the lowest rank.
ALIKE = ("hist_gradient_boosting", "random_forest")

# Trials of a family before TPE reads results; Optuna waits for 10, which is all that a family gets in a short search.
STARTUP = 5

# Draws in a row that a family had before: then it has none left, as one without a space, or with a space of few points.
REPEATS = 20


@dataclass(frozen=True)
class Proposal:
    """What a trial should try."""

    family: str
    params: dict[str, Any]
    origin: Origin
    ticket: Any = field(default=None, compare=False, repr=False)  # Optuna's own trial, for those that it drew

    @property
    def identity(self) -> str:
        """Sha256 over what decides the fit: equal proposals need not be tried twice."""
        return fingerprint.digest([self.family, self.params, self.is_longer])

    @property
    def is_longer(self) -> bool:
        """Whether its fit may take longer than others."""
        return self.origin == "longer"


class Proposals(Protocol):
    """A sequence of proposals, each a function of the seed and of the results told before it was asked for."""

    def ask(self) -> Proposal | None:
        """Give the next proposal; None where there is no more."""

    def tell(self, proposal: Proposal, trial: Trial) -> None:
        """Take the result of a proposal, in whatever order they come."""


def proposals(
    spec: Search,
    families: Mapping[str, Family],
    facts: Facts,
    direction: Literal["higher", "lower"],
    warm: Sequence[tuple[str, dict[str, Any]]] = (),
) -> Proposals:
    """Give the spec's sampler; `InputError` E_GRID for a grid of parameters that a family does not have.

    `warm` are families and parameters that were best in an earlier study; what a family does not know is left out.
    """
    if spec.grid is not None:
        return _Grid(spec.grid, families)
    return _Sampled(spec, families, facts, direction, warm)


class _Sampled:
    """One turn for each kind of model; then most of the trials for the families that do best.

    The family of rank r gets a share of 2^-r of the trials: its other strong settings first, then draws of an Optuna
    study of its own, so that TPE models its parameters together. A family that draws nothing new has no more turns.
    """

    def __init__(
        self,
        spec: Search,
        families: Mapping[str, Family],
        facts: Facts,
        direction: Literal["higher", "lower"],
        warm: Sequence[tuple[str, dict[str, Any]]],
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)  # else a line a trial, beside the progress of the search
        self._families, self._facts = families, facts
        self._sign = -1 if direction == "higher" else 1
        self._studies: dict[str, Any] = {}
        for place, name in enumerate(families):
            seed = int(np.random.default_rng([spec.seed, place]).integers(2**31))
            sampler: optuna.samplers.BaseSampler = (
                optuna.samplers.RandomSampler(seed=seed)
                if spec.sampler == "random"
                else optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
            )
            way: Literal["maximize", "minimize"] = "maximize" if direction == "higher" else "minimize"
            self._studies[name] = optuna.create_study(
                storage=optuna.storages.InMemoryStorage(), sampler=sampler, direction=way
            )
        self._known = {
            name: deque(Proposal(name, params, "portfolio") for params in family.portfolio(facts))
            for name, family in families.items()
        }
        self._first = deque(_first_turns(self._known, warm))
        self._asked = dict.fromkeys(families, 0)
        self._given: set[str] = set()
        self._repeats = dict.fromkeys(families, 0)
        self._best: dict[str, float] = {}
        self._cut_off: dict[str, Proposal] = {}  # a family's best trial, where it was still gaining
        self._failed: set[str] = set()

    def ask(self) -> Proposal | None:
        if self._first:
            proposal = self._first.popleft()
        else:
            able = [name for name in self._families if name not in self._failed or name in self._best]
            left = [name for name in able if self._repeats[name] < REPEATS]
            if not left:
                return None
            # Of families without a result yet those that are like no other stand first.
            ranked = sorted(left, key=lambda name: (self._best.get(name, np.inf), name in ALIKE))
            share = {name: 0.5**rank for rank, name in enumerate(ranked)}
            family = max(ranked, key=lambda name: share[name] / (self._asked[name] + 1))
            cut_off = self._cut_off.pop(family, None) if family == ranked[0] else None
            proposal = self._next(family) if cut_off is None else replace(cut_off, origin="longer", ticket=None)
        self._asked[proposal.family] += 1
        is_new = proposal.identity not in self._given
        self._repeats[proposal.family] = 0 if is_new else self._repeats[proposal.family] + 1
        self._given.add(proposal.identity)
        return proposal

    def _next(self, family: str) -> Proposal:
        if self._known[family]:
            return self._known[family].popleft()
        ticket = self._studies[family].ask()
        return Proposal(family, self._families[family].suggest(ticket, self._facts), "sampler", ticket)

    def tell(self, proposal: Proposal, trial: Trial) -> None:
        from optuna.trial import TrialState

        score = trial.score
        study, ticket = self._studies[proposal.family], proposal.ticket
        if ticket is None:
            ticket = self._replayed(proposal)
        if ticket is not None:
            study.tell(ticket, score, state=TrialState.FAIL if score is None else TrialState.COMPLETE)
        if score is None:
            self._failed.add(proposal.family)
        elif self._sign * score < self._best.get(proposal.family, np.inf):
            self._best[proposal.family] = self._sign * score
            self._cut_off.pop(proposal.family, None)
            if trial.was_still_gaining and not proposal.is_longer:
                self._cut_off[proposal.family] = proposal

    def _replayed(self, proposal: Proposal) -> Any | None:
        """Optuna's trial of what it did not draw; None where its space has no such point.

        A space of the user's own names what it draws as it likes, so that parameters do not tell what was drawn. After
        a search is resumed, what it drew before is drawn again, and told then.
        """
        from optuna.trial import TrialState

        if ":" in proposal.family:
            return None
        study = self._studies[proposal.family]
        study.enqueue_trial({f"{proposal.family}.{name}": value for name, value in proposal.params.items()})
        ticket = study.ask()
        try:
            self._families[proposal.family].suggest(ticket, self._facts)
        except ValueError:  # a category of a grid, or of another version, that was best before
            study.tell(ticket, state=TrialState.FAIL)
            return None
        return ticket


def _first_turns(
    known: Mapping[str, deque[Proposal]], warm: Sequence[tuple[str, dict[str, Any]]]
) -> Iterator[Proposal]:
    """The best setting of each kind of model, taken from `known`, and after the first of them what was best before."""
    kinds = [name for name in known if name not in ALIKE] or list(known)
    best = [
        Proposal(name, dict(params), "warm start")
        for name, params in warm
        if name in known and set(params) <= set(known[name][0].params)
    ]
    yield known[kinds[0]].popleft()
    yield from best
    for name in kinds[1:]:
        yield known[name].popleft()


class _Grid:
    """Every combination that the spec lists, the families taking turns; what it does not name stays at its default."""

    def __init__(self, grid: Mapping[str, Mapping[str, list[Any]]], families: Mapping[str, Family]) -> None:
        points = [list(_combinations(name, families[name], values)) for name, values in grid.items()]
        turns = itertools.chain.from_iterable(itertools.zip_longest(*points))
        self._next = iter([point for point in turns if point is not None])

    def ask(self) -> Proposal | None:
        return next(self._next, None)

    def tell(self, proposal: Proposal, trial: Trial) -> None:
        """Results do not matter."""


def _combinations(name: str, family: Family, values: Mapping[str, list[Any]]) -> Iterator[Proposal]:
    defaults = family.default_params()
    unknown = [key for key in values if key not in defaults]
    empty = [key for key, choices in values.items() if not choices]
    if unknown or empty:
        what = f"names '{unknown[0][:40]}', which it does not have" if unknown else f"lists no value for '{empty[0]}'"
        message = f"search.grid.{name} {what}; its parameters are {', '.join(defaults)}"
        raise InputError(code="E_GRID", message=message)
    for chosen in itertools.product(*values.values()):
        yield Proposal(name, {**defaults, **dict(zip(values, chosen, strict=True))}, "grid")
