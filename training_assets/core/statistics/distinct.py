"""How many different values there are, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable

LOG_SIZE = 11
"""Of the CPC sketch: 1.3 kB for an estimate with a standard error of 1.5 %."""


def sketched(values: Iterable[float] | Iterable[str]) -> bytes:
    """Bytes of a sketch of the distinct values."""
    from datasketches import cpc_sketch

    made = cpc_sketch(LOG_SIZE)
    for value in values:
        made.update(value)
    return bytes(made.serialize())


def merged(sketches: Iterable[bytes]) -> bytes:
    """Bytes of the sketch of all values together."""
    from datasketches import cpc_sketch, cpc_union

    union = cpc_union(LOG_SIZE)
    for each in sketches:
        union.update(cpc_sketch.deserialize(each))
    return bytes(union.get_result().serialize())


def estimate(sketch: bytes) -> int:
    """Distinct values in a sketch, about."""
    from datasketches import cpc_sketch

    return round(float(cpc_sketch.deserialize(sketch).get_estimate()))
