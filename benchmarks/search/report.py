"""What was seen, as the text of RESULTS.md."""

from __future__ import annotations

import os
from collections.abc import Mapping

from benchmarks.search.crash import Crashed
from benchmarks.search.meter import Spent
from benchmarks.search.runs import Seen, least_cpu

CORES = 2
NAMES = {"search": "search, 2 at a time", "hand": "by hand, 2 at a time", "one": "search, 1 at a time"}
MOST_TIMES = 3.0
"""Times the encoded data that a search may take of memory."""


def report(
    ways: Mapping[str, list[Seen]], crashed: Crashed, made: list[Seen], alone: Mapping[str, Seen], made_rows: int
) -> str:
    """Tables and ratios, each beside what is wanted of it."""
    encoded, trials = ways["search"][0]["encoded"], ways["search"][0]["trials"]
    rows = ways["search"][0]["rows"]
    best = {way: least_cpu(seen, "searched") for way, seen in ways.items()}
    full = max((Spent(**seen["full"]) for seen in ways["search"]), key=lambda each: each.ready(CORES))
    scores = [seen["scores"] for each in ways.values() for seen in each]
    whole = ratio([least_cpu(ways["search"], "whole"), least_cpu(ways["hand"], "whole")])
    resumed = Spent(**crashed.resumed["whole"])
    largest = max(each["spent"]["peak"] / each["encoded"] for each in made)
    cores_used = f"{full.busy(CORES):.0%} used, {full.ready(CORES):.0%} used or waited for (wanted: at least 90 %)"
    lost = f"{crashed.lost} of them lost or written again (wanted: 0)"
    after_kill = f"{crashed.resumed['new']} made after it, {crashed.resumed['trials']} together"
    uninterrupted = least_cpu(ways["search"], "whole").cpu
    lines = [
        f"# Seen: {trials} trials on {rows:,} flights, {len(ways['search'])} runs each way, {os.cpu_count()} cores",
        "",
        f"{encoded / 1e6:.0f} MB of encoded rows. Of each way the run with the fewest CPU seconds is shown.",
        "",
        "| trials | a minute | wall s | CPU s (all runs) | cores used | used or waited for | peak / encoded |",
        "|---|---|---|---|---|---|---|",
        *(_line(NAMES[way], best[way], ways[way], trials, 1 if way == "one" else CORES) for way in ways),
        "",
        f"trials, CPU seconds, search / by hand: {ratio([best['search'], best['hand']]):.3f} (wanted: at most 1.05)",
        "",
        f"with the blend and the final fits: {whole:.3f}; the same scores every way: {_same(scores)}",
        "",
        f"both cores, until one trial is left: {cores_used}",
        "",
        f"trials a minute, 2 at a time / 1 at a time: {best['one'].wall / best['search'].wall:.2f}",
        "",
        "## Killed in the middle, begun again",
        "",
        f"{crashed.before} trials finished before the kill, {lost}; {after_kill}.",
        "",
        f"CPU seconds of the second search: {resumed.cpu:.1f}, of a whole one: {uninterrupted:.1f}",
        "",
        f"## Memory: {made_rows:,} rows x 30 columns, the default search",
        "",
        f"{made[0]['encoded'] / 1e6:.0f} MB of encoded rows.",
        "",
        "| budget s | trials | families tried, of 7 | final model | peak beyond encoded / encoded |",
        "|---|---|---|---|---|",
        *(_search_line(each) for each in made),
        "",
        f"largest: {largest:.2f} (wanted: below {MOST_TIMES:.0f})",
        "",
        "| one short fit alone | peak / encoded | kept for more fits / encoded |",
        "|---|---|---|",
        *(f"| {name} | {_share(seen, 'peak')} | {_share(seen, 'kept')} |" for name, seen in alone.items()),
        "",
    ]
    return "\n".join(lines)


def _search_line(seen: Seen) -> str:
    times, members = seen["spent"]["peak"] / seen["encoded"], ", ".join(seen["members"])
    return f"| {seen['seconds']:.0f} | {seen['trials']} | {len(seen['families'])} | {members} | {times:.2f} |"


def ratio(pair: list[Spent]) -> float:
    """CPU seconds of the first by those of the second."""
    return pair[0].cpu / pair[1].cpu


def _line(name: str, best: Spent, every: list[Seen], trials: int, cores: int) -> str:
    cpu = ", ".join(f"{seen['searched']['cpu']:.1f}" for seen in every)
    peak = max(seen["whole"]["peak"] for seen in every) / every[0]["encoded"]
    return (
        f"| {name} | {60 * trials / best.wall:.1f} | {best.wall:.1f} | {best.cpu:.1f} ({cpu}) "
        f"| {best.busy(cores):.0%} | {best.ready(cores):.0%} | {peak:.2f} |"
    )


def _same(scores: list[dict[str, float]]) -> str:
    return "yes" if all(each == scores[0] for each in scores[1:]) else "no"


def _share(seen: Seen, what: str) -> str:
    return f"{max(seen[what], 0) / seen['encoded']:.2f}"
