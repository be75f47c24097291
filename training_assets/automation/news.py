"""What a source has that no verdict has seen: asked by sensors at every tick, so it reads no more than it must."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from training_assets.assets.intake import Standing, raw_table
from training_assets.core.ingestion.arrivals import look
from training_assets.core.ingestion.discovery import stamps
from training_assets.core.ingestion.readers import open_reader
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec


@dataclass(frozen=True)
class News:
    """What is new (none of it: `nothing` says why), which batches are there now, and what the next tick must know."""

    new: list[str]
    here: list[str]
    nothing: str
    cursor: str | None


def new_files(spec: ModelSpec, places: Places, cursor: str | None, done: Collection[str], now_ns: int) -> News:
    """Whole files whose content is not among what is done; raises InputError where the source cannot be looked at."""
    files = stamps(spec.source, places.root, places.secrets)
    found = look(files, json.loads(cursor) if cursor else {}, done, now_ns)
    waiting = f"still arriving: {', '.join(found.arriving[:5])}" if found.arriving else ""
    broken = f"cannot be read: {'; '.join(found.unreadable[:5])}" if found.unreadable else ""
    nothing = f"nothing new in {len(files)} files" if files else "no file matches the source's path yet"
    here = [digest for _, _, digest in found.seen.values() if digest is not None]
    return News(found.new, here, "; ".join(filter(None, [waiting, broken])) or nothing, json.dumps(found.seen))


def new_deliveries(model: str, spec: ModelSpec, places: Places, done: Collection[str]) -> News:
    """What the source has beyond the table's position, and batches of the table that are not among what is done.

    Raises InputError where the source cannot be reached.
    """
    positions = places.tables.positions(model, raw_table(spec))
    position = positions[-1] if positions else None
    token = open_reader(spec, places.root, places.secrets).news(position)
    here = Standing.of(model, spec, places).batches
    if token is not None and spec.source.is_replaced:
        here = []
    new = [batch for batch in here if batch not in done]
    if token is not None:
        new.append(token)
    if spec.source.is_replaced:
        # What comes back after something else is work once more, however often it came before.
        new = [f"{each}, after {len(positions)} readings" for each in new]
    return News(
        sorted(new), here, f"nothing new in the {spec.source.kind}: read to {position or 'the start'}"[:500], None
    )
