"""Which encodings that a spec states can read their features: told before there is any row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime

from training_assets.core.errors import InputError
from training_assets.core.features.logical import Kind
from training_assets.spec.encoding import AsDate, Encoding

READS: Mapping[str, Kind] = {"quantity": "numeric", "date": "date"}  # others read categories
CALLED: Mapping[Kind, str] = {"numeric": "a quantity", "categorical": "a category", "date": "a date"}


def refuse_unfitting(kinds: Mapping[str, Kind], encoding: Encoding, untold: Collection[str] = ()) -> None:
    """Raise `InputError` E_ENCODING for an encoding of what is no feature, or of a feature that it cannot read.

    `untold` are features whose kind is not known yet; nothing is said against them.
    """
    for name, own in encoding.columns.items():
        where = f"encoding.columns.{name[:80]}"
        if name in untold:
            continue
        if name not in kinds:
            message = f"{where}: '{name[:80]}' is no feature; features are {', '.join(kinds)[:500]}"
            raise InputError("E_ENCODING", message)
        wanted = READS.get(own.method, "categorical")
        if kinds[name] != wanted:
            message = f"{where}: method {own.method} reads {CALLED[wanted]}, and this is {CALLED[kinds[name]]}"
            if (wanted, kinds[name]) == ("categorical", "numeric"):
                message += "; give the column `categorical: true` to read its numbers as names"
            raise InputError("E_ENCODING", message)
        if isinstance(own, AsDate) and own.since is not None and own.since == name:
            raise InputError("E_ENCODING", f"{where}.since: names the feature itself, since which no day ever passes")
        if (
            isinstance(own, AsDate)
            and own.since is not None
            and kinds.get(own.since) != "date"
            and own.since not in untold
        ):
            _refuse_no_date(own.since, where)


def origin(text: str) -> datetime:
    """The moment that an ISO text names, naive and in UTC; raises `ValueError` where it names none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        message = "a time without a zone is wanted: it is read as UTC"
        raise ValueError(message)
    return moment


def _refuse_no_date(since: str, where: str) -> None:
    with suppress(ValueError):
        origin(since)
        return
    message = (
        f"{where}.since: '{since[:80]}' is neither a date feature nor an ISO date such as 2020-01-31; days since a "
        'column of another role are a derived feature, e.g. features.derived.age: "when" - "opened"'
    )
    raise InputError("E_ENCODING", message)
