"""Which batch each file was when it was last read: a file that rests since then is not read again to be known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training_assets.core.artifact_format import write_file
from training_assets.core.fingerprint import canonical, digest
from training_assets.core.ingestion.arrivals import SETTLED_NS
from training_assets.core.ingestion.discovery import BatchFile, FileStamp

Line = tuple[int, int, str]
"""Size in bytes, time of change in ns, digest of the batch."""


@dataclass
class SeenFiles:
    """A note of a model's files; worth time alone, so a lost or damaged one starts empty."""

    path: Path
    _before: Mapping[str, Line]
    _now: dict[str, Line] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> SeenFiles:
        """What was noted at the last look."""
        try:
            content = json.loads(path.read_bytes())
            lines = {name: (int(size), int(at), str(batch)) for name, (size, at, batch) in content["files"].items()}
            sound = content["digest"] == digest(content["files"])
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path, {})
        return cls(path, lines if sound else {})

    def batch_of(self, stamp: FileStamp) -> str | None:
        """The batch that a file is, where its size and time are those of the last look; none where it must be read."""
        line = self._before.get(_name(stamp))
        if line is None or line[:2] != (stamp.size, stamp.modified_ns):
            return None
        self._now[_name(stamp)] = line
        return line[2]

    def note(self, stamp: FileStamp, file: BatchFile, now_ns: int) -> None:
        """Keep what a file is, unless it is so young that it may change again within the clock's grain."""
        if now_ns - file.modified_ns >= SETTLED_NS:
            self._now[_name(stamp)] = (file.size, file.modified_ns, file.digest)

    def save(self) -> None:
        """Keep what this look saw; files that are gone are forgotten."""
        if self._now != self._before:
            files = {name: list(line) for name, line in self._now.items()}
            write_file(self.path, canonical({"files": files, "digest": digest(files)}))


def _name(stamp: FileStamp) -> str:
    """Where it lies, and which of its folders' values are a part of it."""
    return f"{stamp.path}?{','.join(stamp.partitions)}"
