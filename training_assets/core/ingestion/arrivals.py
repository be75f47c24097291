"""Which of the files that lie there are new, whole and still to be trained on; pure but for reading file bytes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from training_assets.core.errors import InputError
from training_assets.core.ingestion.discovery import FileStamp, identify

SETTLED_NS = 30 * 10**9
"""A file that nobody wrote to for this long is whole; a younger one must look the same on two ticks."""
SECOND_LOOK_SECONDS = 1.0
SAME_TIME_NS = 2 * 10**9

Seen = Mapping[str, tuple[int, int, str | None]]
"""Path → size in bytes, time of change in ns, digest (none while the file may still be written)."""


@dataclass(frozen=True)
class Arrivals:
    """What one look at the files found."""

    new: list[str]
    """Digests of whole files that nothing has been done about."""
    arriving: list[str]
    """Names of files that may still be written."""
    unreadable: list[str]
    """Why files could not be looked at."""
    seen: dict[str, tuple[int, int, str | None]]
    """To be given to the next look."""


def look(files: Sequence[FileStamp], seen: Seen, done: Collection[str], now_ns: int) -> Arrivals:
    """Compare the files with the last look; bytes are read only where size or time changed since the last hash."""
    new: list[str] = []
    arriving: list[str] = []
    unreadable: list[str] = []
    after: dict[str, tuple[int, int, str | None]] = {}
    for stamp in files:
        path, state = str(stamp.path), (stamp.size, stamp.modified_ns)
        size, modified, digest = seen.get(path, (-1, -1, None))
        unchanged = (size, modified) == state
        if not unchanged and _is_young(stamp, now_ns):
            arriving.append(stamp.path.name)
            after[path] = (*state, None)
            continue
        if not unchanged or digest is None:
            try:
                digest = identify(stamp).digest
            except InputError as error:
                unreadable.append(str(error))
                after[path] = (*state, None)
                continue
        # Stores tell the time of change in seconds: another object of the same size may follow within this one.
        fleeting = stamp.objects is not None and now_ns - stamp.modified_ns < SAME_TIME_NS
        after[path] = (*state, None if fleeting else digest)
        if digest not in done and digest not in new:
            new.append(digest)
    return Arrivals(sorted(new), arriving, unreadable, after)


def whole(
    files: Sequence[FileStamp], now_ns: int, pause: Callable[[float], None]
) -> tuple[list[FileStamp], list[FileStamp]]:
    """Files that nobody is writing, and those that somebody may be: the young ones are looked at twice."""
    young = {stamp.path for stamp in files if _is_young(stamp, now_ns)}
    if not young:
        return list(files), []
    pause(SECOND_LOOK_SECONDS)
    sound = [stamp for stamp in files if stamp.path not in young or _unchanged(stamp)]
    return sound, [stamp for stamp in files if stamp not in sound]


def _is_young(stamp: FileStamp, now_ns: int) -> bool:
    """Whether somebody may still be writing it; an object is put into its store whole, or not at all."""
    return stamp.objects is None and now_ns - stamp.modified_ns < SETTLED_NS


def _unchanged(stamp: FileStamp) -> bool:
    try:
        state = stamp.state()
    except FileNotFoundError:
        return False
    return (state.size, state.modified_ns) == (stamp.size, stamp.modified_ns)
