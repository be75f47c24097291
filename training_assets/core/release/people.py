"""Who somebody is, as names and e-mail addresses in specs, in git and on the command line say it."""

from __future__ import annotations

import re
from collections.abc import Iterable

WITH_ADDRESS = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>\s]+@[^<>\s]+)>\s*")


def person(actor: str) -> str:
    """One text a person: the address of `Ada <ada@example.org>`, else the name, without regard to case."""
    found = WITH_ADDRESS.fullmatch(actor)
    return " ".join((found["address"] if found else actor).split()).casefold()


def is_among(actor: str, listed: Iterable[str]) -> bool:
    """Whether a list names somebody: by address, by name, or by both as git writes them."""
    found = WITH_ADDRESS.fullmatch(actor)
    names = {person(actor)} | ({person(found["name"])} if found else set())
    return any(person(each) in names for each in listed if each.strip())
