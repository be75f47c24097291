"""Which files are no batches, whatever they hold: odd names, links that lead out, pipes and devices."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt

# File systems allow 255 bytes; names are reused with something added.
LONGEST_NAME = 200


def refuse_link_out(path: Path, root: Path) -> None:
    """Refuse (InputError E_NOT_REGULAR) a link to a file outside of the root and of its own folder."""
    target = path.resolve()
    if not any(target.is_relative_to(folder.resolve()) for folder in (root, path.parent)):
        message = f"{path.name} is a link to a file outside of its folder; put the file itself there"
        raise InputError("E_NOT_REGULAR", message)


def refuse_irregular(path: Path, found: os.stat_result) -> None:
    """Refuse (InputError E_NOT_REGULAR) what is no plain file: a folder, a pipe, a device."""
    if stat.S_ISREG(found.st_mode):
        return
    what = "a folder; name its files, for example `folder/*.csv`" if stat.S_ISDIR(found.st_mode) else "no regular file"
    message = f"{excerpt(path.name)} is {what}; source.path names files of rows"
    raise InputError("E_NOT_REGULAR", message)


def refuse_odd_name(name: str) -> None:
    """Refuse (InputError E_NAME) a name that is unsafe to show or to reuse."""
    long = len(os.fsencode(name)) > LONGEST_NAME
    if long or not name.isprintable() or name.startswith("-"):
        why = (
            f"is longer than {LONGEST_NAME} bytes" if long else "starts with '-' or holds characters that do not print"
        )
        message = f"the file name {excerpt(name)} {why}; rename the file"
        raise InputError("E_NAME", message)
