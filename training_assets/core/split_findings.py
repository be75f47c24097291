"""What is claimed about the three splits: their sizes, their labels, and that they share no rows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.splitting import SPLITS
from training_assets.core.validation.findings import Fact, Finding, capped
from training_assets.spec import Split
from training_assets.spec.target import Task

# Standard deviations that a share may be off by chance: over 25 batches' worth of checks a day, once in a millennium.
SIGMAS = 5
# Rows that rounding and equal rows may move on top.
ROUNDED = 3
QUANTILES = 10
# These methods promise shares; the others deal by time or by the user's word, whatever shares come of it.
PROMISES_SHARES = ("stratified", "random", "group")


def proportions_hold(counts: Mapping[str, int], split: Split, groups: int | None = None) -> Finding:
    """No split is empty (a miss blocks), and shares are the declared ones up to chance (a miss warns).

    Chance: five binomial standard deviations over n, the rows or, for method group, the groups; with neither known for
    groups, only empty splits are looked for. A split by time or by the user's column promises no shares.
    """
    total = sum(counts.get(name, 0) for name in SPLITS)
    declared = {"train": split.train, "validation": split.validation, "test": split.test}
    empty = [name for name in SPLITS if not counts.get(name, 0)]
    promised = split.method in PROMISES_SHARES and (split.method != "group" or groups is not None)
    n = groups if split.method == "group" and groups is not None else total
    lines = []
    for name in SPLITS:
        share = counts.get(name, 0) / max(total, 1)
        line: dict[str, int | float | str] = {"split": name, "rows": counts.get(name, 0), "share": share}
        if promised:
            tolerance = SIGMAS * math.sqrt(declared[name] * (1 - declared[name]) / max(n, 1)) + ROUNDED / max(n, 1)
            line |= {"declared": declared[name], "tolerance": tolerance}
        lines.append(line)
    facts: dict[str, Fact] = {"rows": total, "shares": capped(lines)}
    shown = ", ".join(f"{line['split']} {line['share']:.1%}" for line in lines)
    if empty:
        text = f"no row is in {' and '.join(empty)}; a model needs all three splits: bring more rows or change `split`"
        return Finding("proportions_hold", False, "block", text, facts)
    off = [line for line in lines if promised and not abs(line["share"] - line["declared"]) <= line["tolerance"]]  # type: ignore[operator]
    if off:
        text = f"shares are off by more than chance: {shown}; many equal rows or few groups can do that"
        return Finding("proportions_hold", False, "warn", text, facts)
    text = f"{shown} of {total:,} rows" if promised else f"{shown} of {total:,} rows; {split.method} promises no shares"
    return Finding("proportions_hold", True, "warn", text, facts)


def labels_are_balanced(splits: Mapping[str, pl.Series], task: Task) -> Finding:
    """Each split's labels are distributed as all labels are, up to chance (a miss warns).

    Every class that validation or test holds is in training, else the claim blocks. A regression compares the shares of
    ten quantile bins. Chance: five binomial standard deviations of a share, and three rows.
    """
    names, coded = _coded(splits, task)
    total = np.sum([coded[name] for name in SPLITS], axis=0)
    overall = total / max(total.sum(), 1)
    unseen = [names[at] for at in np.flatnonzero((total > 0) & (coded["train"] == 0))]
    worst: dict[str, int | float | str] = {"excess": -1.0}
    off = 0
    for split in SPLITS:
        n = max(int(coded[split].sum()), 1)
        difference = np.abs(coded[split] / n - overall)
        excess = difference - (SIGMAS * np.sqrt(overall * (1 - overall) / n) + ROUNDED / n)
        off += int((excess > 0).sum())
        at = int(excess.argmax())
        if excess[at] > float(worst["excess"]):
            worst = {"excess": float(excess[at]), "split": split, "label": names[at]}
            worst |= {"share": float(coded[split][at] / n), "overall": float(overall[at])}
    lines = [{"label": name, **{split: int(coded[split][at]) for split in SPLITS}} for at, name in enumerate(names)]
    facts: dict[str, Fact] = {"labels": len(names), "off": off, "rows": capped(lines)}
    if unseen and task != "regression":
        text = f"training has no row of {', '.join(name[:40] for name in unseen[:5])}: no model can learn it"
        return Finding("labels_are_balanced", False, "block", text, facts)
    if off:
        text = (
            f"labels are unlike between splits by more than chance: {str(worst['label'])[:40]} is {worst['share']:.1%} "
            f"of {worst['split']} and {worst['overall']:.1%} of all rows"
        )
        return Finding("labels_are_balanced", False, "warn", text, facts)
    return Finding("labels_are_balanced", True, "warn", f"{len(names)} labels are alike in all splits", facts)


def _coded(splits: Mapping[str, pl.Series], task: Task) -> tuple[list[str], dict[str, npt.NDArray[np.int64]]]:
    """The labels' names (classes, or quantile bins of all labels), and the rows of each in each split."""
    together = pl.concat([splits[name] for name in SPLITS])
    if task == "regression":
        cuts = np.linspace(0, 1, QUANTILES + 1)[1:-1]
        edges = np.unique(np.quantile(together.to_numpy(), cuts)) if together.len() else np.zeros(0)
        names = [f"bin {number + 1} of {len(edges) + 1}" for number in range(len(edges) + 1)]
        codes = {name: np.searchsorted(edges, splits[name].to_numpy(), side="left") for name in SPLITS}
    else:
        names = together.unique().sort().to_list()
        places = dict(zip(names, range(len(names)), strict=True))
        codes = {name: splits[name].replace_strict(places, return_dtype=pl.Int64).to_numpy() for name in SPLITS}
    return names, {name: np.bincount(codes[name], minlength=len(names)) for name in SPLITS}


def splits_share_no_rows(keys: Mapping[str, pl.Series], groups: Mapping[str, pl.Series] | None = None) -> Finding:
    """No row key, and where groups are given no group, is in two splits; a miss blocks, with a sample."""
    lines = [*_shared(keys, "row")]
    if groups is not None:
        lines += _shared({name: values.drop_nulls() for name, values in groups.items()}, "group")
    rows = sum(values.len() for values in keys.values())
    facts: dict[str, Fact] = {"rows": rows, "shared": sum(int(line["shared"]) for line in lines)}
    if not lines:
        what = "row" if groups is None else "row and no group"
        return Finding("splits_share_no_rows", True, "block", f"no {what} is in two splits", facts)
    facts["overlaps"] = capped(lines)
    first = lines[0]
    where = f"{first['one']} and {first['other']}"
    text = f"{first['shared']:,} {first['what']} keys are in both {where}; scores would be too good"
    return Finding("splits_share_no_rows", False, "block", text, facts)


def _shared(values: Mapping[str, pl.Series], what: str) -> list[dict[str, int | str]]:
    """A line for each pair of splits that share values, with a sample of three."""
    distinct = {name: values[name].unique().alias("value").to_frame() for name in SPLITS}
    lines: list[dict[str, int | str]] = []
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        both = distinct[one].join(distinct[other], on="value", how="semi").sort("value")["value"]
        if both.len():
            sample = ", ".join(str(value)[:40].encode("unicode_escape").decode() for value in both.head(3))
            lines.append({"what": what, "one": one, "other": other, "shared": both.len(), "sample": sample})
    return lines
