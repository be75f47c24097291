"""A whole default search on made rows, and what memory it took beyond the encoded rows: `--family`, by one alone."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.quality import cpu_clock
from benchmarks.search.fixed import LEARNING, load_libraries
from benchmarks.search.meter import Meter
from benchmarks.search.rows import Encoded, made
from training_assets.core.families import FAMILIES
from training_assets.core.search import search
from training_assets.core.search.scores import metric
from training_assets.spec.search import Search


def searched(encoded: Encoded, seconds: float) -> dict[str, Any]:
    """Bytes at the peak of a search by the default spec, its trials and members.

    Its seconds are those of `cpu_clock`, so that a busy machine makes it no shorter.
    """
    train, validation = encoded.data()
    peaks: list[int] = []
    meter = Meter()

    def say(line: str) -> None:
        peaks.append(meter.spent().peak)
        print(f"{peaks[-1] / 1e6:.0f} MB: {line}", flush=True)

    tuned = search(
        train, validation, Search(budget_seconds=seconds), LEARNING, metric(None, "binary", LEARNING, Path()),
        families=FAMILIES, cores=len(os.sched_getaffinity(0)), clock=cpu_clock.budget_seconds, say=say,
    )  # fmt: skip
    study = tuned.study
    return {
        "spent": meter.spent().to_json(),
        "seconds": seconds,
        "trials": len(study.trials),
        "families": sorted({each.family for each in study.trials if each.score is not None}),
        "members": [study.trials[each.trial].family for each in study.members],
        "score": study.score,
    }


def fitted(encoded: Encoded, family: str) -> dict[str, Any]:
    """Bytes at the peak of one short fit and prediction by that family alone, and bytes that stay afterwards."""
    train, validation = encoded.data()
    meter = Meter()
    model = FAMILIES[family].fit(
        FAMILIES[family].portfolio(train.facts)[0], train, validation, learning=LEARNING, threads=1, seed=0,
        max_iterations=2, patience=2, stop=lambda _made, _loss: False,
    )  # fmt: skip
    model.predict(validation)
    return {"peak": meter.spent().peak, "kept": meter.held()}


def main() -> None:
    """Search, or fit one family once, and print what was seen as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, default=75.0)
    parser.add_argument("--family", choices=list(FAMILIES))
    asked = parser.parse_args()
    encoded = made(asked.rows)
    load_libraries(encoded, FAMILIES)
    seen = searched(encoded, asked.seconds) if asked.family is None else fitted(encoded, asked.family)
    print(json.dumps({**seen, "encoded": encoded.bytes}))


if __name__ == "__main__":
    main()
