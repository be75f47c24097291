"""What a commit of a table says of itself: sealed, so that a changed word in the log is noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction

from training_assets.core import fingerprint

BATCH = "_batch"
COMMIT, SEAL = "training_assets", "seal"


@dataclass(frozen=True)
class Commit:
    """What a commit did: a batch's rows came in as one file, or were erased, or the source was read further.

    Name and size in bytes are what the batch arrived with; commits of earlier releases lack them.
    """

    batch: str = ""
    file: str = ""
    rows: int = 0
    position: str | None = None
    erased: bool = False
    name: str = ""
    size: int | None = None

    def sealed(self) -> dict[str, str]:
        """As the commit keeps it, with a digest: a reader of the log takes a changed word for one it does not know."""
        text = fingerprint.canonical(asdict(self)).decode()
        return {COMMIT: text, SEAL: fingerprint.digest(text)}

    @classmethod
    def unsealed(cls, entry: Mapping[str, Any]) -> Commit | None:
        """What `sealed` kept in an entry of the log; none where it is not what was written."""
        text = entry.get(COMMIT)
        if text is None or fingerprint.digest(text) != entry.get(SEAL):
            return None
        return cls(**json.loads(text))


def properties(commit: Commit, once: list[Transaction] | None = None) -> CommitProperties:
    """A commit's own words, and the transaction ids that may occur once."""
    return CommitProperties(custom_metadata=commit.sealed(), app_transactions=once)


def commit_to(
    table: DeltaTable, added: Sequence[AddAction], commit: Commit, once: list[Transaction] | None = None
) -> None:
    """Commit data files, or none, with what the commit says of itself."""
    table.create_write_transaction(
        list(added), "append", table.schema(), [BATCH], commit_properties=properties(commit, once)
    )
