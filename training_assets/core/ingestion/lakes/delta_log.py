"""What the commits of a Delta table did to its rows: appended some, took some out, or moved them to other files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from training_assets.core.errors import InputError

FOLDER = "_delta_log"


@dataclass(frozen=True)
class Commit:
    """One version's effect on files; paths are relative to the table, as its file system spells them."""

    version: int
    operation: str
    """What the writer calls it (`WRITE`, `MERGE`); for people."""
    appended: tuple[str, ...]
    """Files of rows that are new."""
    takes_out: bool
    """Whether rows were deleted or rewritten."""
    moved: tuple[str, ...]
    """Files whose rows went to other files, unchanged (compaction)."""


def commits(filesystem: Any, versions: Iterable[int], where: str) -> list[Commit]:
    """The commits of some versions, in their order; raises InputError E_DELTA for one that is gone or damaged."""
    found = []
    for version in versions:
        name = f"{FOLDER}/{version:020d}.json"
        try:
            with filesystem.open_input_stream(name) as file:
                text = file.read()
            found.append(_commit(version, [json.loads(line) for line in text.splitlines() if line.strip()]))
        except FileNotFoundError:
            why = "is no longer in the log"
        except (ValueError, TypeError, KeyError, AttributeError):
            why = f"is damaged in {name}"
        else:
            continue
        message = (
            f"{where}: version {version} {why}, so that nobody knows what it appended; set source.delta.version to "
            "read one version whole, or mend the table"
        )
        raise InputError("E_DELTA", message)
    return found


def is_inside(path: str) -> bool:
    """Whether a data file's path stays within its table; those of a shallow clone do not."""
    return not path.startswith("/") and ":" not in path.partition("/")[0] and ".." not in path.split("/")


def _commit(version: int, actions: list[dict[str, Any]]) -> Commit:
    added = [action["add"] for action in actions if "add" in action]
    removed = [action["remove"] for action in actions if "remove" in action]
    said = [action["commitInfo"] for action in actions if "commitInfo" in action]
    return Commit(
        version,
        str(said[0].get("operation", "unnamed")) if said else "unnamed",
        tuple(unquote(add["path"]) for add in added if add["dataChange"]),
        any(remove.get("dataChange", True) for remove in removed),
        tuple(unquote(remove["path"]) for remove in removed if not remove.get("dataChange", True)),
    )
