"""CPU seconds, waits for a core, and the peak of memory of this process, from one moment to another (Linux)."""

from __future__ import annotations

import ctypes
import gc
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Spent:
    """What a stretch of work took."""

    wall: float  # seconds
    cpu: float  # user and system seconds of all threads
    waited: float  # seconds in which a thread that still lives could have run, but others had the cores
    peak: int  # bytes of memory above those that were held when the stretch began

    def busy(self, cores: int) -> float:
        """Share of the cores that the process used."""
        return self.cpu / (self.wall * cores)

    def ready(self, cores: int) -> float:
        """Share of the cores that it used or stood in line for: what it would use of a machine of its own."""
        return (self.cpu + self.waited) / (self.wall * cores)

    def to_json(self) -> dict[str, float]:
        """The numbers, by name."""
        return asdict(self)


class Meter:
    """Counts from its making on."""

    def __init__(self) -> None:
        """Begin: garbage goes back to the kernel, whose mark of the peak comes down to what is held now."""
        _give_back()
        (PROCESS / "clear_refs").write_text("5", encoding="ascii")
        self._memory = _bytes("VmRSS")
        self._waited = _waited()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def spent(self) -> Spent:
        """So far."""
        return Spent(
            time.perf_counter() - self._wall,
            time.process_time() - self._cpu,
            sum(seconds - self._waited.get(thread, 0.0) for thread, seconds in _waited().items()),
            _bytes("VmHWM") - self._memory,
        )

    def held(self) -> int:
        """Bytes of memory that are held now, above those that were when it began."""
        _give_back()
        return _bytes("VmRSS") - self._memory


def _give_back() -> None:
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def _bytes(name: str) -> int:
    lines = (PROCESS / "status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _waited() -> dict[str, float]:
    """Seconds that each living thread stood in line for a core."""
    found = {}
    for thread in (PROCESS / "task").iterdir():
        try:
            found[thread.name] = int((thread / "schedstat").read_text(encoding="ascii").split()[1]) / 1e9
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
    return found
