"""Groups whose rows are in several splits: what a model learns of somebody helps it with the same one again."""

from __future__ import annotations

import math

import polars as pl

from training_assets.core.inference.roles import LEAST_MEMBERS, member_of, names_things
from training_assets.core.leakage.evidence import Leak, shown
from training_assets.core.validation.label import class_text
from training_assets.spec import ModelSpec
from training_assets.spec.target import Task

# Share of the label's variance that lies between groups. Of people measured again and again it is above one half; one
# quarter is where knowing the group halves what a good model leaves open.
STRONG, WEAK = 0.25, 0.05
SIGMAS = 5
# Rows of a split whose group another split holds; below, a score hardly moves.
LEAST_SHARED = 0.05
MOST_CLASSES = 20


def candidates(spec: ModelSpec) -> list[str]:
    """Columns that name somebody, or something, and that the split does not go by."""
    by = set(spec.with_role("group")) if "group" in spec.split.method else set()
    return [
        name
        for name, column in spec.columns.items()
        if name not in by and name != spec.target.column and _may_name(name, column.role, column.type)
    ]


def _may_name(name: str, role: str, kind: str) -> bool:
    if role == "group":
        return True
    named = member_of(name) is not None or names_things(name)
    return named and role in {"feature", "ignored"} and kind in {"integer", "string"}


def parted_groups(rows: pl.DataFrame, spec: ModelSpec) -> list[Leak]:
    """A leak for each candidate whose groups are in several splits and whose rows' labels are alike.

    `rows` has the candidates, `_split` and `_target`. Groups of people, by name or by role, make it strong; things (a
    shop, a machine) may be meant to be known, and are not strong.
    """
    found = []
    train = rows.filter(pl.col("_split") == "train")
    for name in candidates(spec):
        known = train.select(group=pl.col(name), y=pl.col("_target")).drop_nulls()
        others = rows.filter((pl.col("_split") != "train") & pl.col(name).is_not_null())[name]
        if known["group"].n_unique() < LEAST_MEMBERS or not others.len():
            continue
        shared = float(others.is_in(known["group"].unique().implode()).mean() or 0.0)  # type: ignore[arg-type]
        between = label_between_groups(known["group"], known["y"], spec.target.task)
        if shared < LEAST_SHARED or between < WEAK:
            continue
        somebody = spec.columns[name].role == "group" or member_of(name) is not None
        text = (
            f"rows of one '{shown(name)}' are in several splits ({shared:.1%} of validation and test rows), and "
            f"{between:.0%} of the label's variance lies between its {known['group'].n_unique():,} groups"
        )
        remedy = "give it `role: group` and set `split.method: group`, unless the model only ever meets known ones"
        strong = somebody and between >= STRONG
        found.append(Leak("groups in several splits", (name,), text, between, strong=strong, remedy=remedy))
    return found


def label_between_groups(groups: pl.Series, labels: pl.Series, task: Task) -> float:
    """Share of the label's variance that lies between groups, as far as chance does not explain it; 0 where it does.

    Adjusted correlation ratio (epsilon squared) of the label's ranks, or of the class that differs most between
    groups; it counts where the F statistic is five standard deviations above one. Labels are values or class texts.
    """
    best = 0.0
    texts = labels if task == "regression" else class_text(labels)
    commonest: pl.Series | list[str] = (
        [] if task == "regression" else texts.value_counts(sort=True, name="_rows")[texts.name]
    )
    classes = [(texts == each).cast(pl.Float64) for each in commonest[:MOST_CLASSES]]
    series = [texts.rank()] if task == "regression" else classes
    for y in series:
        pair = pl.DataFrame({"g": groups, "y": y})
        n, k = pair.height, pair["g"].n_unique()
        if not 1 < k < n:
            return 0.0
        within, total = pair.select(
            within=((pl.col("y") - pl.col("y").mean().over("g")) ** 2).sum(),
            total=((pl.col("y") - pl.col("y").mean()) ** 2).sum(),
        ).row(0)
        if not total:
            continue
        noise = within / (n - k)
        above_chance = 1 + SIGMAS * math.sqrt(2 / (k - 1) + 2 / (n - k))
        if (total - within) / (k - 1) > above_chance * noise:
            best = max(best, 1 - noise * (n - 1) / total)
    return best
