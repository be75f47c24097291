"""What a source other than files hands over: batches that say how far it was read; the shape, not the readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

SecretReader = Callable[[str], str]
"""Gives the text behind a reference (`env:NAME`, `file:PATH`); raises InputError E_SECRET that names the reference."""


@dataclass(frozen=True)
class Delivery:
    """One batch as it arrived.

    `name` is for people, `digest` (sha256, hex) is what the batch is, whatever it is called. `position` says in a text
    how far the source has been read once this batch is in the table; it is committed with the batch, in one step, so
    that no crash can part the two. `rows` has the spec's columns in their logical types.
    """

    name: str
    digest: str
    position: str
    size: int
    """Bytes of the rows in memory."""
    rows: pl.DataFrame


class Reader(Protocol):
    """A database, a Delta table or a function, opened for one model."""

    def news(self, position: str | None) -> str | None:
        """A text that names what is new since a position (none: since the beginning), or none where nothing is.

        Cheap enough for every tick of a sensor; equal texts mean that nothing has happened in between. Raises
        InputError where the source cannot be reached.
        """
        ...

    def deliveries(self, position: str | None) -> Iterator[Delivery]:
        """The batches since a position, oldest first; empty ones are left out.

        Raises InputError with what, where and what to do; never with a secret in its text or in its chain of causes.
        """
        ...
