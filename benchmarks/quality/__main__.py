"""Run what is missing cell by cell, or report what there is."""

from __future__ import annotations

import argparse

from benchmarks.quality import environments
from benchmarks.quality.cells import SYSTEMS, Cells, in_order
from benchmarks.quality.sets import SETS


def main() -> None:
    """Run the cells that are asked for and not done yet; `--report` writes RESULTS.md from all that are done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--setup-peers", action="store_true", help="make the peers' environments, and stop")
    parser.add_argument("--report", action="store_true", help="run nothing; write RESULTS.md")
    parser.add_argument("--budget", type=int, action="append", help="seconds of two cores; default 60 and 180")
    parser.add_argument("--sets", nargs="+", choices=[each.name for each in SETS], metavar="SET")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--again", nargs="+", choices=SYSTEMS, default=[], help="run these systems' cells once more")
    parser.add_argument("--deal-again", action="store_true", help="make the deals anew, by the project's present code")
    asked = parser.parse_args()
    if asked.setup_peers:
        environments.make()
        return
    cells = Cells()
    if asked.report:
        from benchmarks.quality.report import report

        report(cells)
        return
    systems = [system for system in asked.systems if environments.is_there(system)]
    for missing in set(asked.systems) - set(systems):
        print(f"{missing} is skipped: it is not installed; see --setup-peers")
    names = []
    for each in SETS:
        if asked.sets and each.name not in asked.sets:
            continue
        if not each.where.exists():
            print(f"{each.name} is skipped: there is no {each.where}")
            continue
        names.append(each.name)
        cells.make_deals(each.name, asked.seeds, again=asked.deal_again)
    done = cells.done()
    for cell in in_order(names, asked.seeds, asked.budget or [60, 180], systems):
        if cell in done and cell.system not in asked.again:
            continue
        line = cells.run(cell)
        seen = line["reason"] or f"{line['cpu']:.0f} CPU s, {line['wall']:.0f} s, {line['peak_mb']:.0f} MB"
        print(f"{cell.name}: {seen}", flush=True)


if __name__ == "__main__":
    main()
