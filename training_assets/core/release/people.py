"""Who somebody is, as names and e-mail addresses in specs, in git and on the command line say it."""

from __future__ import annotations

import re
from collections.abc import Iterable

WITH_ADDRESS = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>\s]+@[^<>\s]+)>\s*")


def person(actor: str) -> str:
    """One text a person: the address of `Ada <ada@example.org>`, else the name, without regard to case."""
    found = WITH_ADDRESS.fullmatch(actor)
    return " ".join((found["address"] if found else actor).split()).casefold()


def names(actor: str) -> frozenset[str]:
    """Every text that means somebody: address and name of `Ada <ada@example.org>`, else the one text that is there."""
    found = WITH_ADDRESS.fullmatch(actor)
    return frozenset({person(actor), person(found["name"]) if found else ""} - {""})


def entries(actor: str, listed: Iterable[str]) -> frozenset[str]:
    """The entries of a list that name somebody: by address, by name, or by both as git writes them."""
    return names(actor) & {person(each) for each in listed}


def is_among(actor: str, listed: Iterable[str]) -> bool:
    """Whether a list names somebody."""
    return bool(entries(actor, listed))


def different(people: Iterable[frozenset[str]]) -> int:
    """How many people these are, each told by names or entries; two that share one may be the same, and count once."""
    counted: list[frozenset[str]] = []
    for each in sorted(people, key=len):  # who is told by one name alone cannot be taken for two
        if each and not any(each & other for other in counted):
            counted.append(each)
    return len(counted)
