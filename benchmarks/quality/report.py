"""RESULTS.md from the cells that are done: errors, ranks, ratios to the better peer, budgets and memory."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np

from benchmarks.quality.cells import SYSTEMS, TRAINING, Cells
from benchmarks.quality.cpu_clock import CORES
from benchmarks.quality.scores import ERRORS, ranks
from benchmarks.quality.seen import Seen
from training_assets.core.code_identity import code_version

RESULTS = Path(__file__).with_name("RESULTS.md")


def report(cells: Cells) -> None:
    """Print what was seen, and write it."""
    seen = Seen(cells)
    if not seen.lines:
        print("no cell is done; run python -m benchmarks.quality first")
        return
    lines = _head(seen)
    for budget in seen.budgets:
        lines += ["", f"## {budget} seconds of two cores ({budget * CORES:.0f} CPU seconds)", ""]
        lines += [*_ranks(seen, budget), "", *_errors(seen, budget), "", *_means(seen, budget)]
    lines += ["", "## Every cell", "", *_cells(seen), ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def _head(seen: Seen) -> list[str]:
    machines = sorted({line["machine"] for line in seen.lines.values()})
    dates = sorted({line["date"] for line in seen.lines.values()})
    versions: dict[str, dict[str, str]] = {}
    for cell, line in seen.lines.items():
        versions.setdefault(cell.system, {}).update(line["versions"])
    said = [
        f"- {system}: {', '.join(f'{name} {which}' for name, which in versions[system].items())}"
        for system in SYSTEMS
        if versions.get(system)
    ]
    ours = [line for cell, line in seen.lines.items() if cell.system == "ours"]
    earlier = sum(line.get("code") != code_version(TRAINING) for line in ours)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return [
        f"# Seen: {len(seen.lines)} cells, {'; '.join(machines)}, one thread a cell, {when}",
        "",
        *said,
        f"- of our {len(ours)} cells, {earlier} are by earlier code than this",
        "",
        "Errors are 1 - AUC, log loss or RMSE on the test rows: less is better. Ranks and means are over the deals",
        "that every system has run. A ratio is the geometric mean over the deals of our error through that of the peer",
        "that is the better one on the set, by these very test rows; with the middle 95 % of its bootstrap replicates.",
    ]


def _ranks(seen: Seen, budget: int) -> list[str]:
    rows = seen.rows(budget)
    every = [ranks(errors) for errors in rows.values()]
    systems = [system for system in SYSTEMS if every and system in every[0]]
    return [
        f"Mean rank over {len(rows)} deals: "
        + ", ".join(f"{system} {statistics.mean(each[system] for each in every):.2f}" for system in systems)
    ]


def _errors(seen: Seen, budget: int) -> list[str]:
    """A line a set: mean error of each system, and our ratio to the better peer."""
    rows = seen.rows(budget)
    lines = [
        f"| set | error | deals | {' | '.join(SYSTEMS)} | ours / better peer |",
        f"|---|---|---|{'---|' * len(SYSTEMS)}---|",
    ]
    logs = []
    for name in dict.fromkeys(place[0] for place in rows):
        places = [place for place in rows if place[0] == name]
        means = [_mean([rows[place][system] for place in places if system in rows[place]]) for system in SYSTEMS]
        found = seen.ratio(budget, name)
        if found is not None:
            logs.append(np.log(found[1].point))
        told = "" if found is None else f"{found[1].point:.3f} ({found[1].low:.3f} to {found[1].high:.3f}) {found[0]}"
        task = next(line["task"] for cell, line in seen.lines.items() if cell.set == name)
        lines.append(f"| {name} | {ERRORS[task]} | {len(places)} | {' | '.join(means)} | {told} |")
    if logs:
        lines += ["", f"Geometric mean of the ratios over {len(logs)} sets: {np.exp(np.mean(logs)):.3f}"]
    return lines


def _mean(errors: list[float | None]) -> str:
    values = [value for value in errors if value is not None]
    failed = len(errors) - len(values)
    told = [f"{statistics.mean(values):.4g}"] if values else []
    return " ".join([*told, *([f"({failed} failed)"] if failed else [])])


def _means(seen: Seen, budget: int) -> list[str]:
    """A line a system: CPU seconds through the budget's, and memory."""
    lines = [
        "| system | cells | failed | CPU / budget, median | largest | peak MB, median | largest |",
        "|---|---|---|---|---|---|---|",
    ]
    for system in SYSTEMS:
        every = [line for cell, line in seen.lines.items() if (cell.budget, cell.system) == (budget, system)]
        sound = [line for line in every if line["reason"] is None]
        if sound:
            shares = [line["cpu"] / (budget * CORES) for line in sound]
            peaks = [line["peak_mb"] for line in sound]
            lines.append(
                f"| {system} | {len(every)} | {len(every) - len(sound)} "
                f"| {statistics.median(shares):.2f} | {max(shares):.2f} "
                f"| {statistics.median(peaks):,.0f} | {max(peaks):,.0f} |"
            )
    return lines


def _cells(seen: Seen) -> list[str]:
    lines = [
        "| budget, s | set | deal | system | error | CPU s | wall s | peak MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cell, line in seen.lines.items():
        start = f"| {cell.budget} | {cell.set} | {cell.seed} | {cell.system} |"
        if line["reason"] is None:
            spent = f"{line['cpu']:.0f} | {line['wall']:.0f} | {line['peak_mb']:,.0f}"
            lines.append(f"{start} {seen.errors[cell]:.6g} | {spent} |")
        else:
            lines.append(f"{start} failed: {line['reason'].replace('|', '/')} | | | |")
    return lines
