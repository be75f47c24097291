"""A column that names somebody, where the label depends on who it is: its rows are drafted into one split."""

from __future__ import annotations

import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.roles import LEAST_MEMBERS, member_of
from training_assets.core.leakage.groups import STRONG, label_between_groups
from training_assets.spec import Column, Split, Target

# Training rows alone may show a little more than all rows do: what is drafted must not be stopped for it.
DRAFTED = 0.8 * STRONG


def with_group(
    columns: dict[str, Column], rows: pl.DataFrame, target: Target, notes: Notes
) -> tuple[dict[str, Column], Split]:
    """The columns with one of role group, and a split by it, where parting its rows would flatter a model."""
    label = str(target.column)
    named = [
        name
        for name, column in columns.items()
        if column.role == "ignored" and column.type in {"integer", "string"} and member_of(name) is not None
    ]
    found: dict[str, float] = {}
    for name in named:
        known = rows.select(group=pl.col(name), y=pl.col(label)).drop_nulls()
        if LEAST_MEMBERS <= known["group"].n_unique() < known.height:
            found[name] = label_between_groups(known["group"], known["y"], target.task)
    if not found or max(found.values()) < DRAFTED:
        return columns, Split()
    name = max(found, key=lambda each: found[each])
    key = f"columns.{name}.role"
    notes.questions[:] = [question for question in notes.questions if question.key != key]
    notes.ask(
        key,
        f"{found[name]:.0%} of what '{label}' varies lies between the {rows[name].n_unique():,} values of '{name}', so "
        f"a split that parts the rows of one {member_of(name)} flatters the model. Will it meet new ones?",
        "group, with `split.method: group`: a group's rows stay in one split",
    )
    changed = {**columns, name: columns[name].model_copy(update={"role": "group", "because": None})}
    return changed, Split(method="group")
