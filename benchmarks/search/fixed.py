"""The same trials two ways: `search` with a grid, and a loop of a thread pool as one would write it by hand."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.search.meter import Meter, Spent
from benchmarks.search.rows import Encoded, flights
from training_assets.core.families import FAMILIES, Data, Family, Learning
from training_assets.core.search import search
from training_assets.core.search.memory import Folder, Memory, NoMemory
from training_assets.core.search.scores import metric
from training_assets.core.search.study import Trial
from training_assets.spec.search import Search

GRID: dict[str, dict[str, list[Any]]] = {
    "lightgbm": {"num_leaves": [15, 31, 63], "categories": ["native", "ranked"], "learning_rate": [0.1]},
    "hist_gradient_boosting": {"max_leaf_nodes": [15, 31], "categories": ["native", "ranked"]},
    "catboost": {"depth": [4, 6]},
}
TRIALS = 12
PATIENCE = 100
LEARNING = Learning("log_loss")
FOREVER = 1e9  # seconds: no trial is cut short, so that both ways do the same work
SEED = 0


class Noting:
    """A memory that notes what was spent by the end of each trial."""

    def __init__(self, memory: Memory, meter: Meter) -> None:
        """Keep trials in `memory`."""
        self._memory, self._meter = memory, meter
        self.marks: list[Spent] = []

    def finished(self) -> list[tuple[Trial, Any]]:
        """What the memory has."""
        return self._memory.finished()

    def keep(self, trial: Trial, predictions: Any) -> None:
        """Keep it, and note."""
        self._memory.keep(trial, predictions)
        self.marks.append(self._meter.spent())


def by_search(encoded: Encoded, iterations: int, parallel: int, cores: int, folder: Path | None) -> dict[str, Any]:
    """What `search` spent, its parts, and the members of its final model."""
    train, validation = encoded.data()
    spec = Search(
        sampler="grid", grid=GRID, parallel=parallel, budget_seconds=FOREVER, trials=TRIALS,
        max_iterations=iterations, patience=PATIENCE, seed=SEED,
    )  # fmt: skip
    meter = Meter()
    memory = Noting(NoMemory() if folder is None else Folder(folder), meter)
    tuned = search(
        train, validation, spec, LEARNING, metric(None, "binary", LEARNING, Path()),
        families=families(), cores=cores, memory=memory, say=print,
    )  # fmt: skip
    whole, study = meter.spent(), tuned.study
    members = [[study.trials[each.trial].family, study.trials[each.trial].params, each.iterations]
               for each in study.members if each.refitted]  # fmt: skip
    return {
        "trials": len(study.trials),
        "new": len(memory.marks),
        "scores": {_identity(each.family, each.params): each.score for each in study.trials},
        # Until one trial of those side by side is the last: from then on a core has nothing to do, whoever writes it.
        "full": memory.marks[-parallel].to_json(),
        "searched": memory.marks[-1].to_json(),
        "whole": whole.to_json(),
        "members": members,
    }


def by_hand(encoded: Encoded, iterations: int, parallel: int, members: list[Any]) -> dict[str, Any]:
    """What a loop over the same fits spent, with the same final fits."""
    train, validation = encoded.data()
    score = metric(None, "binary", LEARNING, Path()).score
    meter = Meter()

    def fit(family: str, params: dict[str, Any], rows: Data, watched: Data | None, most: int) -> Any:
        return FAMILIES[family].fit(
            params, rows, watched, learning=LEARNING, threads=1, seed=SEED,
            max_iterations=most, patience=PATIENCE, stop=lambda _made, _loss: False,
        )  # fmt: skip

    def trial(point: tuple[str, dict[str, Any]]) -> tuple[str, float]:
        predictions = fit(*point, train, validation, iterations).predict(validation)
        return _identity(*point), score(validation.labels, predictions)

    with ThreadPoolExecutor(parallel) as pool:
        scores = dict(pool.map(trial, points()))
        searched = meter.spent()
        rows = train.and_also(validation)
        list(pool.map(lambda member: fit(member[0], member[1], rows, None, member[2]), members))
    return {"trials": len(scores), "scores": scores, "searched": searched.to_json(), "whole": meter.spent().to_json()}


def points() -> Iterator[tuple[str, dict[str, Any]]]:
    """Family and parameters of each trial, the families taking turns."""
    of_family = [
        [
            (name, {**FAMILIES[name].default_params(), **dict(zip(values, chosen, strict=True))})
            for chosen in itertools.product(*values.values())
        ]
        for name, values in GRID.items()
    ]
    for turn in itertools.zip_longest(*of_family):
        yield from (point for point in turn if point is not None)


def families() -> dict[str, Family]:
    """Those of the grid."""
    return {name: FAMILIES[name] for name in GRID}


def load_libraries(rows: Encoded, wanted: dict[str, Family]) -> None:
    """Fit each family once on a few rows, so that its library is in memory before anything is measured."""
    few = Encoded({name: frame.head(300) for name, frame in rows.frames.items()}, rows.layout)
    train, validation = few.data()
    for family in wanted.values():
        model = family.fit(
            family.default_params(), train, validation, learning=LEARNING, threads=1, seed=SEED,
            max_iterations=1, patience=1, stop=lambda _made, _loss: False,
        )  # fmt: skip
        model.predict(validation)


def _identity(family: str, params: dict[str, Any]) -> str:
    return json.dumps([family, params], sort_keys=True)


def main() -> None:
    """Do it one way, and print what was spent as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=["search", "hand"])
    parser.add_argument("--rows", type=int)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory", type=Path)
    parser.add_argument("--members", type=json.loads, default=[])
    asked = parser.parse_args()
    encoded = flights(asked.rows)
    load_libraries(encoded, families())
    if asked.way == "hand":
        seen = by_hand(encoded, asked.iterations, asked.parallel, asked.members)
    else:
        seen = by_search(encoded, asked.iterations, asked.parallel, asked.cores, asked.memory)
    rows = sum(frame.height for frame in encoded.frames.values())
    print(json.dumps({**seen, "encoded": encoded.bytes, "rows": rows}))


if __name__ == "__main__":
    main()
