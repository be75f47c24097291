"""Which families a search tries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training_assets.core import families
from training_assets.core.encoding.layout import Layout
from training_assets.core.errors import InputError
from training_assets.core.families import Family, Learning


def suitable(
    wanted: Sequence[str] | None, layout: Layout, learning: Learning, root: Path, trust: tuple[str, ...] = ()
) -> dict[str, Family]:
    """The families of these names, or all that can learn this, by name, in the order of their first turns.

    `root` and `trust` are for families of the user's own. Raises
    `InputError` E_FAMILY for one that was asked for and cannot, or where none can.
    """
    if wanted is None:
        able = {name: family for name, family in families.FAMILIES.items() if not family.refusal(layout, learning)}
        if not able:
            why = "; ".join(f"{name}: {family.refusal(layout, learning)}" for name, family in families.FAMILIES.items())
            message = (
                f"no family can learn what training asks for ({why}); relax training, or name a family of your own"
            )
            raise InputError(code="E_FAMILY", message=message)
        return able
    named = {name: families.named(name, root, trust) for name in wanted}
    for name, family in named.items():
        if refusal := family.refusal(layout, learning):
            message = f"search.families names {name}, but {refusal}; remove it, or change training"
            raise InputError(code="E_FAMILY", message=message)
    order = [*families.FAMILIES, *named]
    return dict(sorted(named.items(), key=lambda item: order.index(item[0])))
