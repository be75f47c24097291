"""Who proposes the next trial: Optuna's samplers after each family's default, or a grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Facts
from training_assets.spec.search import Family, Search

# Trials before TPE reads any result; Optuna waits for 10, which is half of a search of 20.
STARTUP = 8


@dataclass(frozen=True)
class Proposal:
    """What a trial should try."""

    family: str
    params: dict[str, Any]


class Proposals(Protocol):
    """A sequence of proposals, each a function of the seed and of the results told before it was asked for."""

    @property
    def total(self) -> int | None:
        """How many proposals there are; None for no end."""

    @property
    def blind(self) -> int | None:
        """How many of the first proposals read no result, so that none need be waited for; None for all."""

    def ask(self) -> Proposal:
        """Give the next proposal."""

    def tell(self, number: int, score: float | None) -> None:
        """Take the result of that proposal; None where its trial failed. Called in order, each number once."""


def proposals(spec: Search, facts: Facts, direction: Literal["higher", "lower"]) -> Proposals:
    """Give the spec's sampler; `InputError` E_GRID for a grid of parameters that a family does not have."""
    return _Grid(spec.grid) if spec.grid is not None else _Sampled(spec, facts, direction)


class _Sampled:
    """The default of each family, cheapest first, then Optuna's TPE or random draws over all families at once."""

    total = None

    def __init__(self, spec: Search, facts: Facts, direction: Literal["higher", "lower"]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)  # else a line a trial, beside the progress of the search
        random = spec.sampler == "random"
        self.blind = None if random else max(STARTUP, len(spec.families))
        sampler: optuna.samplers.BaseSampler = (
            optuna.samplers.RandomSampler(seed=spec.seed)
            if random
            else optuna.samplers.TPESampler(seed=spec.seed, n_startup_trials=self.blind or STARTUP)
        )
        storage = optuna.storages.InMemoryStorage()
        self._study = optuna.create_study(
            storage=storage, sampler=sampler, direction="maximize" if direction == "higher" else "minimize"
        )
        self._families = [name for name in FAMILIES if name in spec.families]
        self._facts = facts
        self._asked: list[optuna.trial.Trial] = []
        for name in self._families:
            defaults = {f"{name}.{key}": value for key, value in FAMILIES[name].default_params().items()}
            self._study.enqueue_trial({"family": name, **defaults})

    def ask(self) -> Proposal:
        trial = self._study.ask()
        self._asked.append(trial)
        family = str(trial.suggest_categorical("family", self._families))
        return Proposal(family, FAMILIES[family].suggest(trial, self._facts))

    def tell(self, number: int, score: float | None) -> None:
        from optuna.trial import TrialState

        self._study.tell(self._asked[number], score, state=TrialState.FAIL if score is None else TrialState.COMPLETE)


class _Grid:
    """Every combination that the spec lists, the families taking turns; what it does not name stays at its default."""

    blind = None

    def __init__(self, grid: Mapping[Family, Mapping[str, list[Any]]]) -> None:
        points = [list(_combinations(family, values)) for family, values in grid.items()]
        turns = itertools.chain.from_iterable(itertools.zip_longest(*points))
        self._points = [point for point in turns if point is not None]
        self._next = iter(self._points)
        self.total = len(self._points)

    def ask(self) -> Proposal:
        return next(self._next)

    def tell(self, number: int, score: float | None) -> None:
        """Results do not matter."""


def _combinations(family: str, values: Mapping[str, list[Any]]) -> Iterator[Proposal]:
    defaults = FAMILIES[family].default_params()
    unknown = [name for name in values if name not in defaults]
    empty = [name for name, choices in values.items() if not choices]
    if unknown or empty:
        what = f"names '{unknown[0][:40]}', which it does not have" if unknown else f"lists no value for '{empty[0]}'"
        message = f"search.grid.{family} {what}; its parameters are {', '.join(defaults)}"
        raise InputError(code="E_GRID", message=message)
    for chosen in itertools.product(*values.values()):
        yield Proposal(family, {**defaults, **dict(zip(values, chosen, strict=True))})
