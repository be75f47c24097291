"""A directory that is served: a link, swapped in one step, to a whole version in a store of its own beside it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_assets.core import fingerprint
from training_assets.core.artifact_format import write_file
from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets.spec import DirectoryTarget

KEPT = 2
"""Versions that stay in a directory's store: the present one, and the one before for those who still read it."""
OWNER = ".owner"
"""The file in a store that says whose versions it holds."""


@dataclass(frozen=True)
class Directory:
    """A link that always leads to one whole version; it is replaced in one step, so that no reader sees a mixture.

    Its store is one target's of one model in one ledger, so that nobody is ever served another one's versions.
    """

    name: str
    listens_to: str
    target: DirectoryTarget
    registry: Registry
    places: Places
    known: frozenset[str]  # names of all directory targets in the spec

    @property
    def path(self) -> Path:
        """Where the link is."""
        return self.places.root / self.target.path

    @property
    def store(self) -> Path:
        """Where the versions are that the link leads to."""
        return self.path.with_name(f".{self.path.name}.versions")

    @property
    def destination(self) -> Mapping[str, str]:
        """The path, as the spec writes it."""
        return {"kind": self.target.kind, "path": self.target.path}

    def send(self, event: Event, key: str) -> None:
        """Fetch the version, check its files, and let the link lead to it; what was there before stays until then."""
        store, folder, leads_to = self.store, self._folder(event, key), self._leads_to()
        if self.path.exists() if leads_to is None else leads_to.parent != store:
            message = f"{self.path} is there already and is no link of ours; move it away, or name another path"
            raise InputError("E_DELIVERY", message)
        releases = Releases(self.places.ledger, event.model)
        registered = releases.version(str(event.data["to"]))
        try:
            self._own(event.model, next(iter(releases.versions().values())))
            if not folder.exists():
                self._fetch(registered, folder)
            beside = store / f".{uuid.uuid4().hex}"
            beside.symlink_to(os.path.relpath(folder, self.path.parent))
            beside.replace(self.path)
            for old in sorted(store.glob("[!.]*"), key=lambda each: each.stat().st_mtime_ns)[:-KEPT]:
                if old != folder:
                    shutil.rmtree(old)
        except OSError as error:
            raise InputError("E_DELIVERY", f"{self.path} cannot be written: {error.strerror or error}") from error

    def has(self, event: Event, key: str) -> bool | None:
        """Whether the link leads to the version that this very move brought, and that is there."""
        folder = self._folder(event, key)
        try:
            return self._leads_to() == folder and folder.is_dir()
        except OSError:  # sending says what is wrong
            return False

    def _folder(self, event: Event, key: str) -> Path:
        """Where a move's version lies."""
        return self.store / f"{event.data['to']}-{fingerprint.digest(key)[:12]}"

    def _leads_to(self) -> Path | None:
        """Where the link leads; none where there is no link."""
        return self.path.parent / self.path.readlink() if self.path.is_symlink() else None

    def _own(self, model: str, first: Event) -> None:
        """Make the store this target's; refuse one of another model, target or ledger, which its first event tells.

        One that says nothing, as those of before, is whose who comes first; one whose target has another name now
        stays its model's.
        """
        note, mine = self.store / OWNER, {"model": model, "target": self.name, "first": first.hash}
        theirs = _read(note)
        if theirs == mine:
            return
        renamed = {**theirs, "target": self.name} == mine and theirs["target"] not in self.known
        if note.exists() and not renamed:
            whose = f"{theirs['model']}, for its target {theirs['target']}" if theirs else "somebody else"
            where = (
                " in another ledger" if theirs and theirs["model"] == model and theirs["first"] != first.hash else ""
            )
            message = (
                f"{self.path} holds versions of {whose}{where}; name another path, or, if nobody delivers there any "
                f"more, remove {note}"
            )
            raise InputError("E_DELIVERY", message)
        write_file(note, fingerprint.canonical(mine))

    def _fetch(self, registered: Event, folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.store, prefix=".") as scratch:
            whole = Path(scratch) / "whole"  # the scratch folder is for its maker's eyes alone, and so would be itself
            whole.mkdir()
            package = package_of(registered.model, self.registry, registered, whole)
            package.parents[2].rename(folder)  # MLflow's own folder of the version


def _read(note: Path) -> dict[str, Any]:
    """What a store says of its owner; nothing where it does not say, or in no words of ours."""
    try:
        said = json.loads(note.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) and set(said) == {"model", "target", "first"} else {}
